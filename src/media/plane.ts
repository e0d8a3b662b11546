/**
 * The media plane on the main thread: sessions spread over workers, ports handed out, facts handed on.
 *
 *   call/, siprec/  ── MediaPlane ─▶  here  ── slot.ts, link.ts ─▶  worker threads with the sockets
 *
 * A worker that dies, or stands still for too long, is replaced; its sessions are told `lost`, its ports are free again,
 * and its files end at their last written half second.
 */
import { type Clock, systemClock, type Timer } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import { createDtlsIdentity, type DtlsIdentity } from '../dtls/identity.ts'
import { MediaError } from './failures.ts'
import type { Told } from './graph/graph-link.ts'
import { PortPool } from './port-pool.ts'
import { type Port, Session, type SessionOwner } from './session.ts'
import { Slot } from './slot.ts'
import { leastLoaded } from './spread.ts'
import type {
  IoKind,
  MediaPlane,
  MediaPlaneSettings,
  MediaSession,
  PortPoolStats,
  WorkerStanding,
  WorkerStats,
} from './types.ts'
import { lookEveryMs } from './vitals.ts'

export interface MediaPlaneOptions {
  readonly log: Logger
  readonly clock?: Clock
  /** A worker died, or stood still for too long, and is being replaced; these calls were on it. Told before the sessions are. */
  readonly onWorkerLost?: (worker: number, callIds: readonly string[], why: 'died' | 'stalled') => void
  /** A worker does nothing any more, though it lives; these calls are on it. */
  readonly onWorkerStalled?: (worker: number, callIds: readonly string[]) => void
  /** It goes on. */
  readonly onWorkerRecovered?: (worker: number, stalledMs: number) => void
  /** Arguments of node for the workers; those of this process when left out. */
  readonly nodeArgs?: readonly string[]
}

/** Below it the cost of a packet rises fast, above it hardly falls (docs/performance.md). */
const defaultPollMs = 2
/** 40 ms: what a tick takes at once, and some 20 ms of jitter, which few networks exceed. */
const defaultJitter = { minMs: 40, maxMs: 200 }
const defaultStallLimitMs = 20_000
/** Who reads figures waits no longer for a worker. */
const statsWithinMs = 1_000

/**
 * Start the workers.
 * @throws {RangeError} when the settings hold no port pair, or no worker.
 * @throws {MediaError} `media.worker-lost` when one ended instead of starting; none is left then.
 */
export async function createMediaPlane(settings: MediaPlaneSettings, options: MediaPlaneOptions): Promise<MediaPlane> {
  const plane = new Plane(settings, options)
  try {
    await plane.running()
  } catch (error) {
    await plane.close()
    throw error
  }
  return plane
}

class Plane implements MediaPlane, SessionOwner {
  readonly settings: MediaPlaneSettings
  readonly io: IoKind
  readonly pool: PortPool
  /** Open ports of all sessions, by their number. */
  readonly ports = new Map<number, Port>()
  readonly things = new Map<number, Told>()
  readonly #options: MediaPlaneOptions
  readonly #clock: Clock
  readonly #slots: Slot[] = []
  #looking: Timer
  #closed = false

  constructor(settings: MediaPlaneSettings, options: MediaPlaneOptions) {
    const { log, clock = systemClock } = options
    this.settings = settings
    this.io = settings.io ?? 'dgram'
    this.#options = options
    this.#clock = clock
    this.pool = new PortPool(settings.portMin, settings.portMax, clock)
    if (this.pool.stats().pairs === 0 || settings.workers < 1)
      throw new RangeError('no media worker or no RTP port to use')
    for (let number = 0; number < settings.workers; number++) this.#slots.push(this.#slot(number))
    this.#looking = clock.after(lookEveryMs, () => this.#look())
    log.debug('Media plane started', { workers: settings.workers, portPairs: this.pool.stats().pairs })
  }

  openSession(id: string): MediaSession {
    if (this.#closed) throw new MediaError('media.closed')
    const slot = leastLoaded(this.#slots)
    if (!slot) throw new RangeError('cannot happen: there is a worker')
    const session = new Session(id, slot.link, this)
    if (slot.state === 'lost') session.lose(slot.number)
    else slot.sessions.add(session)
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
    await Promise.all(this.#slots.map((slot) => slot.running()))
  }

  async stats(): Promise<readonly WorkerStats[]> {
    const asked = this.#slots.map(async (slot) => {
      if (slot.state === 'stalled') return []
      const ofWorker = await this.#soon(slot.link.ask('worker-stats', {}).catch(() => undefined))
      return ofWorker ? [Object.assign(ofWorker, { worker: slot.number, sessions: slot.sessions.size })] : []
    })
    return (await Promise.all(asked)).flat()
  }

  async #soon<Value>(asked: Promise<Value>): Promise<Value | undefined> {
    const waited = Promise.withResolvers<undefined>()
    const timer = this.#clock.after(statsWithinMs, () => waited.resolve(undefined))
    return Promise.race([asked, waited.promise]).finally(() => timer.cancel())
  }

  workers(): readonly WorkerStanding[] {
    return this.#slots.map(({ standing }) => standing)
  }

  portStats(): PortPoolStats {
    return this.pool.stats()
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    for (const slot of this.#slots) slot.closing()
    await Promise.all(this.#slots.flatMap(({ sessions }) => Array.from(sessions, (session) => session.close())))
    await Promise.all(this.#slots.map((slot) => slot.close()))
    this.#looking.cancel()
  }

  #look(): void {
    this.#looking = this.#clock.after(lookEveryMs, () => this.#look())
    for (const slot of this.#slots) slot.look()
  }

  #slot(number: number): Slot {
    const { settings } = this
    const { log, nodeArgs, onWorkerLost, onWorkerStalled, onWorkerRecovered } = this.#options
    const slot: Slot = new Slot({
      number,
      start: {
        io: this.io,
        pollMs: settings.pollMs ?? defaultPollMs,
        denoise: settings.loadDenoise === true,
        jitter: settings.jitter ?? defaultJitter,
      },
      nodeArgs,
      stallLimitMs: settings.stallLimitMs ?? defaultStallLimitMs,
      clock: this.#clock,
      log,
      notice: (notice) => {
        if (notice.type === 'graph') this.things.get(notice.id)?.(notice.told)
        else this.ports.get(notice.port)?.emit(notice.name, notice.event)
      },
      lost: (sessions, why) => {
        onWorkerLost?.(number, callsOf(sessions), why)
        for (const session of sessions) session.lose(number)
      },
      stalled: () => onWorkerStalled?.(number, callsOf(slot.sessions)),
      recovered: (stalledMs) => onWorkerRecovered?.(number, stalledMs),
    })
    return slot
  }
}

const callsOf = (sessions: Iterable<Session>): readonly string[] =>
  Array.from(sessions, (session) => session.callIds()).flat()
