/** Whether a subscription that was lost is tried again, and when. RFC 6665 §4.1.3. */
import type { SubscriptionState } from './event.ts'

/** Wait this long after the first failure, twice as long after each further one, up to the most. Judgement. */
const firstMs = 1_000
const mostMs = 300_000
/** "At some later time": a notifier that names no time. */
const laterMs = 60_000

/**
 * Milliseconds until the next try after a failure.
 *
 * @param failures Tries in a row that brought no subscription which lived for a while.
 */
export const gapMs = (failures: number): number => Math.min(firstMs * 2 ** Math.min(failures, 20), mostMs)

/**
 * Milliseconds until the next try after a NOTIFY that ended it; undefined when the notifier wants none.
 *
 * "Immediately" is what `deactivated` and `timeout` ask for: at once the first time, and with growing gaps when it goes
 * on so, for a notifier that ends every subscription must not be asked in a circle.
 */
export function comesAgainMs(told: SubscriptionState, failures: number): number | undefined {
  const { reason, retryAfterS } = told
  if (reason === 'rejected' || reason === 'noresource' || reason === 'invariant') return undefined
  if (reason === 'deactivated' || reason === 'timeout') return failures === 0 ? 0 : gapMs(failures)
  if (retryAfterS !== undefined) return Math.max(retryAfterS * 1_000, gapMs(failures))
  return reason === 'probation' || reason === 'giveup' ? Math.max(laterMs, gapMs(failures)) : gapMs(failures)
}

/** Refusals that will be the same tomorrow. */
export const lasting = (status: number): boolean =>
  status >= 600 || [400, 401, 403, 404, 405, 407, 410, 416, 420, 484, 485, 489, 501].includes(status)
