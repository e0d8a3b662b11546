import type { Clock, Timer } from './clock.ts'

interface Pending {
  readonly dueMs: number
  readonly order: number
  readonly fire: () => void
}

/** A clock whose hands a test turns. Timers fire in order of their due time, ties in order of creation. */
export class FakeClock implements Clock {
  #nowMs = 0
  #order = 0
  readonly #startedAtMs: number
  readonly #pending = new Set<Pending>()

  /** @param startedAtMs Wall time at `now() === 0`. */
  constructor(startedAtMs = Date.UTC(2026, 0, 1)) {
    this.#startedAtMs = startedAtMs
  }

  now(): number {
    return this.#nowMs
  }

  wallMs(): number {
    return this.#startedAtMs + this.#nowMs
  }

  after(delayMs: number, fire: () => void): Timer {
    const entry = { dueMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, fire }
    this.#pending.add(entry)
    return { cancel: () => this.#pending.delete(entry) }
  }

  /** How many timers still wait: a test's proof that nothing was left over. */
  get pendingTimers(): number {
    return this.#pending.size
  }

  /** Move time forward and fire what falls due, timers set on the way included. */
  advance(byMs: number): void {
    const untilMs = this.#nowMs + byMs
    for (;;) {
      const next = this.#nextDue(untilMs)
      if (!next) break
      this.#pending.delete(next)
      this.#nowMs = next.dueMs
      next.fire()
    }
    this.#nowMs = untilMs
  }

  #nextDue(untilMs: number): Pending | undefined {
    let best: Pending | undefined
    for (const entry of this.#pending) {
      if (entry.dueMs > untilMs) continue
      if (!best || entry.dueMs < best.dueMs || (entry.dueMs === best.dueMs && entry.order < best.order)) best = entry
    }
    return best
  }
}
