import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findSine, noise, resampled, sine, speech16k } from './test-support.ts'
import { insertPeriod, longestPeriodMs, removePeriod } from './time-scale.ts'

/** A sound with a period taken out or put in at every 60 ms where there is a good place. */
function scaled(
  sound: Int16Array,
  sampleRateHz: number,
  scale: typeof removePeriod,
  alike?: number,
): { out: Int16Array; cuts: number } {
  const out = new Int16Array(sound.length * 2)
  out.set(sound)
  let end = sound.length
  let cuts = 0
  const each = (60 * sampleRateHz) / 1000
  for (let at = each; at + each < end; at += each) {
    const changed = scale(out, at, end, sampleRateHz, alike)
    if (changed > 0) cuts++
    end += scale === removePeriod ? -changed : changed
  }
  return { out: out.subarray(0, end), cuts }
}

const steepest = (sound: Int16Array): number =>
  sound.reduce((most, sample, i) => Math.max(most, Math.abs(sample - (sound[i - 1] ?? 0))), 0)

test('a tone that is made shorter or longer keeps its pitch, its level and its phase', () => {
  for (const rate of [8000, 16_000, 48_000]) {
    for (const scale of [removePeriod, insertPeriod]) {
      const tone = sine(250, 8000, rate, 1)
      const { out, cuts } = scaled(tone, rate, scale)
      assert.ok(cuts >= 12, `${cuts}`)
      const changed = Math.abs(out.length - tone.length) / rate
      assert.ok(changed > cuts * 0.0025 && changed < cuts * 0.0151, `${changed} s`)
      const { peak, snrDb } = findSine(out.subarray(0, rate / 2), 250, rate)
      assert.ok(Math.abs(peak - 8000) < 40 && snrDb > 40, `${rate}: ${peak}, ${snrDb} dB`)
    }
  }
})

test('speech is cut where it is voiced or silent, without a click; noise only when it must be', () => {
  const speech = resampled(speech16k, 16_000, 8000)
  for (const scale of [removePeriod, insertPeriod]) {
    const { out, cuts } = scaled(speech, 8000, scale)
    assert.ok(cuts > 8 && cuts < 38, `${cuts}`)
    assert.ok(steepest(out) < 1.05 * steepest(speech), `${steepest(out)}, ${steepest(speech)}`)
    assert.equal(scaled(noise(3000, 8000), 8000, scale).cuts, 0)
    assert.ok(scaled(noise(3000, 8000), 8000, scale, 0.2).cuts >= 12)
    assert.ok(scaled(noise(20, 8000), 8000, scale).cuts >= 12)
  }
})

test('nothing is done where too little sound is there', () => {
  const samples = 2 * longestPeriodMs * 8
  assert.equal(removePeriod(new Int16Array(samples), 0, samples - 1, 8000), 0)
  assert.equal(insertPeriod(new Int16Array(samples), 120, 239, 8000), 0)
  assert.equal(insertPeriod(new Int16Array(samples), 119, 120 + 119, 8000), 0)
})
