/**
 * Time, handed in. Everything that waits or stamps takes a Clock, so that a test can turn the hands.
 *
 * Two readings: `now` never jumps and is for intervals; `wallMs` is the time of day and is for records.
 */

/** A running timer; `cancel` after it fired or twice is fine. */
export interface Timer {
  cancel(): void
}

export interface Clock {
  /** Milliseconds since an arbitrary start, monotonic, with fractions. */
  now(): number
  /** Milliseconds since 1970-01-01T00:00:00Z; may jump when the host's clock is set. */
  wallMs(): number
  /** Call `fire` once, after `delayMs`; after 24 days when that is longer. */
  after(delayMs: number, fire: () => void): Timer
}

/** The host fires timers that are longer at once. */
const longestMs = 2 ** 31 - 1

/** Does not keep the process alive: open sockets and servers do that. */
class HostTimer implements Timer {
  readonly #timeout: NodeJS.Timeout

  constructor(delayMs: number, fire: () => void) {
    this.#timeout = setTimeout(fire, Math.min(Math.max(0, delayMs), longestMs)).unref()
  }

  cancel(): void {
    clearTimeout(this.#timeout)
  }
}

/** The host's clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallMs: () => Date.now(),
  after: (delayMs, fire) => new HostTimer(delayMs, fire),
}

/** Resolve after `delayMs` on `clock`; reject with the signal's reason when it is aborted first. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error)
    const onAbort = () => {
      timer.cancel()
      reject(signal?.reason as Error)
    }
    const timer = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
