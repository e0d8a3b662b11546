import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Concealer } from './conceal.ts'
import { levelDbov, peak } from './level.ts'
import { differing, findSine, noise, resampled, sine, snrDb, speech16k } from './test-support.ts'

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
    const { peak: level, snrDb: snr } = findSine(out, 200, rate)
    assert.ok(Math.abs(20 * Math.log10(level / 8000)) < 0.3, `${rate}: ${level}`)
    assert.ok(snr > 15, `${rate}: ${snr} dB`)
  }
})

/** What a receiver without concealment plays: the last frame once more. */
function repeating(sound: Int16Array, sampleRateHz: number, ms: number, each: number, first: number): Int16Array {
  const frame = (sampleRateHz * ms) / 1000
  const out = Int16Array.from(sound)
  for (let at = frame; at + frame <= out.length; at += frame)
    if ((at / frame) % each === first) out.copyWithin(at, at - frame, at)
  return out
}

test('speech with a tenth lost in 20 ms is nearer to the truth than silence or repeats, as loud, and has no clicks', () => {
  const speech = resampled(speech16k, 16_000, 8000)
  let silentGainDb = 0
  let repeatGainDb = 0
  let concealedEnergy = 0
  let trueEnergy = 0
  for (let first = 0; first < 10; first++) {
    const out = lossy(speech, 8000, 20, 10, first)
    silentGainDb += (snrDb(speech, out) - snrDb(speech, lossy(speech, 8000, 20, 10, first, true))) / 10
    repeatGainDb += (snrDb(speech, out) - snrDb(speech, repeating(speech, 8000, 20, 10, first))) / 10
    assert.ok(steepest(out) < 1.3 * steepest(speech), `${steepest(out)}, ${steepest(speech)}`)
    for (let i = 0; i < out.length; i++) {
      if (Math.floor(i / 160) % 10 !== first) continue
      concealedEnergy += (out[i] ?? 0) ** 2
      trueEnergy += (speech[i] ?? 0) ** 2
    }
  }
  const louderDb = 10 * Math.log10(concealedEnergy / trueEnergy)
  assert.ok(silentGainDb > 0.7 && repeatGainDb > 3, `${silentGainDb} dB, ${repeatGainDb} dB`)
  assert.ok(Math.abs(louderDb) < 1.5, `${louderDb} dB`)
})

test('noise stays noise: what stands for it has no pitch, and is about as loud', () => {
  const sound = noise(3000, 16_000)
  const out = lossy(sound, 8000, 20, 5, 4)
  for (let at = 160 * 4; at + 160 <= out.length; at += 800) {
    const gap = out.subarray(at, at + 160)
    for (let lag = 20; lag < 80; lag++) {
      let product = 0
      let energy = 0
      for (let i = lag; i < 160; i++) {
        product += (gap[i] ?? 0) * (gap[i - lag] ?? 0)
        energy += (gap[i] ?? 0) ** 2
      }
      assert.ok(product / energy < 0.6, `${at}, ${lag}: ${product / energy}`)
    }
    const db = levelDbov(gap) - levelDbov(sound)
    assert.ok(db > -4 && db < 1, `${db} dB`)
  }
})

test('after 100 ms of loss there is silence; sound that comes back rises within 10 ms', () => {
  const tone = sine(200, 8000, 8000, 1)
  const concealer = new Concealer(8000)
  const out = Int16Array.from(tone)
  concealer.received(out, 0, 1600)
  for (let at = 1600; at < 2720; at += 160) concealer.conceal(out, at, 160)
  concealer.received(out, 2720, 160)
  assert.ok(peak(out, 1600, 80) > 7500)
  assert.ok(peak(out, 2080, 40) > 2000 && peak(out, 2400, 320) === 0)
  assert.ok(Math.abs(out[2720] ?? 0) < 200)
  assert.equal(differing(out.subarray(2800, 2880), tone.subarray(2800, 2880)), 0)
})

test('what never began is silent, and nothing lost changes nothing', () => {
  const concealer = new Concealer(8000)
  const out = new Int16Array(320).fill(7)
  concealer.conceal(out, 0, 160)
  assert.deepEqual(out.subarray(0, 160), new Int16Array(160))
  assert.equal(differing(lossy(speech16k, 16_000, 20, 2, -1), speech16k), 0)
})
