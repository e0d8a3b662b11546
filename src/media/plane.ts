/**
 * The media plane on the main thread: sessions spread over workers, ports handed out, facts handed on.
 *
 *   call/, siprec/  ── MediaPlane ─▶  here  ── link.ts ─▶  worker threads with the sockets
 *
 * A worker that dies is replaced; its sessions are told `lost`, its ports are free again, and its files end at their
 * last written half second.
 */
import { type Clock, systemClock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import { createDtlsIdentity, type DtlsIdentity } from '../dtls/identity.ts'
import { MediaError } from './failures.ts'
import type { Told } from './graph/graph-link.ts'
import { WorkerLink } from './link.ts'
import { PortPool } from './port-pool.ts'
import { type Port, Session, type SessionOwner } from './session.ts'
import type { IoKind, MediaPlane, MediaPlaneSettings, MediaSession, PortPoolStats, WorkerStats } from './types.ts'

export interface MediaPlaneOptions {
  readonly log: Logger
  readonly clock?: Clock
  /** A worker died and is being replaced; these sessions were on it. Told before the sessions are. */
  readonly onWorkerLost?: (worker: number, sessionIds: readonly string[]) => void
}

/** A worker that dies at once is not started again at once. */
const restartDelayMs = 1000
/** Below it the cost of a packet rises fast, above it hardly falls (docs/performance.md). */
const defaultPollMs = 5
/** 40 ms: what a tick takes at once, and some 20 ms of jitter, which few networks exceed. */
const defaultJitter = { minMs: 40, maxMs: 200 }

/**
 * Start the workers.
 * @throws {RangeError} when the settings hold no port pair, or no worker.
 */
export async function createMediaPlane(settings: MediaPlaneSettings, options: MediaPlaneOptions): Promise<MediaPlane> {
  const plane = new Plane(settings, options)
  await plane.running()
  return plane
}

/** A worker and what is on it. */
interface Slot {
  link: WorkerLink
  readonly sessions: Set<Session>
  startedAtMs: number
}

class Plane implements MediaPlane, SessionOwner {
  readonly settings: MediaPlaneSettings
  readonly io: IoKind
  readonly pool: PortPool
  /** Open ports of all sessions, by their number. */
  readonly ports = new Map<number, Port>()
  readonly things = new Map<number, Told>()
  readonly #log: Logger
  readonly #clock: Clock
  readonly #onWorkerLost: NonNullable<MediaPlaneOptions['onWorkerLost']>
  readonly #slots: Slot[] = []
  #closed = false

  constructor(settings: MediaPlaneSettings, { log, clock = systemClock, onWorkerLost = () => {} }: MediaPlaneOptions) {
    this.settings = settings
    this.io = settings.io ?? 'dgram'
    this.#log = log
    this.#clock = clock
    this.#onWorkerLost = onWorkerLost
    this.pool = new PortPool(settings.portMin, settings.portMax, clock)
    if (this.pool.stats().pairs === 0 || settings.workers < 1)
      throw new RangeError('no media worker or no RTP port to use')
    for (let number = 0; number < settings.workers; number++) {
      const sessions = new Set<Session>()
      this.#slots.push({ link: this.#start(number), sessions, startedAtMs: this.#clock.now() })
    }
    log.debug('Media plane started', { workers: settings.workers, portPairs: this.pool.stats().pairs })
  }

  openSession(id: string): MediaSession {
    if (this.#closed) throw new MediaError('media.closed')
    const slot = this.#slots.reduce((best, next) => (load(next) < load(best) ? next : best))
    const session = new Session(id, slot.link, this)
    slot.sessions.add(session)
    return session
  }

  newIdentity(): DtlsIdentity {
    return createDtlsIdentity(this.#clock.wallMs())
  }

  /** A session was closed. */
  forget(session: Session): void {
    for (const slot of this.#slots) slot.sessions.delete(session)
  }

  /**
   * Resolves when each worker has loaded and runs.
   * @throws {MediaError} `media.worker-lost` when one ended instead.
   */
  async running(): Promise<void> {
    await Promise.all(this.#slots.map(({ link }) => link.ask('worker-stats', {})))
  }

  /** Of the workers that live; one that dies while it is asked is left out. */
  async stats(): Promise<readonly WorkerStats[]> {
    const asked = this.#slots.map(async ({ link, sessions }) => {
      const ofWorker = await link.ask('worker-stats', {}).catch(() => undefined)
      return ofWorker ? [Object.assign(ofWorker, { worker: link.number, sessions: sessions.size })] : []
    })
    return (await Promise.all(asked)).flat()
  }

  portStats(): PortPoolStats {
    return this.pool.stats()
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await Promise.all(this.#slots.flatMap(({ sessions }) => Array.from(sessions, (session) => session.close())))
    await Promise.all(this.#slots.map(({ link }) => link.close()))
  }

  #start(number: number): WorkerLink {
    return new WorkerLink({
      number,
      start: {
        io: this.io,
        pollMs: this.settings.pollMs ?? defaultPollMs,
        denoise: this.settings.loadDenoise === true,
        jitter: this.settings.jitter ?? defaultJitter,
      },
      notice: (notice) => {
        if (notice.type === 'graph') this.things.get(notice.id)?.(notice.told)
        else this.ports.get(notice.port)?.emit(notice.name, notice.event)
      },
      died: (error) => this.#died(number, error),
    })
  }

  #died(number: number, error: Error | undefined): void {
    const slot = this.#slots[number]
    if (!slot || this.#closed) return
    const lost = Array.from(slot.sessions)
    slot.sessions.clear()
    this.#log.error('Media worker died', { worker: number, sessions: lost.length, error })
    const livedMs = this.#clock.now() - slot.startedAtMs
    if (livedMs > restartDelayMs) this.#replace(slot, number)
    else this.#clock.after(restartDelayMs, () => this.#replace(slot, number))
    this.#onWorkerLost(
      number,
      lost.map(({ id }) => id),
    )
    for (const session of lost) session.lose(number)
  }

  #replace(slot: Slot, number: number): void {
    if (this.#closed) return
    slot.link = this.#start(number)
    slot.startedAtMs = this.#clock.now()
  }
}

/** Calls in progress; a worker that is being replaced takes none. */
const load = (slot: Slot): number => (slot.link.alive ? slot.sessions.size : Number.POSITIVE_INFINITY)
