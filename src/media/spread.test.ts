import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Load, leastLoaded } from './spread.ts'

const worker = (busy: number, parts: number, partsThen = parts, state: Load['state'] = 'running'): Load => ({
  state,
  busy,
  parts,
  partsThen,
})

const chosen = (...workers: Load[]): number => workers.findIndex((one) => one === leastLoaded(workers))

test('a conference counts for what it takes, not as one session', () => {
  const conference = worker(0.5, 21)
  const manyCalls = worker(0.2, 60)
  assert.equal(chosen(conference, manyCalls), 1)
})

test('of two with hardly anything to do the one with fewer sessions and ports is taken', () => {
  assert.equal(chosen(worker(0.006, 12), worker(0.009, 9)), 1)
  assert.equal(chosen(worker(0, 0), worker(0, 0)), 0)
})

test('calls that come all at once are spread before their work shows', () => {
  const counts = [0, 0, 0]
  const workers = () => counts.map((more, i) => worker([0.3, 0.32, 0.5][i] ?? 0, 60 + more, 60))
  for (let i = 0; i < 90; i++) {
    const at = chosen(...workers())
    counts[at] = (counts[at] ?? 0) + 3
  }
  const [a = 0, b = 0, c = 0] = counts
  assert.ok(a > b && b > c && c > 0, counts.join())
  // 1.12 of a core for 180 parts: all three are expected to be equally busy then.
  assert.ok(Math.abs(a - b - 3.2) <= 4 && Math.abs(b - c - 29) <= 4, counts.join())
})

test('who runs comes before who starts, stands still or is gone, however busy', () => {
  const busy = worker(0.9, 300)
  assert.equal(chosen(worker(0, 0, 0, 'lost'), worker(0, 0, 0, 'stalled'), busy, worker(0, 0, 0, 'starting')), 2)
  assert.equal(chosen(worker(0, 0, 0, 'lost'), worker(0, 0, 0, 'stalled'), worker(0, 0, 0, 'starting')), 2)
  assert.equal(chosen(worker(0, 0, 0, 'lost'), worker(0, 9, 9, 'stalled')), 1)
})
