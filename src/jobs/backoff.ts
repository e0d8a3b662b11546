/** How long to wait before a job is tried again. */

const firstMs = 5_000
const longestMs = 15 * 60_000

/**
 * Doubles from 5 s to 15 min; the second half of it at random, so that jobs that failed together do not come back
 * together.
 * @param attempts Made so far, from 1.
 * @param random 0 to 1.
 */
export function backoffMs(attempts: number, random: number): number {
  const fullMs = Math.min(longestMs, firstMs * 2 ** Math.min(attempts - 1, 20))
  return Math.round(fullMs * (0.5 + random / 2))
}
