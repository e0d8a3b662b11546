import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FractionalResampler, samplesAfter, samplesBefore } from './fractional-resampler.ts'
import { differing, noise, sine, snrDb } from './test-support.ts'

/** All of a sound, in frames of 20 ms. */
function stretched(sound: Int16Array, sampleRateHz: number, step: number): Int16Array {
  const padded = new Int16Array(samplesBefore + sound.length + samplesAfter)
  padded.set(sound, samplesBefore)
  const frame = sampleRateHz / 50
  const out = new Int16Array(Math.floor(sound.length / step / frame - 1) * frame)
  const resampler = new FractionalResampler()
  let from = samplesBefore
  for (let to = 0; to < out.length; to += frame) from += resampler.process(padded, from, step, out, to, frame)
  return out
}

test('up to 3.4 of 8 kHz a tone is what it would be had it been sampled at those places, to 75 dB', () => {
  for (const ppm of [-1000, -300, 50, 300, 1000]) {
    for (const hz of [200, 1000, 2000, 3000, 3400]) {
      const step = 1 + ppm / 1e6
      const out = stretched(sine(hz, 16_000, 8000, 3), 8000, step).subarray(400)
      const exact = sine(hz * step, 16_000, 8000, 3).subarray(400, 400 + out.length)
      assert.ok(snrDb(exact, out) > 75, `${ppm} ppm, ${hz} Hz: ${snrDb(exact, out)} dB`)
    }
  }
})

test('as many samples are used up as the step says, over ten minutes', () => {
  const resampler = new FractionalResampler()
  const input = new Int16Array(400)
  const output = new Int16Array(160)
  let used = 0
  for (let tick = 0; tick < 30_000; tick++) used += resampler.process(input, 100, 1 - 300e-6, output, 0, 160)
  assert.ok(Math.abs(used - 30_000 * 160 * (1 - 300e-6)) <= 1, `${used}`)
})

test('a step of 1 changes no sample', () => {
  const sound = noise(8000, 8000)
  const out = stretched(sound, 8000, 1)
  assert.equal(differing(out, sound.subarray(0, out.length)), 0)
})
