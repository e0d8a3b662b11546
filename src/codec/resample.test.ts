import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Resampler } from './resample.ts'
import { differing, findSine, noise, resampled, sine, snrDb, speech16k } from './test-support.ts'

const pairs: readonly (readonly [number, number])[] = [
  [8000, 16_000],
  [16_000, 8000],
  [8000, 48_000],
  [48_000, 8000],
  [16_000, 48_000],
  [48_000, 16_000],
  [44_100, 8000],
  [8000, 44_100],
]
const settled = (sound: Int16Array, sampleRateHz: number): Int16Array =>
  sound.subarray(sampleRateHz / 10, sampleRateHz / 10 + sampleRateHz / 5)

test('the passband is flat within 0.1 dB up to 3.4 kHz of 8 kHz, and what is not the tone is 60 dB below', () => {
  for (const [from, to] of pairs) {
    const low = Math.min(from, to)
    for (let share = 0.025; share <= 0.425; share += 0.05) {
      const hz = Math.round((share * low) / 10) * 10
      const out = findSine(settled(resampled(sine(hz, 16_000, from, 0.4), from, to), to), hz, to)
      assert.ok(Math.abs(20 * Math.log10(out.peak / 16_000)) < 0.1, `${from} to ${to} at ${hz} Hz: ${out.peak}`)
      assert.ok(out.snrDb > 60, `${from} to ${to} at ${hz} Hz: ${out.snrDb}`)
    }
  }
})

test('what would fold into the passband is 60 dB down', () => {
  for (const [from, to] of pairs.filter(([a, b]) => a > b)) {
    for (let share = 0.575; share < Math.min(from / to / 2, 2); share += 0.05) {
      const out = settled(resampled(sine(share * to, 16_000, from, 0.4), from, to), to)
      const peak = out.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0)
      assert.ok(peak < 16, `${from} to ${to} at ${share * to} Hz: ${peak}`)
    }
  }
})

test('frames of any size come out as the whole does, and as many samples as the ratio says', () => {
  const sound = noise(3000, 44_100)
  const whole = resampled(sound, 44_100, 16_000)
  assert.equal(whole.length, 16_000)
  const resampler = new Resampler(44_100, 16_000, 900)
  const out = new Int16Array(17_000)
  let at = 0
  for (let from = 0; from < sound.length; from += 883)
    at += resampler.process(sound, from, Math.min(883, sound.length - from), out, at)
  assert.equal(differing(out.subarray(0, at), whole), 0)
})

test('speech sent up to 48 kHz and back is the same speech', () => {
  const back = resampled(resampled(speech16k, 16_000, 48_000), 48_000, 16_000)
  const delay = new Resampler(16_000, 48_000, 1).delaySamples + new Resampler(48_000, 16_000, 1).delaySamples / 3
  assert.equal(delay, 30)
  const snr = snrDb(speech16k, back.subarray(delay))
  assert.ok(snr > 30, `${snr} dB`)
})

test('full-scale sound is limited, not wrapped', () => {
  const square = Int16Array.from({ length: 8000 }, (_, i) => (i % 40 < 20 ? 32_767 : -32_768))
  const out = resampled(square, 8000, 16_000)
  for (let i = 100; i < out.length - 1; i++) assert.ok(Math.abs((out[i + 1] ?? 0) - (out[i] ?? 0)) < 45_000)
})

test('rates without a simple ratio, and more samples than agreed, are the caller’s mistake', () => {
  assert.throws(() => new Resampler(8000, 44_101, 160), RangeError)
  assert.throws(() => new Resampler(0, 8000, 160), RangeError)
  const resampler = new Resampler(8000, 16_000, 160)
  assert.throws(() => resampler.process(new Int16Array(161), 0, 161, new Int16Array(400), 0), RangeError)
})
