import assert from 'node:assert/strict'
import { test } from 'node:test'
import { correlate, fft, findRun, proveChannel } from './compare.ts'

/** Noise that is the same on every run. */
function noise(length: number, seed: number): Int16Array {
  let state = seed
  return Int16Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return (state >>> 16) - 32_768
  })
}

function concat(...parts: Int16Array[]): Int16Array {
  const whole = new Int16Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

const silence = (length: number) => new Int16Array(length)

test('the transform of a cosine has two lines', () => {
  const re = Float64Array.from({ length: 16 }, (_, n) => Math.cos((2 * Math.PI * 3 * n) / 16))
  const im = new Float64Array(16)

  fft(re, im)

  const lines = Array.from(re, (value) => Math.round(value * 1e9) / 1e9 + 0)
  assert.deepEqual(lines, [0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0])
})

test('a delayed and quieter copy correlates fully, at its delay', () => {
  const said = noise(3_000, 1)
  const heard = concat(
    silence(500),
    said.map((sample) => Math.round(sample / 4)),
    silence(700),
  )

  const { score, lagSamples, overlapSamples } = correlate(said, heard)

  assert.ok(score > 0.9999, `${score}`)
  assert.equal(lagSamples, 500)
  assert.equal(overlapSamples, 3_000)
})

test('a copy that lost its beginning is found at a negative lag', () => {
  const said = noise(3_000, 2)

  const { score, lagSamples } = correlate(said, said.subarray(400))

  assert.ok(score > 0.9999)
  assert.equal(lagSamples, -400)
})

test('the score is the one the definition gives, lag by lag', () => {
  const said = noise(40, 3)
  const heard = concat(
    noise(7, 4),
    said.map((sample, i) => (i % 3 ? sample : 0)),
    noise(5, 5),
  )
  let best = 0
  for (let lag = -20; lag <= heard.length - 20; lag++) {
    let product = 0
    let ofSaid = 0
    let ofHeard = 0
    for (let i = 0; i < said.length; i++) {
      const other = heard[i + lag]
      const own = said[i]
      if (own === undefined || other === undefined) continue
      product += own * other
      ofSaid += own * own
      ofHeard += other * other
    }
    if (ofSaid * ofHeard > 0) best = Math.max(best, product / Math.sqrt(ofSaid * ofHeard))
  }

  assert.ok(Math.abs(correlate(said, heard).score - best) < 1e-9)
})

test('other speech, silence and nothing do not correlate', () => {
  assert.ok(correlate(noise(8_000, 6), noise(8_000, 7)).score < 0.1)
  assert.equal(correlate(noise(100, 8), silence(100)).score, 0)
  assert.equal(correlate(noise(100, 8), silence(0)).score, 0)
})

test('a run of samples is found where it stands, and not at half a sample', () => {
  const samples = Int16Array.from([0, 0x0102, 0x0304, 7])
  assert.equal(findRun(Int16Array.from([0x0304, 7]), samples), 2)
  // In memory the bytes 01 04 stand across the second and the third sample.
  assert.equal(findRun(Int16Array.from([0x0401]), samples), undefined)
  assert.equal(findRun(Int16Array.from([0x0304, 8]), samples), undefined)
  assert.equal(findRun(new Int16Array(0), samples), undefined)
})

test('a channel is exact when it holds what was sent and silence, and not when one sample differs', () => {
  const sent = noise(2_000, 9)
  const channel = concat(silence(33), sent, silence(12))

  assert.equal(proveChannel(sent, channel).exact, true)
  assert.equal(proveChannel(sent, channel).offsetSamples, 33)

  channel[1_000] = (channel[1_000] ?? 0) ^ 1
  assert.equal(proveChannel(sent, channel).exact, false)
  assert.ok(proveChannel(sent, channel).correlation.score > 0.9999)
})

test('a channel with noise beside what was sent is not exact', () => {
  const sent = noise(2_000, 10)
  assert.equal(proveChannel(sent, concat(sent, Int16Array.of(1))).exact, false)
  assert.equal(proveChannel(sent, concat(Int16Array.of(1), sent)).exact, false)
})
