import { systemClock } from '../../src/core/clock.ts'

/**
 * Wait for something that another process does: ask again until `look` gives a value.
 *
 * @param what Completes the sentence "waited N s for …" when time runs out.
 * @param timeoutMs Generous: it only ends a test that fails anyway.
 */
export async function until<Value>(
  what: string,
  timeoutMs: number,
  look: () => Value | undefined | false | Promise<Value | undefined | false>,
  everyMs = 50,
): Promise<Value> {
  const endMs = systemClock.now() + timeoutMs
  for (;;) {
    const seen = await look()
    if (seen !== undefined && seen !== false) return seen
    if (systemClock.now() > endMs) throw new Error(`waited ${timeoutMs / 1000} s for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
}
