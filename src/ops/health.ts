/**
 * Is the server well, and may calls be sent to it: for people, load balancers and Kubernetes.
 *
 * Alive: the process answers. Ready: it takes calls; not while it starts or stops. Healthy: all checks pass. Checks
 * are handed in. Their result is kept for a second, so that strangers who ask often cost nothing.
 */
import { access, constants, mkdir, statfs } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import type { Clock } from '../core/clock.ts'
import { formatUptime } from './uptime.ts'

/** Resolves when all is well, with a word about it where there is one; the reason it rejects with is shown. */
export type HealthCheck = () => Promise<string | void>

export interface HealthOptions {
  readonly version: string
  readonly clock: Clock
  /** By the name they are shown under: `database`, `recordings`, `disk`. */
  readonly checks: Readonly<Record<string, HealthCheck>>
  readonly activeCalls: () => number
  readonly portsInUse: () => number
}

type State = 'healthy' | 'unhealthy'

export interface HealthReport {
  readonly status: State
  readonly timestamp: string
  readonly uptime: string
  readonly version: string
  readonly checks: Record<string, { readonly status: State; readonly message: string }>
  readonly system: {
    readonly memory_mb: number
    readonly cpu_count: number
    readonly active_calls: number
    readonly ports_in_use: number
  }
}

const keptMs = 1_000
/** A check that takes longer has failed. */
const checkMs = 2_000

export class Health {
  readonly #options: HealthOptions
  readonly #startedMs: number
  #last: { readonly atMs: number; readonly report: Promise<HealthReport> } | undefined
  #notReady: string | undefined = 'starting'

  constructor(options: HealthOptions) {
    this.#options = options
    this.#startedMs = options.clock.now()
  }

  /** Calls are taken from now on. */
  started(): void {
    this.#notReady = undefined
  }

  /** No new calls: a balancer should look elsewhere. */
  stopping(): void {
    this.#notReady = 'stopping'
  }

  get uptimeSeconds(): number {
    return Math.floor((this.#options.clock.now() - this.#startedMs) / 1_000)
  }

  report(): Promise<HealthReport> {
    const nowMs = this.#options.clock.now()
    if (!this.#last || nowMs - this.#last.atMs >= keptMs) this.#last = { atMs: nowMs, report: this.#ask() }
    return this.#last.report
  }

  /** Why no calls should be sent here; empty when they should. */
  async reasonsNotReady(): Promise<string[]> {
    const { checks } = await this.report()
    const failed = Object.entries(checks).filter(([, { status }]) => status === 'unhealthy')
    const reasons = failed.map(([name, { message }]) => `${name}: ${message}`)
    return this.#notReady ? [this.#notReady, ...reasons] : reasons
  }

  async #ask(): Promise<HealthReport> {
    const { clock, version, checks, activeCalls, portsInUse } = this.#options
    const names = Object.keys(checks)
    const results = await Promise.all(Object.values(checks).map((check) => this.#run(check)))
    const shown = Object.fromEntries(
      results.map((problem, index) => [
        names[index] ?? '',
        typeof problem === 'string'
          ? { status: 'unhealthy' as const, message: problem }
          : { status: 'healthy' as const, message: problem?.well ?? 'ok' },
      ]),
    )
    return {
      status: results.every((problem) => typeof problem !== 'string') ? 'healthy' : 'unhealthy',
      timestamp: new Date(clock.wallMs()).toISOString(),
      uptime: formatUptime(this.uptimeSeconds),
      version,
      checks: shown,
      system: {
        memory_mb: Math.round(process.memoryUsage.rss() / 2 ** 20),
        cpu_count: availableParallelism(),
        active_calls: activeCalls(),
        ports_in_use: portsInUse(),
      },
    }
  }

  /** What is wrong, if anything; else what it says of itself. */
  #run(check: HealthCheck): Promise<string | { readonly well: string } | undefined> {
    return new Promise((resolve) => {
      const timer = this.#options.clock.after(checkMs, () => resolve(`no answer within ${checkMs / 1_000} s`))
      check()
        .then(
          (well) => resolve(typeof well === 'string' ? { well } : undefined),
          (error: unknown) => resolve(error instanceof Error ? error.message : String(error)),
        )
        .finally(() => timer.cancel())
    })
  }
}

/** A check that the folder is there, or can be made, and can be written to. */
export const folderIsWritable =
  (folder: string): HealthCheck =>
  async () => {
    // Recordings, and the numbers in their names, are nobody else's business: the folder is made for the owner alone.
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await access(folder, constants.W_OK)
  }

/** A check that the folder's file system has so many bytes left; the start does without it, for calls still can be made. */
export const folderHasRoom =
  (folder: string, leastBytes = 64 * 2 ** 20): HealthCheck =>
  async () => {
    const { bavail, bsize } = await statfs(folder)
    const freeMiB = Math.floor((bavail * bsize) / 2 ** 20)
    if (bavail * bsize < leastBytes) throw new Error(`the disk is nearly full: ${freeMiB} MiB are left`)
  }

/** How a media thread stands (a part of media's WorkerStanding). */
export interface WorkerReading {
  readonly worker: number
  readonly state: 'running' | 'starting' | 'stalled' | 'lost'
  /** For how long it has not run. */
  readonly downMs: number
}

/** As long as sockets keep what comes: a shorter standstill cost nothing. */
const workerDownMs = 5_000

/** A check that no media thread has been without motion, or missing, for long. */
export const workersRun =
  (workers: () => readonly WorkerReading[]): HealthCheck =>
  async () => {
    const down = workers().filter(({ downMs }) => downMs >= workerDownMs)
    if (down.length === 0) return
    const told = down.map(
      ({ worker, state, downMs }) => `media thread ${worker} is ${state} for ${Math.floor(downMs / 1_000)} s`,
    )
    throw new Error(told.join('; '))
  }
