import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newId, randomHex } from './random.ts'

test('random bytes never repeat, across many refills of the pool they are drawn from', () => {
  const seen = new Set(Array.from({ length: 5_000 }, () => randomHex(16)))
  assert.equal(seen.size, 5_000)
  const ids = new Set(Array.from({ length: 5_000 }, newId))
  assert.equal(ids.size, 5_000)
})

test('as many bytes come as were asked for, also when the pool has to be refilled for them', () => {
  for (const bytes of [1, 16, 8_000, 8_192, 3]) assert.match(randomHex(bytes), new RegExp(`^[0-9a-f]{${2 * bytes}}$`))
  assert.doesNotMatch(randomHex(8_192), /(?:00){16}/)
  assert.match(newId(), /^[\w-]{22}$/)
  assert.throws(() => randomHex(8_193), RangeError)
})
