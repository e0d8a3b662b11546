import assert from 'node:assert/strict'
import { test } from 'node:test'
import { levelDbov } from './level.ts'
import { findSine } from './test-support.ts'
import { type Tone, ToneSource, tonePeak } from './tone.ts'
import { dtmfTone, progressTones } from './tones.ts'

function made(tone: Tone, sampleRateHz: number, seconds: number): Int16Array {
  const source = new ToneSource(tone, sampleRateHz)
  const samples = new Int16Array(sampleRateHz * seconds)
  for (let at = 0; at < samples.length; at += 160) source.make(samples, at, Math.min(160, samples.length - at))
  return samples
}

test('a digit is its two tones, the high one 2 dB louder, at any rate (ITU-T Q.23)', () => {
  for (const rate of [8000, 16_000, 48_000]) {
    const tone = dtmfTone('5')
    assert.ok(tone)
    const samples = made(tone, rate, 1).subarray(rate / 10, rate / 10 + rate / 2)
    const low = findSine(samples, 770, rate).peak
    const high = findSine(samples, 1336, rate).peak
    assert.ok(Math.abs(20 * Math.log10(low / tonePeak(-9))) < 0.1)
    assert.ok(Math.abs(20 * Math.log10(high / low) - 2) < 0.1)
  }
})

test('what is no digit has no tone', () => {
  assert.equal(dtmfTone('E'), undefined)
  assert.equal(dtmfTone(''), undefined)
  assert.equal(dtmfTone('12'), undefined)
  assert.deepEqual(dtmfTone('d'), dtmfTone('D'))
})

test('a sine of 0 dBm0 is 3.14 dB and a little below full scale (ITU-T G.711 table 5)', () => {
  const level = levelDbov(made({ parts: [{ frequencyHz: 1000, levelDbm0: 0 }] }, 8000, 1))
  assert.ok(Math.abs(level - -6.35) < 0.1, `${level}`)
})

test('the cadence is kept over frames and rounds, and edges do not click', () => {
  const samples = made(progressTones.gb.ringback, 8000, 6)
  const on = (fromMs: number, toMs: number): boolean => levelDbov(samples, fromMs * 8, (toMs - fromMs) * 8) > -30
  for (const round of [0, 3000]) {
    assert.ok(on(round + 0, round + 400) && on(round + 600, round + 1000))
    assert.ok(!on(round + 400, round + 600) && !on(round + 1000, round + 3000))
  }
  assert.ok(Math.abs(samples[400 * 8 - 1] ?? 0) < 700)
  assert.ok(Math.abs(samples[600 * 8] ?? 0) < 700)
})
