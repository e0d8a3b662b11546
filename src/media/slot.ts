/**
 * A place for one media worker: keeps one running in it, looks whether it does, and knows what is on it.
 *
 *   plane.ts  ── sessions, look, close ─▶  here  ─▶ link.ts, vitals.ts
 *             ◀─ lost, stalled, recovered ─
 *
 * A worker that died is replaced: at once when it had run for a while, else after a second. One that stands still too
 * long is given up on, which is the same to all who are on it.
 */
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import { WorkerLink } from './link.ts'
import type { Notice, WorkerStart } from './protocol.ts'
import { Pulse } from './pulse.ts'
import type { Session } from './session.ts'
import type { Load } from './spread.ts'
import type { WorkerStanding } from './types.ts'
import { Vitals } from './vitals.ts'

/** A worker that dies at once is not started again at once. */
const restartDelayMs = 1_000
/** A server that stops does not wait longer than this for a worker that stands still. */
const closingLimitMs = 5_000

export interface SlotOptions {
  readonly number: number
  readonly start: Omit<WorkerStart, 'pulse'>
  readonly nodeArgs?: readonly string[] | undefined
  /** See `MediaPlaneSettings`. */
  readonly stallLimitMs: number
  readonly clock: Clock
  readonly log: Logger
  readonly notice: (notice: Notice) => void
  /** These were on the worker that is no more. */
  readonly lost: (sessions: readonly Session[], why: 'died' | 'stalled') => void
  readonly stalled: () => void
  readonly recovered: (stalledMs: number) => void
}

export class Slot implements Load {
  readonly number: number
  readonly sessions = new Set<Session>()
  readonly #options: SlotOptions
  #link: WorkerLink
  #vitals: Vitals
  #startedAtMs = 0
  /** Since when it is wanted: the death of the one before, or the beginning. */
  #wantedAtMs: number
  #closed = false

  constructor(options: SlotOptions) {
    this.number = options.number
    this.#options = options
    const { link, vitals } = this.#start()
    this.#link = link
    this.#vitals = vitals
    this.#wantedAtMs = options.clock.now()
  }

  get link(): WorkerLink {
    return this.#link
  }

  get state(): WorkerStanding['state'] {
    if (!this.#link.alive) return 'lost'
    if (this.#vitals.stalledMs > 0) return 'stalled'
    return this.#vitals.started ? 'running' : 'starting'
  }

  get busy(): number {
    return this.#vitals.busy
  }

  get parts(): number {
    return this.sessions.size + this.#link.ports
  }

  get partsThen(): number {
    return this.#vitals.partsThen
  }

  get standing(): WorkerStanding {
    const { state, number, busy } = this
    const missingMs = this.#options.clock.now() - this.#wantedAtMs
    const downMs = state === 'stalled' ? this.#vitals.stalledMs : missingMs
    return { worker: number, state, busy, downMs: state === 'running' ? 0 : downMs }
  }

  /** Each `lookEveryMs`. */
  look(): void {
    if (!this.#link.alive) return
    const { clock, log, stallLimitMs, stalled, recovered } = this.#options
    const { stalledMs } = this.#vitals
    const limitMs = this.#closed ? Math.min(stallLimitMs || closingLimitMs, closingLimitMs) : stallLimitMs
    const change = this.#vitals.look({ nowMs: clock.now(), limitMs, parts: this.parts })
    if (change === 'stalled') {
      log.error('Media worker stands still', { worker: this.number, sessions: this.sessions.size })
      stalled()
    } else if (change === 'runs-again') {
      log.warn('Media worker runs again', { worker: this.number, stalledMs })
      recovered(stalledMs)
    } else if (change === 'hopeless') this.#link.giveUp()
  }

  /** Resolves when it has loaded. @throws {MediaError} `media.worker-lost` when it ended instead. */
  async running(): Promise<void> {
    await this.#link.ask('worker-stats', {})
  }

  /** Its sessions are closed: let it finish its files and end. `look` goes on until then. */
  async close(): Promise<void> {
    this.closing()
    if (this.#vitals.started) await this.#link.close()
    else await this.#link.kill()
  }

  /** It is not replaced any more, and less patience is had with it. */
  closing(): void {
    this.#closed = true
  }

  #start(): { readonly link: WorkerLink; readonly vitals: Vitals } {
    const { number, start, nodeArgs, notice, clock } = this.#options
    this.#startedAtMs = clock.now()
    const pulse = new Pulse()
    const link = new WorkerLink({
      number,
      start: { ...start, pulse: pulse.memory },
      nodeArgs,
      notice,
      died: (error) => this.#died(error),
    })
    return { link, vitals: new Vitals(pulse) }
  }

  #died(error: Error | undefined): void {
    if (this.#closed) return
    const { clock, log, lost } = this.#options
    const why = this.#vitals.stalledMs > 0 ? 'stalled' : 'died'
    const sessions = Array.from(this.sessions)
    this.sessions.clear()
    log.error('Media worker died', { worker: this.number, why, sessions: sessions.length, error })
    this.#wantedAtMs = clock.now()
    const livedMs = this.#wantedAtMs - this.#startedAtMs
    if (livedMs > restartDelayMs) this.#replace()
    else clock.after(restartDelayMs, () => this.#replace())
    lost(sessions, why)
  }

  #replace(): void {
    if (this.#closed) return
    const { link, vitals } = this.#start()
    this.#link = link
    this.#vitals = vitals
  }
}
