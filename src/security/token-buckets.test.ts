import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../core/fake-clock.ts'
import { TokenBuckets } from './token-buckets.ts'

const taken = (buckets: TokenBuckets, times: number): number =>
  Array.from({ length: times }, () => buckets.take('a')).filter(Boolean).length

test('a full bucket serves its burst, then what flows in', () => {
  const clock = new FakeClock()
  const buckets = new TokenBuckets(clock, { burst: 10, perSecond: 2 })
  assert.equal(taken(buckets, 50), 10)
  clock.advance(3_000)
  assert.equal(taken(buckets, 50), 6)
  clock.advance(3_600_000)
  assert.equal(taken(buckets, 50), 10)
})

test('a request for more than there is takes nothing', () => {
  const buckets = new TokenBuckets(new FakeClock(), { burst: 3, perSecond: 1 })
  assert.equal(buckets.take('a', 4), false)
  assert.equal(buckets.has('a', 3), true)
  assert.equal(buckets.take('a', 3), true)
  assert.equal(buckets.has('a'), false)
})

test('keys do not share, and a million of them take no more memory than allowed', () => {
  const buckets = new TokenBuckets(new FakeClock(), { burst: 1, perSecond: 0 }, 100)
  for (let key = 0; key < 10_000; key++) assert.equal(buckets.take(String(key)), true)
  assert.equal(buckets.take('9999'), false)
  assert.ok(buckets.size <= 100)
})

test('a key that is used goes on while others come and go', () => {
  const buckets = new TokenBuckets(new FakeClock(), { burst: 500, perSecond: 0 }, 100)
  for (let other = 0; other < 10_000; other++) {
    buckets.take(`other ${other}`)
    if (other % 10 === 0) assert.equal(buckets.take('a'), other < 5_000)
  }
})
