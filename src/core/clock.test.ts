import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { systemClock } from './clock.ts'

test('a wait of years, which a peer may ask for, does not end at once', async () => {
  const timers = [2 ** 31, 4_294_967_295_000, Number.POSITIVE_INFINITY].map((ms) =>
    systemClock.after(ms, () => assert.fail('fired')),
  )
  await setTimeout(10) // node shortens a wait beyond 2^31 to a millisecond
  for (const timer of timers) timer.cancel()
})
