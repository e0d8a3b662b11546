import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../core/fake-clock.ts'
import type { Flow } from './stack.types.ts'
import { SipTrace } from './trace.ts'

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

test('a long call keeps its beginning and its latest messages', () => {
  const trace = new SipTrace(new FakeClock(), { limits: { messagesPerCall: 4 } })
  for (let n = 0; n < 10; n++) trace.observe('in', flow, `SIP/2.0 20${n}\r\n`, 'a')
  assert.deepEqual(
    trace.messages(['a']).map(({ summary }) => summary.at(-1)),
    ['0', '1', '8', '9'],
  )
})

test('the call unheard of for longest makes room', () => {
  const trace = new SipTrace(new FakeClock(), { limits: { callChars: 150, otherChars: 150, strangerChars: 150 } })
  const ok = `SIP/2.0 200 ${'x'.repeat(28)}`
  const invite = `INVITE ${'x'.repeat(13)}`
  for (const callId of ['a', 'b', 'c']) trace.observe('in', flow, invite, callId)
  for (const [callId, chars] of [
    ['a', 40],
    ['b', 40],
    ['a', 20],
    ['c', 20],
  ] as const)
    trace.observe('out', flow, ok.slice(0, chars), callId)
  assert.deepEqual(
    ['a', 'b', 'c'].map((callId) => trace.messages([callId]).length),
    [3, 0, 2],
  )
  assert.deepEqual(trace.lost, { ofLongCalls: 0, ofAllCalls: 2 }, 'and is counted')
})

test('registrations and calls that are over do not push out a live call, however many come', () => {
  const trace = new SipTrace(new FakeClock(), { limits: { callChars: 1_000, otherChars: 1_000, strangerChars: 1_000 } })
  const call = (callId: string): void => {
    trace.observe('in', flow, 'INVITE sip:102@x SIP/2.0', callId)
    trace.observe('out', flow, 'SIP/2.0 200 OK', callId)
  }
  call('live')
  for (let n = 0; n < 1_000; n++) {
    trace.observe('in', flow, 'REGISTER sip:x SIP/2.0', `register ${n}`)
    trace.observe('out', flow, 'SIP/2.0 200 OK', `register ${n}`)
    call(`over ${n}`)
    trace.release([`over ${n}`])
    trace.observe('in', flow, 'BYE sip:x SIP/2.0', `over ${n}`) // once more, from who did not hear our answer
  }
  assert.equal(trace.messages(['live']).length, 2)
  assert.equal(trace.messages(['over 1']).length, 0)
  assert.equal(trace.messages(['over 999']).length, 3)
  assert.deepEqual(trace.lost, { ofLongCalls: 0, ofAllCalls: 0 })
})

test('each message is told at once, with the address of ours that its peer sees', () => {
  const told: string[] = []
  const trace = new SipTrace(new FakeClock(), {
    localIp: (remoteIp) => (remoteIp === '2001:db8::1' ? '2001:db8::9' : ''),
    told: ({ local, text }) => told.push(`${local} ${text}`),
  })
  trace.observe('in', { ...flow, local: { ip: '::', port: 5060 } }, 'OPTIONS', 'a')
  assert.deepEqual(told, ['[2001:db8::9]:5060 OPTIONS'])
})

test('what people write to each other is kept only when it shall be', () => {
  const text = 'MESSAGE sip:102@x SIP/2.0\r\nCall-ID: a\r\n\r\nSee you at seven'
  for (const keepWords of [true, false]) {
    const trace = new SipTrace(new FakeClock(), { keepWords })
    trace.observe('in', flow, text, 'a')
    trace.observe('in', flow, 'INFO sip:102@x SIP/2.0\r\n\r\nSignal=1', 'b')
    const [kept, info] = trace.messages(['a', 'b'])
    assert.equal(kept?.text, keepWords ? text : text.replace('See you at seven', '(removed)'))
    assert.match(info?.text ?? '', /Signal/)
  }
})

test('a flood of refused strangers leaves the calls alone', () => {
  const trace = new SipTrace(new FakeClock(), { limits: { strangerChars: 1_000 } })
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
  const trace = new SipTrace(new FakeClock(), { limits: { strangerChars: 1_000 } })
  trace.observe('out', flow, 'INVITE sip:102@x SIP/2.0', 'call')
  trace.observe('in', flow, 'SIP/2.0 180 Ringing', 'call')
  for (let n = 0; n < 1_000; n++) {
    trace.observe('in', flow, `INVITE sip:900@x SIP/2.0`, `scan ${n}`)
    trace.observe('in', flow, `SIP/2.0 200 OK ${'x'.repeat(100)}`, `scan ${n}`)
  }
  assert.equal(trace.messages(['call']).length, 2)
  assert.equal(trace.messages(['scan 1']).length, 0)
})

const from = (ip: string): Flow => ({ ...flow, remote: { ip, port: 5060 } })

test('the latest messages of strangers, registrations and calls are found by address, words and Call-ID', () => {
  const trace = new SipTrace(new FakeClock())
  trace.observe('in', from('192.0.2.1'), 'REGISTER sip:x SIP/2.0', 'a')
  trace.observe('in', from('192.0.2.9'), 'INVITE sip:1@x SIP/2.0', 'b')
  trace.observe('out', from('192.0.2.1'), 'SIP/2.0 200 OK', 'a')
  const found = (query: Partial<Parameters<SipTrace['recent']>[0]>) =>
    trace.recent({ limit: 10, ...query }).map(({ summary }) => summary.slice(0, 8))
  assert.deepEqual(found({}), ['REGISTER', 'INVITE s', 'SIP/2.0 '])
  assert.deepEqual(found({ limit: 2 }), ['INVITE s', 'SIP/2.0 '])
  assert.deepEqual(found({ address: '192.0.2.1' }), ['REGISTER', 'SIP/2.0 '])
  assert.deepEqual(found({ sipCallId: 'b' }), ['INVITE s'])
  assert.deepEqual(found({ search: 'INVITE' }), ['INVITE s'])
  assert.deepEqual(found({ search: 'INVITE', sipCallId: 'a' }), [])
})

test('digits told by INFO while they are hidden are not kept, nor told to a collector', () => {
  const told: string[] = []
  const trace = new SipTrace(new FakeClock(), {
    hidesDigits: (sipCallId) => sipCallId === 'a',
    told: ({ text }) => told.push(text),
  })
  const head = 'INFO sip:101@192.0.2.2 SIP/2.0\r\nCSeq: 7 INFO\r\nContent-Type: application/dtmf-relay\r\n\r\n'
  trace.observe('in', flow, `${head}Signal=4\r\nDuration=160\r\n`, 'a')
  trace.observe('in', flow, `${head}Signal = D\r\nDuration=160`, 'a')
  trace.observe('in', flow, `${head}#`, 'a')
  trace.observe('in', flow, `${head}Signal=5`, 'b')
  assert.deepEqual(
    trace.messages(['a', 'b']).map(({ text }) => text),
    [`${head}Signal=x\r\nDuration=xxx\r\n`, `${head}Signal = x\r\nDuration=xxx`, `${head}x`, `${head}Signal=5`],
  )
  assert.deepEqual(
    told,
    trace.messages(['a', 'b']).map(({ text }) => text),
  )
})
