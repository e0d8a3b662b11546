import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ComfortNoise, describeNoise } from './comfort-noise.ts'
import { levelDbov } from './level.ts'
import { noise } from './test-support.ts'

const seconds = (source: ComfortNoise, count: number): Int16Array => {
  const samples = new Int16Array(count)
  for (let at = 0; at < count; at += 160) source.make(samples, at, 160)
  return samples
}

/** How alike neighbours are, -1 to 1: of low-pitched noise nearly 1, of white 0. */
const likeness = (sound: Int16Array): number => {
  let product = 0
  let energy = 0
  sound.forEach((sample, i) => {
    product += sample * (sound[i - 1] ?? 0)
    energy += sample * sample
  })
  return product / energy
}

test('a payload of one byte is noise of that level (RFC 3389 §3.1)', () => {
  const source = new ComfortNoise(1)
  assert.ok(source.describe(Uint8Array.of(45), 0, 1))
  const made = seconds(source, 16_000).subarray(3200)
  assert.ok(Math.abs(levelDbov(made) - -45) < 0.5)
  assert.ok(Math.abs(likeness(made)) < 0.05)
})

test('described and made again, noise has its level and its colour, low or high', () => {
  for (const colour of [0.9, -0.8]) {
    const white = noise(300, 8000)
    const coloured = new Int16Array(8000)
    for (let i = 1; i < 8000; i++) coloured[i] = (white[i] ?? 0) + colour * (coloured[i - 1] ?? 0)
    const payload = new Uint8Array(11)
    assert.equal(describeNoise(coloured, 0, 8000, 10, payload, 0), 11)
    assert.equal((payload[1] ?? 0) < 127, colour > 0)
    const source = new ComfortNoise(7)
    source.describe(payload, 0, 11)
    const made = seconds(source, 32_000).subarray(3200)
    assert.ok(Math.abs(levelDbov(made) - levelDbov(coloured)) < 1.5, `${levelDbov(made)}, ${levelDbov(coloured)}`)
    assert.ok(Math.abs(likeness(made) - colour) < 0.1, `${likeness(made)}`)
  }
})

test('any bytes make noise that stays in bounds; silence stays silent; no bytes are refused', () => {
  const source = new ComfortNoise(0)
  assert.equal(source.describe(new Uint8Array(0), 0, 0), false)
  assert.equal(source.describe(new Uint8Array(3), 1, 3), false)
  assert.ok(seconds(source, 320).every((sample) => sample === 0))
  for (const byte of [0, 255, 1, 128]) {
    source.describe(
      Uint8Array.from({ length: 40 }, (_, i) => (i === 0 ? 20 : byte)),
      0,
      40,
    )
    assert.ok(levelDbov(seconds(source, 16_000)) < -1)
  }
  source.describe(Uint8Array.of(127), 0, 1)
  assert.ok(
    seconds(source, 16_000)
      .subarray(8000)
      .every((sample) => sample === 0),
  )
})
