import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../core/fake-clock.ts'
import { PortPool } from './port-pool.ts'

const all = (pool: PortPool): number[] => {
  const taken: number[] = []
  for (let port = pool.take(); port !== undefined; port = pool.take()) taken.push(port)
  return taken
}

test('every even port of the range whose odd neighbour is in it too, once, in no order', () => {
  const taken = all(new PortPool(10_001, 10_400, new FakeClock()))
  const inOrder = Array.from({ length: 199 }, (_, i) => 10_002 + i * 2)
  assert.deepEqual(
    taken.toSorted((a, b) => a - b),
    inOrder,
  )
  assert.notDeepEqual(taken, inOrder)
  assert.deepEqual(all(new PortPool(10_000, 10_000, new FakeClock())), [])
})

test('a port that was freed rests 32 seconds, unless no other is free', () => {
  const clock = new FakeClock()
  const pool = new PortPool(10_000, 10_005, clock)
  const [first = 0, second = 0] = [pool.take(), pool.take()]
  pool.giveBack(first)
  clock.advance(10_000)
  const third = pool.take() ?? 0
  assert.ok(third !== first && third !== second)
  pool.giveBack(second)
  assert.equal(pool.take(), first, 'the one that has rested longest')
  assert.deepEqual(pool.stats(), { pairs: 3, inUse: 2, free: 0, resting: 1, takenEarly: 1, exhausted: 0 })
  clock.advance(32_000)
  assert.deepEqual(pool.stats(), { pairs: 3, inUse: 2, free: 1, resting: 0, takenEarly: 1, exhausted: 0 })
  assert.equal(pool.take(), second)
  assert.equal(pool.take(), undefined)
  assert.equal(pool.stats().exhausted, 1)
})

test('a call that is taken up gets the port it had, free or resting, and none that is taken or not ours', () => {
  const pool = new PortPool(10_000, 10_005, new FakeClock())
  assert.equal(pool.takeThis(10_002), true)
  assert.equal(pool.takeThis(10_002), false)
  assert.equal(pool.takeThis(10_003), false)
  assert.equal(pool.takeThis(20_000), false)
  pool.giveBack(10_002)
  assert.equal(pool.takeThis(10_002), true)
  assert.deepEqual(
    all(pool).toSorted((a, b) => a - b),
    [10_000, 10_004],
  )
})
