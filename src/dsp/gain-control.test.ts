import assert from 'node:assert/strict'
import { test } from 'node:test'
import { levelDbov, peak } from '../codec/level.ts'
import { noise, resampled, sine, speech16k } from '../codec/test-support.ts'
import { GainControl, type GainControlOptions } from './gain-control.ts'
import { Limiter } from './limiter.ts'
import type { VoiceRateHz } from './stage.ts'

const louder = (sound: Int16Array, gainDb: number): Int16Array =>
  sound.map((sample) => Math.max(-32_768, Math.min(32_767, sample * 10 ** (gainDb / 20))))

/** The speech again and again for so many seconds. */
const long = (sound: Int16Array, samples: number): Int16Array =>
  Int16Array.from({ length: samples }, (_, i) => sound[i % sound.length] ?? 0)

function controlled(sound: Int16Array, rateHz: VoiceRateHz, options?: GainControlOptions) {
  const control = new GainControl(rateHz, options)
  const output = sound.slice()
  const frame = rateHz / 50
  for (let at = 0; at + frame <= output.length; at += frame) control.process(output.subarray(at, at + frame))
  return { output, control }
}

/** Level of the loud parts, as a listener takes it: of frames within 15 dB of the loudest second. */
function voiceLevel(sound: Int16Array, rateHz: number): number {
  const frame = rateHz / 50
  const levels: number[] = []
  for (let at = 0; at + frame <= sound.length; at += frame) levels.push(levelDbov(sound, at, frame))
  const loud = levels.filter((level) => level > Math.max(...levels) - 18)
  return 10 * Math.log10(loud.reduce((sum, level) => sum + 10 ** (level / 10), 0) / loud.length)
}

for (const rateHz of [8000, 16_000, 48_000] as const) {
  test(`a quiet voice and a loud one come to the target within 3 dB, where noise allows it, at ${rateHz} Hz`, () => {
    const voice = long(resampled(speech16k, 16_000, rateHz), rateHz * 16)
    for (const level of [-30, -20, -12]) {
      const given = louder(voice, level - voiceLevel(voice, rateHz))
      const { output } = controlled(given, rateHz, { targetDbov: -20 })
      const after = voiceLevel(output.subarray(rateHz * 8), rateHz)
      assert.ok(Math.abs(after + 20) < 3, `from ${level} to ${after.toFixed(1)} dBov`)
    }
  })
}

test('noise alone is not lifted, nor is the noise in the pauses above -45 dBov', () => {
  const quietNoise = noise(30, 16_000 * 10)
  const { output } = controlled(quietNoise, 16_000)
  assert.ok(levelDbov(output) < levelDbov(quietNoise) + 1)

  const voice = louder(long(speech16k, 16_000 * 10), -20)
  const withNoise = voice.map((sample, i) => sample + (quietNoise[i] ?? 0))
  const { control } = controlled(withNoise, 16_000)
  assert.ok(levelDbov(quietNoise) + control.gainDb < -44, `${control.gainDb} dB`)
})

test('a voice that suddenly shouts does not clip', () => {
  const quiet = louder(long(speech16k, 16_000 * 6), -20)
  const shout = louder(speech16k, 20 * Math.log10(30_000 / peak(speech16k)))
  const both = new Int16Array(quiet.length + shout.length)
  both.set(quiet)
  both.set(shout, quiet.length)
  const { output } = controlled(both, 16_000)
  assert.ok(peak(output) <= 32_767 * 10 ** (-1 / 20) + 1, `${peak(output)}`)
})

test('the limiter passes what fits unchanged, 2.5 ms later, and bends what does not without a step', () => {
  const limiter = new Limiter(16_000)
  const soft = sine(440, 10_000, 16_000, 0.1)
  const output = new Int16Array(soft.length)
  limiter.process(Float32Array.from(soft), output)
  assert.deepEqual(Array.from(output.subarray(40, 400)), Array.from(soft.subarray(0, 360)))

  const loud = Float32Array.from(sine(440, 30_000, 16_000, 0.2), (sample) => sample * 3)
  const limited = new Int16Array(loud.length)
  new Limiter(16_000).process(loud, limited)
  assert.ok(peak(limited) <= 32_767 * 10 ** (-1 / 20) + 1)
  // A cut wave has its top flat: many samples at the very peak
  const top = limited.filter((sample) => Math.abs(sample) >= peak(limited) - 1).length
  assert.ok(top < 100, `${top} samples at the top`)
})

test('the limiter goes down in a straight line before what is too loud comes, and up again by 40 dB a second', () => {
  const delay = 40
  const input = new Float32Array(16_000).fill(10_000).fill(60_000, 4000, 4400)
  const output = new Int16Array(input.length)
  new Limiter(16_000).process(input, output)
  const gains = Array.from({ length: input.length - delay }, (_, i) => (output[i + delay] ?? 0) / (input[i] ?? 1))
  const steps = gains.map((gain, i) => gain - (gains[i - 1] ?? 1))
  assert.ok(Math.min(...steps) > -0.02, `down by ${Math.min(...steps)} in a sample`)
  assert.ok(Math.max(...gains.slice(4000, 4400)) * 60_000 < 29_300, 'all of it fits')
  const [after, later] = [gains[4500] ?? 0, gains[4500 + 1600] ?? 0]
  assert.ok(Math.abs(20 * Math.log10(later / after) - 4) < 0.5, `${20 * Math.log10(later / after)} dB up in 0.1 s`)
})
