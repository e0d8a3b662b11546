import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noise, sine, speech16k } from '../codec/test-support.ts'
import { LoudnessMeter, normalise, normalisingGainDb } from './loudness.ts'

const measured = (sound: Int16Array, sampleRateHz: number): LoudnessMeter => {
  const meter = new LoudnessMeter(sampleRateHz)
  meter.process(sound)
  return meter
}

for (const rateHz of [8000, 16_000, 48_000]) {
  test(`a sine of 997 Hz and 0 dBFS has -3.01 LUFS at ${rateHz} Hz (BS.1770 annex 1)`, () => {
    const loudness = measured(sine(997, 32_767, rateHz, 3), rateHz).integrated() ?? 0
    assert.ok(Math.abs(loudness + 3.01) < 0.11, `${loudness} LUFS`)
  })
}

test('a sine of 1 kHz and -20 dBFS has -23 LUFS, whatever silence is around it (EBU Tech 3341)', () => {
  const tone = sine(1000, 32_767 * 10 ** (-20 / 20), 48_000, 4)
  const between = new Int16Array(tone.length * 3)
  between.set(tone, tone.length)

  const alone = measured(tone, 48_000).integrated() ?? 0
  const amongSilence = measured(between, 48_000).integrated() ?? 0

  assert.ok(Math.abs(alone + 23) < 0.1, `${alone} LUFS`)
  // Three blocks at each edge are silence in part, and count
  assert.ok(Math.abs(amongSilence - alone) < 0.4, `${amongSilence} LUFS`)
})

test('what is 40 dB quieter than the rest does not count (relative gate)', () => {
  const both = new Int16Array(48_000 * 8)
  both.set(sine(1000, 3000, 48_000, 4))
  both.set(sine(1000, 30, 48_000, 4), 48_000 * 4)
  const loud = measured(sine(1000, 3000, 48_000, 4), 48_000).integrated() ?? 0
  assert.ok(Math.abs((measured(both, 48_000).integrated() ?? 0) - loud) < 0.2)
})

test('silence has no loudness and is left alone', () => {
  const meter = measured(new Int16Array(16_000), 16_000)
  assert.equal(meter.integrated(), undefined)
  assert.equal(normalisingGainDb(meter, { targetLufs: -16 }), 0)
})

test('quiet speech comes to the target, and never over the peak', () => {
  const quiet = speech16k.map((sample) => sample / 8)
  const gainDb = normalise(quiet, 16_000, { targetLufs: -23 })
  const meter = measured(quiet, 16_000)
  assert.ok(gainDb > 0)
  assert.ok(Math.abs((meter.integrated() ?? 0) + 23) < 0.3, `${meter.integrated()} LUFS`)

  const withClick = noise(20, 16_000)
  withClick[8000] = 20_000
  normalise(withClick, 16_000, { targetLufs: -16 })
  assert.ok(measured(withClick, 16_000).peakDbov <= -0.99)
})
