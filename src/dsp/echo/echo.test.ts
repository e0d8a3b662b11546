import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { levelDbov } from '../../codec/level.ts'
import { noise, resampled, speech16k } from '../../codec/test-support.ts'
import { readWav } from '../../codec/wav.ts'
import type { VoiceRateHz } from '../stage.ts'
import { DelaySearch } from './delay-search.ts'
import { EchoCanceller } from './echo-canceller.ts'

/** The speech again and again for so many seconds. */
const long = (sound: Int16Array, samples: number): Int16Array =>
  Int16Array.from({ length: samples }, (_, i) => sound[i % sound.length] ?? 0)

/** A path with three reflections, 10 dB down. */
function echoOf(sound: Int16Array, rateHz: number, delayMs: number): Int16Array {
  const reflections = [
    { ms: 0, gain: 0.25 },
    { ms: 3.5, gain: -0.15 },
    { ms: 11, gain: 0.1 },
    { ms: 32, gain: -0.05 },
  ]
  return Int16Array.from(sound, (_, n) => {
    let sum = 0
    for (const { ms, gain } of reflections) sum += gain * (sound[n - Math.round(((delayMs + ms) * rateHz) / 1000)] ?? 0)
    return Math.round(sum)
  })
}

function cancelled(sent: Int16Array, near: Int16Array, rateHz: VoiceRateHz) {
  const frame = rateHz / 50
  let at = 0
  const canceller = new EchoCanceller(rateHz, { sent: () => sent.subarray(at, at + frame) })
  const output = near.slice()
  for (; at + frame <= output.length; at += frame) canceller.process(output.subarray(at, at + frame))
  return { output, canceller }
}

for (const [rateHz, delayMs] of [
  [8000, 35],
  [16_000, 210],
  [48_000, 450],
] as const) {
  test(`echo ${delayMs} ms late goes down by 20 dB at ${rateHz} Hz, and its delay is found`, () => {
    const sent = long(resampled(speech16k, 16_000, rateHz), rateHz * 10)
    const near = echoOf(sent, rateHz, delayMs)

    const { output, canceller } = cancelled(sent, near, rateHz)

    assert.ok(Math.abs((canceller.echoDelayMs ?? 0) - delayMs) < 5, `${canceller.echoDelayMs} ms`)
    const erle = levelDbov(near.subarray(rateHz * 5)) - levelDbov(output.subarray(rateHz * 5))
    assert.ok(erle > 20, `${erle.toFixed(1)} dB`)
  })
}

test('a voice over the echo stays as loud as it is, and the echo is still gone when it ends', () => {
  const rateHz = 8000
  const sent = long(resampled(speech16k, 16_000, rateHz), rateHz * 16)
  const echo = echoOf(sent, rateHz, 60)
  const other = resampled(speech16k, 16_000, rateHz).toReversed()
  const near = echo.slice()
  const [from, until] = [rateHz * 8, rateHz * 8 + other.length]
  for (let i = from; i < until; i++) near[i] = (near[i] ?? 0) + (other[i - from] ?? 0)

  const { output } = cancelled(sent, near, rateHz)

  const voice = levelDbov(output.subarray(from + 160, until + 160)) - levelDbov(other)
  assert.ok(Math.abs(voice) < 2, `voice changed by ${voice.toFixed(1)} dB`)
  const after = levelDbov(echo.subarray(rateHz * 12)) - levelDbov(output.subarray(rateHz * 12))
  assert.ok(after > 18, `${after.toFixed(1)} dB after it`)
})

test('who has no echo is heard unchanged, one frame later', () => {
  const sent = long(resampled(speech16k, 16_000, 8000).toReversed(), 8000 * 6)
  const near = long(resampled(speech16k, 16_000, 8000), 8000 * 6)
  const { output } = cancelled(sent, near, 8000)
  const change = levelDbov(output.subarray(8000)) - levelDbov(near.subarray(8000))
  assert.ok(Math.abs(change) < 1, `${change} dB`)
})

test('an echo that moves is found again', () => {
  const rateHz = 8000
  const sent = long(resampled(speech16k, 16_000, rateHz), rateHz * 16)
  const near = echoOf(sent, rateHz, 40)
  near.set(echoOf(sent, rateHz, 300).subarray(rateHz * 6), rateHz * 6)
  const { output, canceller } = cancelled(sent, near, rateHz)
  assert.ok(Math.abs((canceller.echoDelayMs ?? 0) - 300) < 5, `${canceller.echoDelayMs} ms`)
  const erle = levelDbov(near.subarray(rateHz * 12)) - levelDbov(output.subarray(rateHz * 12))
  assert.ok(erle > 15, `${erle.toFixed(1)} dB`)
})

test('no delay is told between sounds that have nothing to do with each other', () => {
  const search = new DelaySearch()
  const [a, b] = [noise(2000, 80_000), resampled(speech16k, 16_000, 8000)]
  for (let at = 0; at + 160 <= b.length; at += 160)
    search.process(a.subarray(at, at + 160), b.subarray(at, at + 160), 160)
  assert.equal(search.delaySamples, undefined)
})

const speaker = async (name: string): Promise<Int16Array> =>
  (await readWav(join(import.meta.dirname, '../../demo/speech', `${name}.wav`))).channel(0)

test('two people who speak of different things have no delay between them', async () => {
  const [a, b] = [await speaker('caller'), await speaker('customer')]
  const search = new DelaySearch()
  for (let at = 0; at < 8000 * 30; at += 160) {
    const [first, second] = [at % (a.length - 160), at % (b.length - 160)]
    search.process(a.subarray(first, first + 160), b.subarray(second, second + 160), 160)
    assert.equal(search.delaySamples, undefined, `after ${at / 8000} s`)
  }
})
