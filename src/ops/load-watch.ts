/**
 * How late the main thread runs, and which share of new calls it can take.
 *
 *   probe (the host's event loop) ─▶ here ─▶ sip guard (new calls), health, metrics, facts
 *
 * A thread that is too late serves nobody well, so fewer new calls are let in until what runs is served in time. The share
 * falls fast while the queue grows, waits while it shrinks, and grows back, slowly when the thread is busy still: so it
 * settles where the machine can serve. Calls that are let in are spread evenly, without a die.
 */
import type { Clock, Timer } from '../core/clock.ts'
import type { FactBus } from '../events/bus.ts'
import type { HealthCheck } from './health.ts'

/** What the thread did since it was looked at last. */
export interface LoadReading {
  /** The longest that anything had to wait for its turn. */
  readonly lagMs: number
  /** Share of the time that it had the processor, 0..1. */
  readonly busy: number
}

export interface LoadProbe {
  read(): LoadReading
  close(): void
}

export interface LoadWatchOptions {
  readonly clock: Clock
  readonly bus: FactBus
  readonly probe: LoadProbe
  /** A lag that is too long; 0 lets every call in. */
  readonly maxLagMs: number
}

const lookEveryMs = 200
/** Of the time; above it there is no room left and a queue begins to grow in the sockets, where no lag shows it. */
const tooBusy = 0.97
/** Below these the share grows fast, and may become whole again. */
const calmBusy = 0.85
const calmLagPart = 0.5
/** A thread that had the processor for less than this is late for others' work: fewer calls would not make it earlier. */
const ownWork = 0.5
/** What is left of the share after a look that found it late, or busy. */
const fall = { late: 0.75, busy: 0.93 }
/** What it grows by: calm from nothing to all in some 6 s, otherwise slowly, until it is late again. */
const rise = { calm: 1.12, else: 1.02, least: 0.005 }
/** A queue that is shorter than this part of what it was a look ago was cured by what was done before. */
const enough = 0.9
/** Between the bounds a part of the calls is refused still. */
const mostUntilCalm = 0.98
/** Late looks in a row before anything is refused: one long pause is none of the callers' fault. */
const patience = 4
const leastShare = 0.02
/** A lag so many times too long, and no shorter than that, stops all new calls until it is over. */
const stop = { times: 5, leastMs: 1_000 }

export class LoadWatch {
  readonly #options: LoadWatchOptions
  #timer: Timer
  #reading: LoadReading = { lagMs: 0, busy: 0 }
  #share = 1
  /** Parts of a call that may come in. */
  #credit = 1
  #late = 0
  /** It stands still: nobody comes in. */
  #stopped = false
  #refused = 0
  #refusedThisTime = 0

  constructor(options: LoadWatchOptions) {
    this.#options = options
    this.#timer = this.#lookLater()
  }

  /** New calls are being refused. */
  get overloaded(): boolean {
    return this.#share < 1
  }

  get reading(): LoadReading {
    return this.#reading
  }

  /** New calls refused so far. */
  get refused(): number {
    return this.#refused
  }

  /** Whether one more call may come in; counts it. */
  admit(): boolean {
    if (this.#share === 1) return true
    if (!this.#stopped) this.#credit += this.#share
    if (this.#credit >= 1) {
      this.#credit = Math.min(1, this.#credit - 1)
      return true
    }
    this.#refused++
    this.#refusedThisTime++
    return false
  }

  close(): void {
    this.#timer.cancel()
    this.#options.probe.close()
  }

  #lookLater(): Timer {
    return this.#options.clock.after(lookEveryMs, () => {
      this.#look(this.#options.probe.read())
      this.#timer = this.#lookLater()
    })
  }

  #look(reading: LoadReading): void {
    const previous = this.#reading
    this.#reading = reading
    const { maxLagMs } = this.#options
    if (maxLagMs === 0) return
    const before = this.#share
    const { lagMs, busy } = reading
    const stoppedAbove = Math.max(stop.times * maxLagMs, stop.leastMs)
    const isBehind = lagMs >= maxLagMs
    const late = isBehind || busy >= tooBusy
    this.#late = late ? this.#late + 1 : 0
    const improves = isBehind && lagMs < enough * previous.lagMs
    if (this.#late >= patience && !improves && (busy >= ownWork || lagMs >= stoppedAbove))
      this.#share = Math.max(leastShare, this.#share * (isBehind ? fall.late : fall.busy))
    else if (!late && this.#share < 1) this.#share = this.#risen(lagMs < calmLagPart * maxLagMs && busy < calmBusy)
    this.#stopped = this.#late >= patience && lagMs >= stoppedAbove
    // One call a look comes in, so that it is seen whether there is room again.
    this.#credit = this.#stopped ? 0 : 1
    if (before === 1 && this.#share < 1) this.#begin()
    if (before < 1 && this.#share === 1) this.#end()
  }

  #risen(isCalm: boolean): number {
    if (isCalm) return Math.min(1, this.#share * rise.calm + rise.least)
    return Math.min(mostUntilCalm, this.#share * rise.else + rise.least)
  }

  #begin(): void {
    const { bus, clock } = this.#options
    this.#refusedThisTime = 0
    bus.publish({ name: 'server.overloaded', atMs: clock.wallMs(), ...this.#reading })
  }

  #end(): void {
    const { bus, clock } = this.#options
    bus.publish({ name: 'server.recovered', atMs: clock.wallMs(), refused: this.#refusedThisTime })
  }
}

/** A check that no new calls are being refused. */
export const keepsUp =
  (load: LoadWatch): HealthCheck =>
  async () => {
    if (load.overloaded)
      throw new Error(`the main thread is ${Math.round(load.reading.lagMs)} ms late; new calls are refused`)
  }

const tickMs = 50

/** The event loop of the thread that calls this. perf_hooks' own histogram forgets the pause that is going on when it is reset. */
export function eventLoopProbe(clock: Clock): LoadProbe {
  let dueMs = clock.now()
  let lagMs = 0
  let timer: Timer
  const late = (): number => Math.max(0, clock.now() - dueMs)
  const tick = (): void => {
    lagMs = Math.max(lagMs, late())
    dueMs = clock.now() + tickMs
    timer = clock.after(tickMs, tick)
  }
  tick()
  let before = process.threadCpuUsage()
  let readMs = clock.now()
  return {
    read() {
      // Of the processor: a thread that waits for its turn on a machine full of others is late, not busy.
      const { user, system } = process.threadCpuUsage(before)
      const elapsedMs = Math.max(1, clock.now() - readMs)
      const reading = { lagMs: Math.max(lagMs, late()), busy: Math.min(1, (user + system) / 1_000 / elapsedMs) }
      before = process.threadCpuUsage()
      readMs = clock.now()
      lagMs = 0
      return reading
    },
    close: () => timer.cancel(),
  }
}
