/** Servers that failed a short while ago: tried last, so that a call does not wait for them again. RFC 3263 §4.3. */
import type { Clock } from '../../core/clock.ts'

/** Judgement: shorter than the patience of a person who dials again. */
const restMs = 30_000
/** A Retry-After beyond this is not believed: one message may not turn traffic away for hours. */
const longestRestMs = 300_000
const maxServers = 1_000

export class Resting {
  readonly #clock: Clock
  readonly #untilMs = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** @param ms How long it asked for (Retry-After), if it did. */
  rest(key: string, ms = restMs): void {
    const now = this.#clock.now()
    for (const [old, untilMs] of this.#untilMs) if (untilMs <= now) this.#untilMs.delete(old)
    if (this.#untilMs.size < maxServers) this.#untilMs.set(key, now + Math.min(ms, longestRestMs))
  }

  has(key: string): boolean {
    return (this.#untilMs.get(key) ?? 0) > this.#clock.now()
  }
}
