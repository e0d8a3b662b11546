import assert from 'node:assert/strict'
import { test } from 'node:test'
import { levelDbov, peak } from '../../../codec/level.ts'
import { differing } from '../../../codec/test-support.ts'
import { makeMelody } from './melody.ts'

test('the music is 19.2 s of moderate loudness that never clips, and joins on to itself', async () => {
  const melody = makeMelody(8000)
  assert.equal(melody.samples, 19.2 * 8000)
  const all = await melody.read(0, melody.samples)
  assert.ok(peak(all) < 16_000)
  assert.ok(levelDbov(all) > -30 && levelDbov(all) < -18, `${levelDbov(all)}`)
  for (let at = 0; at < all.length; at += 4000) assert.ok(levelDbov(all, at, 4000) > -45, `silent at ${at}`)
  const step = Math.abs((all[0] ?? 0) - (all.at(-1) ?? 0))
  assert.ok(step < 600, `${step}`)
})

test('read in seconds it is the same as read at once', async () => {
  const melody = makeMelody(16_000)
  const all = await melody.read(0, melody.samples)
  for (const second of [0, 1, 7, 19]) {
    const part = await melody.read(second * 16_000, 16_000)
    assert.equal(differing(part, all.subarray(second * 16_000, (second + 1) * 16_000)), 0)
  }
})
