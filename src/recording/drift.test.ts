/** Two phones whose crystals disagree: what they say at one moment stands at one place, an hour later too. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readWav } from '../codec/wav.ts'
import { correlate } from '../demo/compare.ts'
import { ClockDrift } from '../media/worker/recording/clock-drift.ts'
import { combine } from './combine.ts'
import type { LegAudio } from './leg-reader.ts'
import { writeLeg } from './test-support.ts'

/** Like itself at no other time: tones that never come together again. */
function heardAt(ms: number): number {
  let sum = 0
  for (let tone = 1; tone <= 9; tone++) sum += Math.sin(ms * (0.9 + tone * 1.618 + tone * tone * 0.0577))
  return Math.round(sum * 2500)
}

/** What a phone makes of it whose clock is so much too slow, from `fromMs` on. */
const taken = (driftPpm: number, fromMs: number, seconds: number): Int16Array =>
  Int16Array.from({ length: seconds * 8000 }, (_, i) => heardAt(fromMs + (i / 8) * (1 + driftPpm / 1e6)))

test('legs whose clocks are 150 ppm apart are together at every place of a long call, within a millisecond', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-drift-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const seconds = 150
  const legs: LegAudio[] = []
  for (const { driftPpm, startedAtMs } of [
    { driftPpm: 50, startedAtMs: 1000 },
    { driftPpm: -100, startedAtMs: 1120 },
  ]) {
    const path = join(folder, `${driftPpm}.wav`)
    writeLeg(path, { samples: taken(driftPpm, startedAtMs, seconds), startedAtMs })
    legs.push({ ...(await readWav(path)), path, startedAtMs, driftPpm })
  }
  await combine(legs, join(folder, 'both.wav'))
  const both = await readWav(join(folder, 'both.wav'))
  for (const second of [2, 50, 147]) {
    const [a, b] = [0, 1].map((channel) => both.channel(channel).slice(second * 8000, second * 8000 + 4000))
    const { lagSamples, score } = correlate(a ?? assert.fail(), b ?? assert.fail())
    assert.ok(Math.abs(lagSamples) <= 8 && score > 0.99, `second ${second}: ${lagSamples} samples, ${score}`)
  }
})

test('a clock is known to 3 ppm after ten minutes of packets that are late by chance, and not before a minute', () => {
  for (const driftPpm of [-120, 0, 35]) {
    const clock = new ClockDrift(8000)
    let chance = 1
    for (let packet = 0; packet < 30_000; packet++) {
      chance = (Math.imul(chance, 1_103_515_245) + 12_345) & 0x7fff_ffff
      const lateMs = 3 + 40 * (chance / 0x7fff_ffff) ** 2 + (packet > 9000 && packet < 12_000 ? 60 : 0)
      clock.see(packet * 160, packet * 160 * (1 + driftPpm / 1e6) + lateMs * 8)
      if (packet === 2400) assert.equal(clock.read().drift, undefined)
    }
    const { drift = 1 } = clock.read()
    assert.ok(Math.abs(drift * 1e6 - driftPpm) < 3, `${drift * 1e6} ppm, not ${driftPpm}`)
  }
})

test('a first packet that was held up on its way counts from when it would have come', () => {
  const clock = new ClockDrift(8000)
  for (let packet = 0; packet < 100; packet++) clock.see(packet * 160, packet * 160 + (packet === 0 ? 70 : 5) * 8)
  assert.deepEqual(clock.read(), { waited: 65 * 8, drift: undefined })
})
