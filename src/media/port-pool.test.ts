import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PortPool } from './port-pool.ts'

function drain(pool: PortPool): number[] {
  const taken: number[] = []
  for (let port = pool.take(); port !== undefined; port = pool.take()) taken.push(port)
  return taken
}

test('every even port of the range is handed out once, with the odd one above it in the range', () => {
  assert.deepEqual(
    drain(new PortPool(10_001, 10_010)).sort((a, b) => a - b),
    [10_002, 10_004, 10_006, 10_008],
  )
  assert.deepEqual(drain(new PortPool(10_000, 10_001)), [10_000])
  assert.deepEqual(drain(new PortPool(10_001, 10_002)), [])
})

test('the order cannot be guessed', () => {
  assert.notDeepEqual(drain(new PortPool(10_000, 12_000)), drain(new PortPool(10_000, 12_000)))
})

test('a port that was freed rests until all others had their turn', () => {
  const pool = new PortPool(10_000, 10_019)
  const first = pool.take() ?? 0
  pool.giveBack(first)
  const order = drain(pool)
  assert.equal(order.length, 10)
  assert.equal(order.at(-1), first)
})
