import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeG711 } from '../../../codec/g711.ts'
import { loadSpeech } from '../../../demo/speech.ts'
import { EchoMeter } from './echo-meter.ts'

const [ours, theirs] = await Promise.all([loadSpeech('caller'), loadSpeech('callee')])
const seconds = 30
const packetSamples = 160

/** Speech over and over. */
const endless = (speech: Int16Array, at: number): number => speech[at % speech.length] ?? 0

/** @param heard The sample that comes at a time when we sent `ours` up to it. */
function measure(heard: (at: number) => number, sent: (at: number) => number = (at) => endless(ours, at)): EchoMeter {
  const meter = new EchoMeter(1000)
  for (let at = 0; at < seconds * 8000; at += packetSamples) {
    const nowMs = 1000 + at / 8
    if (at % (5 * packetSamples) === 0) meter.tick(nowMs)
    const packet = (sample: (at: number) => number): Uint8Array =>
      encodeG711(
        'PCMA',
        Int16Array.from({ length: packetSamples }, (_, i) => sample(at + i)),
      )
    if (!meter.measuring) continue
    meter.sent('PCMA', packet(sent), 0, packetSamples, nowMs)
    meter.heard('PCMA', packet(heard), 0, packetSamples, nowMs + 3)
  }
  return meter
}

const echoOf = (at: number, delayMs: number, lossDb: number): number =>
  at < delayMs * 8 ? 0 : endless(ours, at - delayMs * 8) * 10 ** (-lossDb / 20)

let seed = 5
function noise(dbov: number): number {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
  return (seed / 2 ** 31 - 1) * Math.sqrt(3) * 32_768 * 10 ** (dbov / 20)
}

/** Three seconds ours, three theirs. */
const turn = (at: number): boolean => at % 48_000 < 24_000

/** A second in five. */
const tone = (at: number): number => (at % 40_000 < 8000 ? 8000 * Math.sin(at / 3) : 0)

test('an echo is found with its delay and how much quieter it is', () => {
  for (const [delayMs, lossDb] of [
    [60, 6],
    [200, 12],
    [480, 20],
  ] as const) {
    const { echo } = measure((at) => echoOf(at, delayMs, lossDb))
    assert.ok(echo, `${delayMs} ms, ${lossDb} dB`)
    assert.ok(Math.abs(echo.delayMs - delayMs) <= 20, `${echo.delayMs} ms instead of ${delayMs}`)
    assert.ok(Math.abs(echo.lossDb - lossDb) < 3, `${echo.lossDb} dB instead of ${lossDb}`)
  }
})

test('an echo under the noise of a room is found as well', () => {
  const { echo } = measure((at) => echoOf(at, 160, 12) + noise(-55))
  assert.ok(echo && Math.abs(echo.delayMs - 160) <= 20)
})

test('another voice, silence, noise and a tone are no echo', () => {
  assert.equal(measure((at) => endless(theirs, at)).echo, undefined)
  assert.equal(measure(() => 0).echo, undefined)
  assert.equal(measure(() => noise(-40)).echo, undefined)
  assert.equal(measure((at) => 8000 * Math.sin(at / 3)).echo, undefined)
  assert.equal(measure((at) => endless(theirs, at), tone).echo, undefined)
})

test('people who take turns have no echo, nor has one who is loud while we are', () => {
  const polite = measure(
    (at) => (turn(at) ? 0 : endless(theirs, at)),
    (at) => (turn(at) ? endless(ours, at) : 0),
  )
  assert.equal(polite.echo, undefined)
  const together = measure(
    (at) => (turn(at) ? endless(theirs, at) : 0),
    (at) => (turn(at) ? endless(ours, at) : 0),
  )
  assert.equal(together.echo, undefined)
})

test('a port that hears or sends nothing finds nothing', () => {
  const meter = new EchoMeter(0)
  for (let nowMs = 0; nowMs < 20_000; nowMs += 50) meter.tick(nowMs)
  assert.equal(meter.echo, undefined)
})
