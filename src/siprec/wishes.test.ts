import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readRequest } from './test-support.ts'
import { readWishes } from './wishes.ts'

const read = (...headers: readonly string[]) => {
  const lines = [
    'INVITE sip:r@x SIP/2.0',
    'Via: SIP/2.0/UDP x;branch=z9hG4bK1',
    'From: <sip:a@x>;tag=1',
    'To: <sip:r@x>',
  ]
  const text = [...lines, 'Call-ID: 1', 'CSeq: 1 INVITE', ...headers, 'Content-Length: 0'].join('\r\n')
  return readWishes(readRequest(Buffer.from(`${text}\r\n\r\n`)))
}

test('durations are read with units and without: seconds for times, days for keeping', () => {
  const { wishes, problems } = read(
    'X-Recording-Timeout: 45',
    'x-recording-max-duration: 1h30m',
    'X-Recording-Retention: 90',
  )
  assert.deepEqual(wishes, { streamSilentMs: 45_000, maxDurationMs: 5_400_000, retentionDays: 90 })
  assert.deepEqual(problems, [])
  assert.deepEqual(read('X-Recording-Retention: 720h').wishes, { retentionDays: 30 })
  assert.deepEqual(read().wishes, {})
})

test('what cannot be read or is out of bounds is told and passed over, whatever it is', () => {
  const { wishes, problems } = read(
    'X-Recording-Timeout: 0',
    'X-Recording-Max-Duration: soon',
    'X-Recording-Retention: 99999999d',
  )
  assert.deepEqual(wishes, {})
  assert.deepEqual(problems, [
    'X-Recording-Timeout: out of bounds',
    'X-Recording-Max-Duration: not a duration',
    'X-Recording-Retention: out of bounds',
  ])
  for (const text of ['', '-5', '1h ', '1e9', '5 m', '٣', '5x'.repeat(1_000)])
    assert.equal(read(`X-Recording-Timeout: ${text}`).wishes.streamSilentMs, text === '1h ' ? 3_600_000 : undefined)
})
