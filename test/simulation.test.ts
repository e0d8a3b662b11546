/** The worlds of test/simulation, as many as fit into a test run; `npm run simulate` lives through more of them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runSeeds } from './simulation/runner.ts'
import { simulate } from './simulation/world.ts'

const seeds = 4_000

test(`calls in ${seeds} small worlds: both sides agree, every 2xx is acknowledged, nothing is left over`, async () => {
  const failures = await runSeeds({ first: 1, count: seeds, threads: 2 })
  // Repeats exactly: npm run simulate -- --seed <n> --verbose
  assert.deepEqual(failures, [])
})

test('a seed gives the same world each time', async () => {
  const first = await simulate(3551)
  const again = await simulate(3551)
  assert.ok(first.calls > 4)
  assert.equal(first.ladder(), again.ladder())
})
