import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addSaturated, gainFactor } from './mix.ts'

test('one voice over another: what is too loud is limited, not wrapped', () => {
  const heard = Int16Array.of(30_000, -30_000, 100, 7)
  addSaturated(heard, 0, Int16Array.of(9, 30_000, -30_000, 1), 1, 3)
  assert.deepEqual([...heard], [32_767, -32_768, 101, 7])
})

test('6 dB more is twice as much, 0 dB changes nothing', () => {
  assert.equal(gainFactor(0), 1)
  assert.ok(Math.abs(gainFactor(6.0206) - 2) < 1e-5)
})
