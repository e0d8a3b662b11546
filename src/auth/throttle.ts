/**
 * Slows down whoever guesses passwords, and nobody else.
 *
 * Failures are counted for a source with a name, for a source, and for a name. The first two delay the source. A name
 * under attack from many sources leaves each of them a single guess; it never refuses the first try of a source that
 * has not failed, so strangers cannot lock anyone out. Memory is bounded: the oldest entries go first.
 */
import type { Clock } from '../core/clock.ts'
import { placeOf } from '../core/ip.ts'

/** Guesses before the first delay; each one beyond doubles it. */
const pairLimit = 5
const sourceLimit = 20
const attackedNameLimit = 1
/** Failures of one name, from anywhere, that count as an attack on it. */
const attackFailures = 50
const firstDelayMs = 1_000
const longestDelayMs = 15 * 60_000
/** A count is forgotten so long after its last failure. */
const forgetAfterMs = 60 * 60_000
const maxEntries = 10_000

interface Entry {
  failures: number
  lastMs: number
  blockedUntilMs: number
}

export class LoginThrottle {
  readonly #clock: Clock
  /** In order of the last failure, oldest first. */
  readonly #entries = new Map<string, Entry>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Ask before a guess is tried, and count it as failed until `succeeded` says otherwise: many guesses at once
   * must not slip through before the first is known to be wrong.
   * @returns 0 to go on, else how many seconds to wait.
   */
  attempt(source: string, name: string): number {
    const place = placeOf(source)
    const keys = keysOf(place, name)
    const waitMs = Math.max(...[keys.pair, keys.source].map((key) => this.#waitMs(key)))
    if (waitMs > 0) return Math.ceil(waitMs / 1_000)
    const attacked = (this.#find(keys.name)?.failures ?? 0) >= attackFailures
    this.#count(keys.pair, attacked ? attackedNameLimit : pairLimit)
    this.#count(keys.source, sourceLimit)
    this.#count(keys.name, Number.POSITIVE_INFINITY)
    return 0
  }

  /** The guess was right: forget this source's failures with this name, and the one counted for it elsewhere. */
  succeeded(source: string, name: string): void {
    const keys = keysOf(placeOf(source), name)
    this.#entries.delete(keys.pair)
    for (const key of [keys.source, keys.name]) {
      const entry = this.#entries.get(key)
      if (!entry) continue
      entry.failures -= 1
      entry.blockedUntilMs = 0
    }
  }

  /** How many counts are kept. */
  get size(): number {
    return this.#entries.size
  }

  #waitMs(key: string): number {
    return Math.max(0, (this.#find(key)?.blockedUntilMs ?? 0) - this.#clock.now())
  }

  #find(key: string): Entry | undefined {
    const entry = this.#entries.get(key)
    if (entry && this.#clock.now() - entry.lastMs > forgetAfterMs) {
      this.#entries.delete(key)
      return undefined
    }
    return entry
  }

  #count(key: string, limit: number): void {
    const nowMs = this.#clock.now()
    const entry = this.#find(key) ?? { failures: 0, lastMs: nowMs, blockedUntilMs: 0 }
    entry.failures += 1
    entry.lastMs = nowMs
    if (entry.failures >= limit) {
      const delayMs = firstDelayMs * 2 ** Math.min(entry.failures - limit, 20)
      entry.blockedUntilMs = nowMs + Math.min(delayMs, longestDelayMs)
    }
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    if (this.#entries.size > maxEntries) this.#entries.delete(this.#entries.keys().next().value ?? '')
  }
}

const keysOf = (place: string, name: string) => ({
  pair: `pair ${place} ${name}`,
  source: `source ${place}`,
  name: `name ${name}`,
})
