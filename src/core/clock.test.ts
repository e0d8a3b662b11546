import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from './clock.ts'

test('a timer of longer than setTimeout can wait does not fire at once', async (t) => {
  const warnings: Error[] = []
  const onWarning = (warning: Error) => warnings.push(warning)
  process.on('warning', onWarning)
  t.after(() => process.off('warning', onWarning))

  systemClock.after((2 ** 32 - 1) * 1_000, () => assert.fail('it fired')).cancel()

  // Node says TimeoutOverflowWarning when it makes 1 ms of a delay.
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(warnings, [])
})

test('it fires at its time, and can be cancelled until then', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const longestMs = 2 ** 31 - 1
  const fired: string[] = []
  systemClock.after(longestMs + 1_000, () => fired.push('in time'))
  const cancelled = systemClock.after(longestMs + 1_000, () => fired.push('cancelled'))

  t.mock.timers.tick(longestMs)
  cancelled.cancel()
  t.mock.timers.tick(999)
  assert.deepEqual(fired, [])
  t.mock.timers.tick(1)
  assert.deepEqual(fired, ['in time'])
})
