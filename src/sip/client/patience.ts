/** When a registration is refreshed, and when one that failed is tried again. RFC 5626 §4.5. */

/** §4.5, base-time with all flows failed. */
const baseMs = 30_000
/** A registrar that says no is asked less often: carriers lock out who tries a wrong password again and again. */
const refusedBaseMs = 120_000
/** §4.5, max-time. */
const longestMs = 1_800_000

/**
 * Milliseconds until the next try: doubled with each failure, at most half an hour, drawn from the upper half so that
 * all clients of a server that comes back do not come at once.
 *
 * @param failures In a row, from 1.
 * @param retryAfterMs As the registrar asked for; believed up to half an hour.
 */
export function retryMs(
  failures: number,
  options: { readonly refused: boolean; readonly retryAfterMs?: number; readonly random?: number },
): number {
  const { refused, retryAfterMs = 0, random = Math.random() } = options
  const bound = Math.min((refused ? refusedBaseMs : baseMs) * 2 ** Math.min(failures - 1, 16), longestMs)
  return Math.max(bound * (0.5 + random / 2), Math.min(retryAfterMs, longestMs))
}

/**
 * Milliseconds until a refresh: two minutes before the end, which is room for three tries, or half of a short
 * registration.
 */
export const refreshMs = (expiresS: number, random = Math.random()): number =>
  Math.max(expiresS / 2, expiresS - 120) * 1_000 * (0.95 + random / 20)
