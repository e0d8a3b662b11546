/**
 * Keeps running sessions in their store, without holding up a session that changed.
 *
 *   session.ts ── changed, ended ─▶  here ── one write a turn ─▶  store
 *
 * A turn is `turnMs`: what a kill may cost. A store that fails is tried again with what is current then; sessions go on
 * meanwhile, and only a restart would lose them.
 */
import type { Clock, Timer } from '../../core/clock.ts'
import type { Logger } from '../../core/logger.ts'
import { type Checkpoint, readCheckpoint } from './checkpoint.ts'
import type { Seal } from './seal.ts'
import type { SessionChange, SessionStore } from './store.ts'

const turnMs = 100
/** Before a store that failed is asked again. */
const againMs = 2_000
/** Of one session: metadata that long would be no metadata. */
const mostBytes = 512 * 1024

export interface KeeperOptions {
  readonly store: SessionStore
  readonly seal: Seal
  readonly clock: Clock
  readonly log: Logger
}

/** A session that can say what is to be kept of it; undefined when it cannot be taken up. */
export interface Keepable {
  readonly id: string
  checkpoint(): Checkpoint | undefined
}

export class SessionKeeper {
  readonly #options: KeeperOptions
  /** What waits to be written: the session, or undefined for one that is over. */
  readonly #waiting = new Map<string, Keepable | undefined>()
  /** Those that are in the store: what was never there need not be forgotten. */
  readonly #kept = new Set<string>()
  #timer: Timer | undefined
  #writing: Promise<void> = Promise.resolve()
  #failing = false
  #closed = false

  constructor(options: KeeperOptions) {
    this.#options = options
  }

  /** What the process before this one left. Those that cannot be read are forgotten. */
  async found(): Promise<readonly Checkpoint[]> {
    const { store, seal, log } = this.#options
    const kept = await store.all()
    const found = kept.flatMap(({ id, sealed }) => {
      this.#kept.add(id)
      const text = seal.open(id, sealed)
      const checkpoint = text === undefined ? undefined : readCheckpoint(text)
      if (checkpoint?.id === id) return [checkpoint]
      this.ended(id)
      return []
    })
    if (found.length < kept.length)
      log.warn('Some recording sessions of the last run cannot be read', { sessions: kept.length - found.length })
    return found
  }

  changed(session: Keepable): void {
    this.#put(session.id, session)
  }

  ended(id: string): void {
    if (this.#kept.has(id) || this.#waiting.has(id)) this.#put(id, undefined)
  }

  /** Write what waits, now. */
  flush(): Promise<void> {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#writing = this.#writing.then(() => this.#write())
    return this.#writing
  }

  /** Twice is fine. */
  async close(): Promise<void> {
    this.#closed = true
    await this.flush()
    await this.#options.store.close()
  }

  #put(id: string, session: Keepable | undefined): void {
    this.#waiting.set(id, session)
    if (!this.#closed) this.#timer ??= this.#options.clock.after(turnMs, () => void this.flush())
  }

  async #write(): Promise<void> {
    const batch = new Map(this.#waiting)
    if (batch.size === 0) return
    this.#waiting.clear()
    const { store, seal, log, clock } = this.#options
    const changes = Array.from(batch, ([id, session]): SessionChange => {
      const checkpoint = session?.checkpoint()
      const text = checkpoint && JSON.stringify(checkpoint)
      return { id, sealed: text === undefined || text.length > mostBytes ? undefined : seal.seal(id, text) }
    }).filter(({ id, sealed }) => sealed !== undefined || this.#kept.has(id))
    if (changes.length === 0) return
    try {
      await store.write(changes)
      for (const { id, sealed } of changes)
        if (sealed) this.#kept.add(id)
        else this.#kept.delete(id)
      this.#failing = false
    } catch (error) {
      if (!this.#failing) log.error('Recording sessions cannot be kept for a restart', { error: String(error) })
      this.#failing = true
      for (const [id, session] of batch) if (!this.#waiting.has(id)) this.#waiting.set(id, session)
      if (!this.#closed) this.#timer ??= clock.after(againMs, () => void this.flush())
    }
  }
}
