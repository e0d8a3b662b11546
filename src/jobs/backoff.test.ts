import assert from 'node:assert/strict'
import { test } from 'node:test'
import { backoffMs } from './backoff.ts'

test('the wait doubles from 5 s to a quarter of an hour, and half of it is left to chance', () => {
  assert.deepEqual(
    [1, 2, 3, 8, 9, 1_000].map((attempts) => backoffMs(attempts, 1) / 1000),
    [5, 10, 20, 640, 900, 900],
  )
  assert.equal(backoffMs(3, 0) / 1000, 10)
})
