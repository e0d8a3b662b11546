import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recordToOf } from './record-to.ts'

test('a call goes to the lists of both sides, each once; who says nothing asks for the usual ones', () => {
  assert.deepEqual(recordToOf([['a|b'], ['c', 'a|b']], ['usual']), ['a|b', 'c'])
  assert.deepEqual(recordToOf([undefined, ['a']], ['usual']), ['usual', 'a'])
  assert.deepEqual(recordToOf([[], []], ['usual']), [])
})
