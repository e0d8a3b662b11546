/**
 * The clock of a worker's sound: a tick each 20 ms for everybody who speaks, listens or mixes.
 *
 *   Speaker, tap, digits heard ── add ─▶  here  ── tick(n) ─▶  each, in one pass
 *
 * Deadlines are absolute, so that a late wake-up delays one tick and none after it. It runs only while somebody wants
 * ticks; they are counted by the time of day of the machine, so that after a pause the count is where it would have been.
 * A worker that stood still catches up tick by tick for as long as receivers wait for what was late; the rest is left out.
 */
import { createHistogram } from 'node:perf_hooks'
import type { Clock, Timer } from '../../core/clock.ts'
import { frameMs } from './sound.ts'

/** Who is called each 20 ms. It may add and remove others, and itself, while it is called. */
export interface FrameSink {
  /** @param tick Goes up by one; more when ticks were left out. */
  tick(tick: number, nowMs: number): void
}

/** Late ticks made up for in one wake-up: 200 ms, about what jitter buffers of phones hold. */
const mostCatchUp = 10
/** Wake-ups that are so late let sockets be read first. */
const lateFromMs = frameMs / 2

export class FrameClock {
  /** Ticks that were due while the worker stood still, and were not made up for. */
  skipped = 0
  /** The newest tick. */
  tick: number
  readonly #clock: Clock
  readonly #afterTick: () => void
  readonly #originMs: number
  readonly #sinks = new Set<FrameSink>()
  #timer: Timer | undefined
  /** A late wake-up was put off until what came meanwhile is read. */
  #putOff = false
  #passing = false
  /** How late wake-ups were, µs + 1. */
  readonly #late = createHistogram()

  /** @param afterTick Told when all have had their tick: what they sent may leave together. */
  constructor(clock: Clock, afterTick: () => void = () => {}) {
    this.#clock = clock
    this.#afterTick = afterTick
    this.#originMs = clock.now()
    this.tick = 0
  }

  /** Ticks begin with the next one. Twice is once. */
  add(sink: FrameSink): void {
    this.#sinks.add(sink)
    // A pass goes on by itself, and may have ticks to make up for.
    if (this.#timer || this.#passing) return
    this.tick = this.#due()
    this.#wait()
  }

  /** No tick comes any more, not even one of this pass. Twice is fine. */
  remove(sink: FrameSink): void {
    this.#sinks.delete(sink)
    if (this.#sinks.size > 0) return
    this.#timer?.cancel()
    this.#timer = undefined
  }

  /** When a tick is due, by the clock. */
  dueMs(tick: number): number {
    return this.#originMs + tick * frameMs
  }

  get sinks(): number {
    return this.#sinks.size
  }

  /** The 99th percentile of how late wake-ups were since the last call, ms; 0 when there was none. */
  takeLateP99Ms(): number {
    const lateMs = this.#late.count === 0 ? 0 : (this.#late.percentile(99) - 1) / 1000
    this.#late.reset()
    return lateMs
  }

  /** The newest tick whose time has come. */
  #due(): number {
    // Timers may fire a fraction of a millisecond early: what is due by then is due.
    return Math.floor((this.#clock.now() - this.#originMs + 0.5) / frameMs)
  }

  #wait(): void {
    this.#timer = this.#clock.after(this.dueMs(this.tick + 1) - this.#clock.now(), this.#wake)
  }

  readonly #wake = (): void => {
    this.#timer = undefined
    const nowMs = this.#clock.now()
    const lateMs = nowMs - this.dueMs(this.tick + 1)
    // A loop that stood still fires timers before it reads sockets: without this nobody would hear what waits in them
    if (lateMs > lateFromMs && !this.#putOff) {
      this.#putOff = true
      this.#timer = this.#clock.after(0, this.#wake)
      return
    }
    this.#putOff = false
    this.#late.record(1 + Math.max(0, Math.round(lateMs * 1000))) // it counts from 1
    const due = this.#due()
    if (due - this.tick > mostCatchUp) {
      this.skipped += due - this.tick - mostCatchUp
      this.tick = due - mostCatchUp
    }
    this.#passing = true
    while (this.tick < due && this.#sinks.size > 0) {
      this.tick++
      for (const sink of this.#sinks) sink.tick(this.tick, nowMs)
      this.#afterTick()
    }
    this.#passing = false
    if (this.#sinks.size > 0 && !this.#timer) this.#wait()
  }
}
