/** RFC 3261 §17.1.1 and figure 5, RFC 6026 §7.2. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseMessage } from '../message/parse.ts'
import { InviteClient } from './invite-client.ts'
import { request, response, TestFlow, TestUser } from './test-support.ts'

function start(transport: 'udp' | 'tcp' = 'udp') {
  const flow = new TestFlow(transport)
  const user = new TestUser()
  const client = new InviteClient({ clock: flow.clock, flow, user, request: request('INVITE'), onEnd: flow.ended })
  return { flow, user, client, clock: flow.clock }
}

test('an unanswered INVITE goes out 7 times in 32 s, then fails (RFC 3261 §17.1.1.2)', () => {
  const { flow, user, clock } = start()
  clock.advance(32_000)
  assert.deepEqual(flow.times, [0, 500, 1_500, 3_500, 7_500, 15_500, 31_500])
  assert.deepEqual(user.heard, ['timeout'])
  assert.equal(flow.ends, 1)
  assert.equal(clock.pendingTimers, 0)
})

test('over TCP the INVITE goes out once', () => {
  const { flow, user, clock } = start('tcp')
  clock.advance(32_000)
  assert.deepEqual(flow.times, [0])
  assert.deepEqual(user.heard, ['timeout'])
})

test('a provisional answer stops the resending for good', () => {
  const { flow, user, client, clock } = start()
  client.receive(response('INVITE', 100))
  client.receive(response('INVITE', 180))
  clock.advance(3_600_000)
  assert.deepEqual(flow.times, [0])
  assert.deepEqual(user.heard, [100, 180])
  assert.equal(client.state, 'proceeding')
})

test('a failure is acknowledged each time it comes and told once; it is over after 32 s (timer D)', () => {
  const { flow, user, client, clock } = start()
  client.receive(response('INVITE', 486))
  client.receive(response('INVITE', 486))
  assert.deepEqual(flow.messages, ['INVITE', 'ACK', 'ACK'])
  assert.deepEqual(user.heard, [486])
  clock.advance(31_999)
  assert.equal(client.state, 'completed')
  clock.advance(1)
  assert.equal(client.state, 'terminated')
  assert.equal(flow.ends, 1)
})

test('over TCP a failed INVITE is over at once', () => {
  const { flow, client, clock } = start('tcp')
  client.receive(response('INVITE', 404))
  clock.advance(0)
  assert.equal(client.state, 'terminated')
  assert.equal(flow.ends, 1)
})

test('the ACK to a failure has the branch, Route and CSeq number of the INVITE and the To of the answer (§17.1.1.3)', () => {
  const sent: Uint8Array[] = []
  const { clock } = new TestFlow()
  const flow = { reliable: false, send: (bytes: Uint8Array) => sent.push(bytes) }
  const client = new InviteClient({ clock, flow, user: new TestUser(), request: request('INVITE') })
  client.receive(response('INVITE', 486))
  const result = parseMessage(sent[1] ?? new Uint8Array())
  assert.ok(result.ok && result.message.kind === 'request')
  const { headers, uri } = result.message
  assert.equal(uri, 'sip:102@192.0.2.2')
  assert.equal(headers.get('Via'), 'SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKtest')
  assert.equal(headers.get('Route'), '<sip:192.0.2.7;lr>')
  assert.equal(headers.get('To'), '<sip:102@192.0.2.2>;tag=b')
  assert.equal(headers.get('CSeq'), '7 ACK')
})

test('each 2xx is passed up for 32 s, and none is acknowledged here (RFC 6026 §7.2)', () => {
  const { flow, user, client, clock } = start()
  client.receive(response('INVITE', 200))
  clock.advance(500)
  client.receive(response('INVITE', 200))
  client.receive(response('INVITE', 486))
  assert.deepEqual(user.heard, [200, 200])
  assert.deepEqual(flow.messages, ['INVITE'])
  clock.advance(31_500)
  assert.equal(client.state, 'terminated')
  assert.equal(clock.pendingTimers, 0)
})

test('what the host refuses to send is reported as a failure of transport', () => {
  const { flow, user, clock } = start()
  flow.breakDown()
  clock.advance(600)
  assert.deepEqual(user.heard, ['transport'])
  assert.equal(clock.pendingTimers, 0)
})

test('a lost connection ends it, in any state but the last ones', () => {
  const { user, client, clock } = start('tcp')
  client.receive(response('INVITE', 180))
  client.transportFailed()
  assert.deepEqual(user.heard, [180, 'transport'])
  assert.equal(clock.pendingTimers, 0)
})
