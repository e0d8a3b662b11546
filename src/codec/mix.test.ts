import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addInto, addSaturated, gainFactor, limited, minusOwn } from './mix.ts'
import { findSine, sine } from './test-support.ts'

test('of twenty tones each member hears the nineteen others and not its own', () => {
  const tones = Array.from({ length: 20 }, (_, i) => sine(300 + 100 * i, 1000, 8000, 1))
  const sum = new Int32Array(8000)
  for (const tone of tones) addInto(sum, tone, 0, 8000)
  const heard = new Int16Array(8000)
  tones.forEach((own, me) => {
    minusOwn(sum, own, 0, 8000, heard, 0)
    tones.forEach((_, other) => {
      const { peak } = findSine(heard, 300 + 100 * other, 8000)
      assert.ok(Math.abs(peak - (other === me ? 0 : 1000)) < 5, `${me} hears ${other} at ${peak}`)
    })
  })
})

test('what is too loud is limited, not wrapped; in the sum nothing is lost', () => {
  const loud = Int16Array.of(30_000, -30_000)
  const sum = new Int32Array(2)
  for (let i = 0; i < 3; i++) addInto(sum, loud, 0, 2)
  const out = new Int16Array(2)
  limited(sum, 2, out, 0)
  assert.deepEqual([...out], [32_767, -32_768])
  minusOwn(sum, Int16Array.of(32_767, -32_768), 0, 2, out, 0)
  assert.deepEqual([...out], [32_767, -32_768])
  addSaturated(out, 0, loud, 0, 2)
  assert.deepEqual([...out], [32_767, -32_768])
})

test('a gain given to both sides takes one’s own voice out exactly', () => {
  const own = Int16Array.of(1001, -777, 3)
  const other = Int16Array.of(10, 20, 30)
  const gain = gainFactor(-6)
  const sum = new Int32Array(3)
  addInto(sum, own, 0, 3, gain)
  addInto(sum, other, 0, 3)
  const out = new Int16Array(3)
  minusOwn(sum, own, 0, 3, out, 0, gain)
  assert.deepEqual(out, other)
})

test('6 dB more is twice as much, 0 dB changes nothing', () => {
  assert.equal(gainFactor(0), 1)
  assert.ok(Math.abs(gainFactor(6.0206) - 2) < 1e-5)
})
