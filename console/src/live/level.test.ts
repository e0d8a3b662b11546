import assert from 'node:assert/strict'
import { test } from 'node:test'
import { levelShare } from './level.ts'

test('a meter is empty for silence and what is not known, full for the loudest, half way between', () => {
  assert.deepEqual([undefined, -90, -60, -30, 0, 3].map(levelShare), [0, 0, 0, 0.5, 1, 1])
})
