/** RFC 3261 §17.2.2 and figure 8, RFC 4320. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { printMessage } from '../message/print.ts'
import { NonInviteServer } from './non-invite-server.ts'
import { response, TestFlow } from './test-support.ts'

function start(transport: 'udp' | 'tcp' = 'udp') {
  const flow = new TestFlow(transport)
  const server = new NonInviteServer({ clock: flow.clock, flow, onEnd: flow.ended })
  const respond = (status: number) => server.respond(printMessage(response('REGISTER', status)))
  return { flow, server, respond, clock: flow.clock }
}

test('copies of the request get the answer again for 32 s (timer J); a second answer is ignored', () => {
  const { flow, server, respond, clock } = start()
  server.receive()
  respond(200)
  server.receive()
  respond(500)
  clock.advance(31_999)
  server.receive()
  assert.deepEqual(flow.messages, ['200', '200', '200'])
  clock.advance(1)
  assert.equal(server.state, 'terminated')
  assert.equal(flow.ends, 1)
  assert.equal(clock.pendingTimers, 0)
})

test('over TCP it is over with its answer', () => {
  const { server, respond, clock } = start('tcp')
  respond(200)
  clock.advance(0)
  assert.equal(server.state, 'terminated')
})

test('a request nobody answers is forgotten after 32 s, without a 408 (RFC 4320 §4.2)', () => {
  const { flow, server, respond, clock } = start()
  clock.advance(32_000)
  respond(200)
  assert.deepEqual(flow.messages, [])
  assert.equal(server.state, 'terminated')
  assert.equal(clock.pendingTimers, 0)
})
