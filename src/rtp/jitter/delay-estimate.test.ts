import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DelayEstimate } from './delay-estimate.ts'

/** An estimate fed 50 packets a second, each so many ms late. */
function feed(estimate: DelayEstimate, fromSecond: number, seconds: number, lateMs: (index: number) => number): void {
  for (let index = fromSecond * 50; index < (fromSecond + seconds) * 50; index++) {
    const late = lateMs(index)
    estimate.packet(1000 + late, index * 20 + late)
  }
}

/** Uniform from 0 to 1, the same each time. */
function uniform(seed = 1): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** `assert.equal` would take the value of a field that changes for settled. */
const isNow = (value: number, expected: number): void => assert.equal(value, expected)

test('a steady stream is waited for no longer than a tick needs; jitter as long as 99 in 100 packets need', () => {
  const estimate = new DelayEstimate(20, 200)
  isNow(estimate.targetMs, 40)
  feed(estimate, 0, 20, () => 0)
  isNow(estimate.targetMs, 24)
  isNow(estimate.baseMs, 1000)
  const random = uniform()
  feed(estimate, 20, 20, () => 50 * random())
  assert.ok(Math.abs(estimate.targetMs - 22 - 50) <= 2, `${estimate.targetMs} ms`)
})

test('the target stays within its bounds', () => {
  const random = uniform()
  const estimate = new DelayEstimate(60, 120)
  feed(estimate, 0, 20, () => 0)
  isNow(estimate.targetMs, 60)
  feed(estimate, 20, 20, () => 400 * random())
  isNow(estimate.targetMs, 120)
})

test('one spike is forgotten, the third within half a minute is waited for until half a minute is quiet', () => {
  const estimate = new DelayEstimate(20, 400)
  feed(estimate, 0, 20, () => 0)
  feed(estimate, 20, 1, (index) => (index === 1000 ? 150 : 0))
  isNow(estimate.targetMs, 24)
  feed(estimate, 21, 15, (index) => (index % 250 === 0 ? 150 : 0))
  isNow(estimate.targetMs, 172)
  feed(estimate, 36, 40, () => 0)
  isNow(estimate.targetMs, 24)
})

test('drift of the sender is measured to 20 ppm through 30 ms of jitter, and a change of the path is none', () => {
  for (const ppm of [-300, -50, 0, 300]) {
    const random = uniform(ppm + 1000)
    const estimate = new DelayEstimate(20, 200)
    feed(estimate, 0, 90, (index) => 30 * random() + (index * 20 * ppm) / 1e6)
    assert.ok(Math.abs(estimate.driftPpm - ppm) < 20, `${ppm}: ${estimate.driftPpm}`)
  }
  const estimate = new DelayEstimate(20, 200)
  feed(estimate, 0, 30, () => 0)
  feed(estimate, 30, 30, () => 50)
  isNow(estimate.driftPpm, 0)
})

test('after a pause of more than ten seconds the least delay is looked for anew', () => {
  const estimate = new DelayEstimate(20, 200)
  feed(estimate, 0, 5, () => 0)
  feed(estimate, 60, 1, () => 15)
  isNow(estimate.baseMs, 1015)
})

test('a path that became longer is a longer path after ten seconds, and not jitter for a minute', () => {
  const estimate = new DelayEstimate(20, 200)
  feed(estimate, 0, 20, () => 0)
  feed(estimate, 20, 12, () => 150)
  isNow(estimate.baseMs, 1150)
  assert.ok(estimate.targetMs <= 40, `${estimate.targetMs} ms`)
})
