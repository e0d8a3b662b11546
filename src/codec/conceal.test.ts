import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Concealer } from './conceal.ts'
import { differing, findSine, resampled, sine, snrDb, speech16k } from './test-support.ts'

/** Sound of which one in `each` stretches of `ms` is lost, from the `first` on; concealed or left silent. */
function lossy(
  sound: Int16Array,
  sampleRateHz: number,
  ms: number,
  each: number,
  first: number,
  silent = false,
): Int16Array {
  const frame = (sampleRateHz * ms) / 1000
  const out = Int16Array.from(sound)
  const concealer = new Concealer(sampleRateHz)
  for (let at = 0; at + frame <= out.length; at += frame) {
    const lost = (at / frame) % each === first
    if (silent) out.fill(0, at, lost ? at + frame : at)
    else if (lost) concealer.conceal(out, at, frame)
    else concealer.received(out, at, frame)
  }
  return out
}

/** The largest step from a sample to the next. */
const steepest = (sound: Int16Array): number =>
  sound.reduce((most, sample, i) => Math.max(most, Math.abs(sample - (sound[i - 1] ?? 0))), 0)

test('a steady tone goes on through a lost frame at its pitch and level, at each rate', () => {
  for (const rate of [8000, 16_000, 48_000]) {
    const tone = sine(200, 8000, rate, 1)
    const out = lossy(tone, rate, 20, 5, 4)
    const { peak, snrDb: snr } = findSine(out, 200, rate)
    assert.ok(Math.abs(20 * Math.log10(peak / 8000)) < 0.3, `${rate}: ${peak}`)
    assert.ok(snr > 15, `${rate}: ${snr} dB`)
  }
})

test('speech with a tenth lost is nearer to the truth than with silence, nearly as loud in the gaps, and has no clicks', () => {
  const speech = resampled(speech16k, 16_000, 8000)
  let gainDb = 0
  let concealedEnergy = 0
  let trueEnergy = 0
  for (let first = 0; first < 10; first++) {
    const out = lossy(speech, 8000, 10, 10, first)
    gainDb += (snrDb(speech, out) - snrDb(speech, lossy(speech, 8000, 10, 10, first, true))) / 10
    assert.ok(steepest(out) < 1.3 * steepest(speech), `${steepest(out)}, ${steepest(speech)}`)
    for (let i = 0; i < out.length; i++) {
      if (Math.floor(i / 80) % 10 !== first) continue
      concealedEnergy += (out[i] ?? 0) ** 2
      trueEnergy += (speech[i] ?? 0) ** 2
    }
  }
  assert.ok(gainDb > 0.5, `${gainDb} dB`)
  assert.ok(Math.abs(10 * Math.log10(concealedEnergy / trueEnergy)) < 1.5, `${concealedEnergy / trueEnergy}`)
})

test('after 60 ms of loss there is silence; sound that comes back rises within 10 ms', () => {
  const tone = sine(200, 8000, 8000, 1)
  const concealer = new Concealer(8000)
  const out = Int16Array.from(tone)
  concealer.received(out, 0, 1600)
  for (let at = 1600; at < 2400; at += 160) concealer.conceal(out, at, 160)
  concealer.received(out, 2400, 160)
  assert.ok(out.subarray(1600, 1680).some((sample) => Math.abs(sample) > 7900))
  assert.ok(out.subarray(2080, 2400).every((sample) => sample === 0))
  assert.ok(Math.abs(out[2400] ?? 0) < 200)
  assert.deepEqual(out.subarray(2480, 2560), tone.subarray(2480, 2560))
})

test('what never began is silent, and nothing lost changes nothing', () => {
  const concealer = new Concealer(8000)
  const out = new Int16Array(320).fill(7)
  concealer.conceal(out, 0, 160)
  assert.deepEqual(out.subarray(0, 160), new Int16Array(160))
  assert.equal(differing(lossy(speech16k, 16_000, 20, 2, -1), speech16k), 0)
})
