/** RFC 3261 §17.1.2 and figure 6. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NonInviteClient } from './non-invite-client.ts'
import { request, response, TestFlow, TestUser } from './test-support.ts'

function start(transport: 'udp' | 'tcp' = 'udp') {
  const flow = new TestFlow(transport)
  const user = new TestUser()
  const client = new NonInviteClient({ clock: flow.clock, flow, user, request: request('OPTIONS'), onEnd: flow.ended })
  return { flow, user, client, clock: flow.clock }
}

test('an unanswered request goes out 11 times in 32 s, then fails (RFC 3261 §17.1.2.2)', () => {
  const { flow, user, clock } = start()
  clock.advance(32_000)
  assert.deepEqual(flow.times, [0, 500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500])
  assert.deepEqual(user.heard, ['timeout'])
  assert.equal(flow.ends, 1)
  assert.equal(clock.pendingTimers, 0)
})

test('after a provisional answer it is resent every 4 s (T2)', () => {
  const { flow, client, clock } = start()
  clock.advance(100)
  client.receive(response('OPTIONS', 100))
  clock.advance(12_400)
  assert.deepEqual(flow.times, [0, 500, 4_500, 8_500, 12_500])
})

test('the final answer is told once; copies are absorbed for 5 s (timer K)', () => {
  const { flow, user, client, clock } = start()
  client.receive(response('OPTIONS', 404))
  client.receive(response('OPTIONS', 404))
  assert.deepEqual(user.heard, [404])
  clock.advance(4_999)
  assert.equal(client.state, 'completed')
  clock.advance(1)
  assert.equal(client.state, 'terminated')
  assert.deepEqual(flow.times, [0])
  assert.equal(flow.ends, 1)
  assert.equal(clock.pendingTimers, 0)
})

test('over TCP it is sent once and over with its answer', () => {
  const { flow, client, clock } = start('tcp')
  clock.advance(20_000)
  client.receive(response('OPTIONS', 200))
  clock.advance(0)
  assert.deepEqual(flow.times, [0])
  assert.equal(client.state, 'terminated')
})

test('a lost connection is reported', () => {
  const { user, client, clock } = start('tcp')
  client.transportFailed()
  assert.deepEqual(user.heard, ['transport'])
  assert.equal(clock.pendingTimers, 0)
})
