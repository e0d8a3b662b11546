import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from './clock.ts'

test('a delay that the host cannot hold does not pass at once: a peer may ask for one of a hundred years', async () => {
  const warnings: string[] = []
  const note = ({ name }: Error): void => void warnings.push(name)
  process.on('warning', note)
  const timer = systemClock.after(100 * 365 * 86_400_000, () => assert.fail('it passed'))
  for (let turn = 0; turn < 3; turn++) await new Promise((go) => setImmediate(go))
  timer.cancel()
  process.off('warning', note)
  assert.deepEqual(warnings, [])
})
