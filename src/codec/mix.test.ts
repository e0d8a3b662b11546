import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addSaturated, gainFactor } from './mix.ts'

test('one sound over another is their sum, and what is too loud is limited, not wrapped', () => {
  const out = Int16Array.of(9, 1000, 30_000, -30_000)
  addSaturated(out, 1, Int16Array.of(7, -400, 30_000, -30_000), 1, 3)
  assert.deepEqual([...out], [9, 600, 32_767, -32_768])
})

test('6 dB more is twice as much, 0 dB changes nothing', () => {
  assert.equal(gainFactor(0), 1)
  assert.ok(Math.abs(gainFactor(6.0206) - 2) < 1e-5)
})
