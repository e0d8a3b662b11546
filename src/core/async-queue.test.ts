import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AsyncQueue } from './async-queue.ts'

test('items are read in order, those that wait and those that come later, up to the end', async () => {
  const queue = new AsyncQueue<number>(10, () => assert.fail('nobody left early'))
  queue.push(1)
  queue.push(2)
  const read: number[] = []
  const reading = (async () => {
    for await (const item of queue) read.push(item)
  })()
  await Promise.resolve()
  queue.push(3)
  await Promise.resolve()
  queue.push(4)
  queue.end()
  await reading
  assert.deepEqual(read, [1, 2, 3, 4])
  assert.equal(queue.push(5), 0)
})

test('an error comes after what waits', async () => {
  const queue = new AsyncQueue<number>(10, () => assert.fail('nobody left early'))
  queue.push(1)
  queue.fail(new Error('refused'))
  const read: number[] = []
  await assert.rejects(async () => {
    for await (const item of queue) read.push(item)
  }, /refused/)
  assert.deepEqual(read, [1])
})

test('a reader that does not read loses what is old, and the pusher is told', async () => {
  const queue = new AsyncQueue<number>(2, () => {})
  assert.deepEqual([queue.push(1), queue.push(2), queue.push(3)], [0, 0, 2])
  queue.end()
  const read: number[] = []
  for await (const item of queue) read.push(item)
  assert.deepEqual(read, [3])
})

test('who leaves early is noticed', async () => {
  let left = 0
  const queue = new AsyncQueue<number>(2, () => left++)
  queue.push(1)
  for await (const item of queue) if (item === 1) break
  assert.equal(left, 1)
})
