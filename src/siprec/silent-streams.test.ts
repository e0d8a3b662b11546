import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { FakeClock } from '../core/fake-clock.ts'
import { type Fields, silentLogger } from '../core/logger.ts'
import { noPackets } from '../media/types.ts'
import { SilentStreams } from './silent-streams.ts'

const timeoutMs = 30_000

/** A stream whose last packet came at `lastMs` of the clock. */
function watch() {
  const clock = new FakeClock()
  const lines: string[] = []
  const marks: (number | undefined)[] = []
  const note = (line: string, fields: Fields = {}): void => {
    const { idleMs } = fields
    lines.push(typeof idleMs === 'number' ? `${line} ${idleMs}` : line)
  }
  const state = { lastMs: 0, expected: true }
  const startMs = clock.now()
  const silent = new SilentStreams({
    clock,
    log: { ...silentLogger, info: note, warn: note },
    timeoutMs,
    expected: () => state.expected,
    silent: (_legId, sinceMs) =>
      marks.push(sinceMs === undefined ? undefined : sinceMs - clock.wallMs() + clock.now() - startMs),
  })
  const stats = () => Promise.resolve({ ...noPackets, idleMs: clock.now() - startMs - state.lastMs })
  const stream = { legId: 'a', label: '1', port: { stats } }
  const pass = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= 1000) {
      clock.advance(1000)
      await setImmediate()
    }
  }
  return { clock, silent, stream, lines, marks, pass, state }
}

test('the first packet, half of RTP_TIMEOUT and its end are logged as the guide says, and marked; so is its return', async () => {
  const { silent, stream, lines, marks, pass, state, clock } = watch()
  assert.equal(silent.noticeAfterMs, 15_000)
  silent.heard(stream, '192.0.2.1:4000', 'PCMU')
  await pass(15_000)
  await silent.inactive(stream, 15_000)
  assert.deepEqual(marks, [])
  await pass(15_000)
  assert.deepEqual(marks, [0])
  await pass(10_000)
  state.lastMs = 40_000
  await pass(2000)
  assert.deepEqual(lines, [
    'First RTP packet received successfully',
    'RTP stream inactive - no packets received for extended period 15000',
    'RTP timeout detected - the recording of the other streams goes on 30000',
    'RTP stream is active again',
  ])
  assert.deepEqual(marks, [0, undefined])
  assert.equal(clock.pendingTimers, 0)
})

test('a stream that comes back in time, and one that its client paused, are not marked', async () => {
  const { silent, stream, marks, pass, state, lines } = watch()
  await pass(15_000)
  await silent.inactive(stream, 15_000)
  state.lastMs = 20_000
  await pass(20_000)
  state.expected = false
  await silent.inactive(stream, 15_000)
  await pass(20_000)
  assert.deepEqual(marks, [])
  assert.equal(lines.length, 1)
})
