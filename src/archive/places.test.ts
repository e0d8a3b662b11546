import assert from 'node:assert/strict'
import { test } from 'node:test'
import { besides, keyOf } from './places.ts'

const recording = {
  recordingId: 'Xk3v9QbA',
  callId: 'c/../1',
  kind: 'siprec',
  from: 'sip:+4930123@example.com',
  to: 'tel:102;phone-context=x',
  startedAtMs: Date.UTC(2026, 10, 20, 7, 34),
  baseName: 'a',
  files: [],
} as const

test('a prefix is filled in with what the recording has', () => {
  const prefix = 'calls/{yyyy}/{mm}/{dd}/{hh}/{kind}-{from}-{to}/{recording}'
  assert.equal(keyOf(prefix, recording, 'a.wav'), 'calls/2026/11/20/07/siprec-+4930123-102/Xk3v9QbA/a.wav')
  assert.equal(keyOf('', recording, 'a.wav'), 'a.wav')
  assert.equal(keyOf('{peer}', recording, 'a.wav'), 'none/a.wav')
})

test('nothing that a stranger sent leads out of its folder', () => {
  assert.equal(keyOf('{call}', recording, 'a.wav'), 'c_.._1/a.wav')
  assert.equal(keyOf('{peer}', { ...recording, peer: '..' }, 'a.wav'), '_/a.wav')
})

test('a file whose place is taken by another stands beside it, always under the same name', () => {
  const sha256 = '0123456789abcdef'
  assert.equal(besides('x/a.b.wav', sha256), 'x/a.b~0123456789ab.wav')
  assert.equal(besides('x/a.wav.sealed', sha256), 'x/a~0123456789ab.wav.sealed')
  assert.equal(besides('x.y/a', sha256), 'x.y/a~0123456789ab')
})
