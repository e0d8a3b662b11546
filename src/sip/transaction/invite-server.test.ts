/** RFC 3261 §17.2.1 and figure 7, RFC 6026 §7.1. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { printMessage } from '../message/print.ts'
import { InviteServer } from './invite-server.ts'
import { response, TestFlow, TestUser } from './test-support.ts'

function start(transport: 'udp' | 'tcp' = 'udp') {
  const flow = new TestFlow(transport)
  const user = new TestUser()
  const server = new InviteServer({
    clock: flow.clock,
    flow,
    user,
    trying: () => printMessage(response('INVITE', 100)),
    onEnd: flow.ended,
  })
  const respond = (status: number) => server.respond(status, printMessage(response('INVITE', status)))
  return { flow, user, server, respond, clock: flow.clock }
}

test('100 goes out after 200 ms unless the user has answered (RFC 3261 §17.2.1)', () => {
  const slow = start()
  slow.clock.advance(250)
  assert.deepEqual(slow.flow.sent, [{ atMs: 200, what: '100' }])
  const quick = start()
  quick.respond(180)
  quick.clock.advance(250)
  assert.deepEqual(quick.flow.sent, [{ atMs: 0, what: '180' }])
})

test('a copy of the INVITE gets the latest provisional answer again', () => {
  const { flow, server, respond } = start()
  server.receive('INVITE')
  assert.deepEqual(flow.messages, [])
  respond(180)
  server.receive('INVITE')
  respond(183)
  server.receive('INVITE')
  assert.deepEqual(flow.messages, ['180', '180', '183', '183'])
})

test('a refusal is resent until its ACK comes (timer G), which is absorbed for 5 s (timer I)', () => {
  const { flow, server, respond, clock } = start()
  respond(486)
  clock.advance(8_000)
  assert.deepEqual(flow.times, [0, 500, 1_500, 3_500, 7_500])
  server.receive('ACK')
  server.receive('ACK')
  server.receive('INVITE')
  clock.advance(4_999)
  assert.equal(server.state, 'confirmed')
  clock.advance(1)
  assert.equal(server.state, 'terminated')
  assert.equal(flow.times.length, 5)
  assert.equal(flow.ends, 1)
  assert.equal(clock.pendingTimers, 0)
})

test('a refusal without an ACK is given up after 32 s (timer H)', () => {
  const { flow, user, respond, clock } = start()
  respond(486)
  clock.advance(32_000)
  assert.deepEqual(flow.times, [0, 500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500])
  assert.deepEqual(user.heard, ['no-ack'])
  assert.equal(clock.pendingTimers, 0)
})

test('over TCP a refusal is sent once, and a copy of the INVITE still gets it', () => {
  const { flow, server, respond, clock } = start('tcp')
  respond(486)
  clock.advance(10_000)
  server.receive('INVITE')
  assert.deepEqual(flow.messages, ['486', '486'])
  server.receive('ACK')
  clock.advance(0)
  assert.equal(server.state, 'terminated')
})

test('after a 2xx copies of the INVITE are absorbed for 32 s, and the dialog may send it again (RFC 6026 §7.1)', () => {
  const { flow, server, respond, clock } = start()
  respond(200)
  server.receive('INVITE')
  respond(180)
  assert.deepEqual(flow.messages, ['200'])
  respond(200)
  assert.deepEqual(flow.messages, ['200', '200'])
  clock.advance(32_000)
  assert.equal(server.state, 'terminated')
  assert.equal(clock.pendingTimers, 0)
})

test('a lost connection before the answer is reported', () => {
  const { user, server, clock } = start('tcp')
  server.transportFailed()
  assert.deepEqual(user.heard, ['transport'])
  assert.equal(clock.pendingTimers, 0)
})
