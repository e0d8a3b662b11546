/** A clock that jumps from one timer to the next, and lets every promise settle in between: hours pass in milliseconds. */
import type { Clock, Timer } from '../../src/core/clock.ts'

interface Pending {
  readonly dueMs: number
  readonly order: number
  fire: (() => void) | undefined
}

export class VirtualClock implements Clock {
  #nowMs = 0
  #order = 0
  #live = 0
  /** A binary heap, the next one due on top; cancelled ones stay in it until they come up. */
  readonly #heap: Pending[] = []

  now(): number {
    return this.#nowMs
  }

  wallMs(): number {
    return Date.UTC(2026, 0, 1) + this.#nowMs
  }

  after(delayMs: number, fire: () => void): Timer {
    const entry: Pending = { dueMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, fire }
    this.#live++
    this.#push(entry)
    return { cancel: () => this.#cancel(entry) }
  }

  /** Timers that wait. */
  get pending(): number {
    return this.#live
  }

  /** Until nothing waits any more, or that time has come. */
  async run(untilMs: number): Promise<void> {
    await settled()
    for (let next = this.#pop(); next; next = this.#pop()) {
      if (next.dueMs > untilMs) return this.#push(next)
      const { fire } = next
      if (!fire) continue
      this.#cancel(next)
      this.#nowMs = next.dueMs
      fire()
      await settled()
    }
  }

  #cancel(entry: Pending): void {
    if (entry.fire) this.#live--
    entry.fire = undefined
  }

  #push(entry: Pending): void {
    const heap = this.#heap
    let at = heap.push(entry) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = heap[parent]
      if (!above || !isBefore(entry, above)) break
      heap[at] = above
      at = parent
    }
    heap[at] = entry
  }

  #pop(): Pending | undefined {
    const heap = this.#heap
    const top = heap[0]
    const last = heap.pop()
    if (!last || last === top) return top
    let at = 0
    for (;;) {
      const [left, right] = [heap[2 * at + 1], heap[2 * at + 2]]
      const child = right && left && isBefore(right, left) ? right : left
      if (!child || !isBefore(child, last)) break
      heap[at] = child
      at = child === right ? 2 * at + 2 : 2 * at + 1
    }
    heap[at] = last
    return top
  }
}

const isBefore = (one: Pending, other: Pending): boolean =>
  one.dueMs === other.dueMs ? one.order < other.order : one.dueMs < other.dueMs

/** Everything that waits for a promise has run after this: no chain in the stack is this long. */
async function settled(): Promise<void> {
  for (let turns = 0; turns < 16; turns++) await Promise.resolve()
}
