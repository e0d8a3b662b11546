import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Tally } from './tally.ts'

test('each key is counted for itself, and what was never there stays at none', () => {
  const tally = new Tally()
  tally.add('a', 'b')
  tally.add('a')
  assert.deepEqual(
    ['a', 'b', 'c'].map((key) => tally.of(key)),
    [2, 1, 0],
  )

  tally.remove('a', 'c')
  tally.remove('b')
  assert.deepEqual(
    ['a', 'b', 'c'].map((key) => tally.of(key)),
    [1, 0, 0],
  )
})

test('what was taken is given back once', () => {
  const tally = new Tally()
  tally.add('a')
  const giveBack = tally.take('a')
  assert.equal(tally.of('a'), 2)
  giveBack()
  giveBack()
  assert.equal(tally.of('a'), 1)
})
