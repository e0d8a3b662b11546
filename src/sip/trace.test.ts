import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../core/fake-clock.ts'
import type { Flow } from './stack.types.ts'
import { SipTrace, withoutSecrets } from './trace.ts'

const flow: Flow = {
  id: '',
  transport: 'udp',
  reliable: false,
  local: { ip: '192.0.2.2', port: 5060 },
  remote: { ip: '2001:db8::1', port: 5062 },
  open: true,
}

test('messages of several Call-IDs come back in the order they crossed the wire', () => {
  const clock = new FakeClock(1_000)
  const trace = new SipTrace(clock)
  for (const [direction, text, callId] of [
    ['in', 'INVITE sip:102@x SIP/2.0\r\n\r\n', 'a'],
    ['out', 'INVITE sip:102@y SIP/2.0\r\n\r\n', 'b'],
    ['in', 'SIP/2.0 200 OK\r\n\r\n', 'b'],
    ['out', 'SIP/2.0 200 OK\r\n\r\n', 'a'],
  ] as const) {
    trace.observe(direction, flow, text, callId)
    clock.advance(1)
  }
  assert.deepEqual(
    trace
      .messages(['b', 'a', 'a'])
      .map(({ atMs, sipCallId, direction, summary }) => [atMs, sipCallId, direction, summary]),
    [
      [1_000, 'a', 'in', 'INVITE sip:102@x SIP/2.0'],
      [1_001, 'b', 'out', 'INVITE sip:102@y SIP/2.0'],
      [1_002, 'b', 'in', 'SIP/2.0 200 OK'],
      [1_003, 'a', 'out', 'SIP/2.0 200 OK'],
    ],
  )
  assert.equal(trace.messages(['a'])[0]?.remote, '[2001:db8::1]:5062')
})

test('what came and what it caused on another leg keep their order within one millisecond', () => {
  const trace = new SipTrace(new FakeClock(1_000))
  trace.observe('in', flow, 'SIP/2.0 180 Ringing\r\n\r\n', 'callee')
  trace.observe('out', flow, 'SIP/2.0 180 Ringing\r\n\r\n', 'caller')
  assert.deepEqual(
    trace.messages(['caller', 'callee']).map(({ sipCallId }) => sipCallId),
    ['callee', 'caller'],
  )
})

test('digest answers, SDES keys and passwords in URIs are not kept', () => {
  const text = [
    'REGISTER sip:101:hunter2@x SIP/2.0',
    'Authorization: Digest username="101",',
    '  response="aaaa"',
    'proxy-authorization : Digest response="bbbb"',
    'WWW-Authenticate: Digest nonce="kept"',
    '',
    'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:cccc',
    'k=base64:dddd',
    'a=sendrecv',
  ].join('\r\n')
  assert.deepEqual(withoutSecrets(text).split('\r\n'), [
    'REGISTER sip:101:(removed)@x SIP/2.0',
    'Authorization: Digest (removed)',
    'proxy-authorization : Digest (removed)',
    'WWW-Authenticate: Digest nonce="kept"',
    '',
    'a=crypto:1 AES_CM_128_HMAC_SHA1_80 (removed)',
    'k=base64:(removed)',
    'a=sendrecv',
  ])
})

test('a long call keeps its beginning and its latest messages', () => {
  const trace = new SipTrace(new FakeClock(), { messagesPerCall: 4 })
  for (let n = 0; n < 10; n++) trace.observe('in', flow, `SIP/2.0 20${n}\r\n`, 'a')
  assert.deepEqual(
    trace.messages(['a']).map(({ summary }) => summary.at(-1)),
    ['0', '1', '8', '9'],
  )
})

test('the call unheard of for longest makes room', () => {
  const trace = new SipTrace(new FakeClock(), { chars: 100, strangerChars: 0 })
  const ok = `SIP/2.0 200 ${'x'.repeat(28)}`
  for (const callId of ['a', 'b', 'a', 'c'])
    trace.observe('out', flow, callId === 'c' ? ok.slice(0, 20) : ok.slice(0, 40), callId)
  assert.deepEqual(
    ['a', 'b', 'c'].map((callId) => trace.messages([callId]).length),
    [2, 0, 1],
  )
})

test('a flood of refused strangers leaves the calls alone', () => {
  const trace = new SipTrace(new FakeClock(), { chars: 10_000, strangerChars: 1_000 })
  trace.observe('in', flow, 'INVITE sip:102@x SIP/2.0', 'call')
  trace.observe('out', flow, 'SIP/2.0 180 Ringing', 'call')
  for (let n = 0; n < 1_000; n++) {
    trace.observe('in', flow, `INVITE sip:900${n}@x SIP/2.0 ${'x'.repeat(100)}`, `scan ${n}`)
    trace.observe('out', flow, 'SIP/2.0 401 Unauthorized', `scan ${n}`)
  }
  assert.equal(trace.messages(['call']).length, 2)
  assert.equal(trace.messages(['scan 1']).length, 0)
  assert.equal(trace.messages(['scan 999']).length, 2)
})

test('answers that nobody asked for count as those of strangers, however many come', () => {
  const trace = new SipTrace(new FakeClock(), { chars: 10_000, strangerChars: 1_000 })
  trace.observe('out', flow, 'INVITE sip:102@x SIP/2.0', 'call')
  trace.observe('in', flow, 'SIP/2.0 180 Ringing', 'call')
  for (let n = 0; n < 1_000; n++) {
    trace.observe('in', flow, `INVITE sip:900@x SIP/2.0`, `scan ${n}`)
    trace.observe('in', flow, `SIP/2.0 200 OK ${'x'.repeat(100)}`, `scan ${n}`)
  }
  assert.equal(trace.messages(['call']).length, 2)
  assert.equal(trace.messages(['scan 1']).length, 0)
})
