/**
 * Runs jobs: takes those that are due from the store, hands each to the handler of its kind, and tries again what fails.
 *
 *   JobStore ── claim ─▶  here ── job, signal ─▶  handler
 *            ◀─ done, later, fail ─              ◀─ what follows, or an error
 *
 * Holds only what runs: a hundred thousand jobs that wait cost rows, no memory. Of each kind at most so many run at a
 * time. Another process may change the table (the command line), so it is looked at now and then without a call.
 */
import type { Clock, Timer } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { FactBus } from '../events/bus.ts'
import { backoffMs } from './backoff.ts'
import { HopelessError, JobError, jobFailures } from './failures.ts'
import type { Job, JobCount, JobStore, NewJob, Payload } from './types.ts'

export interface JobContext {
  /** Aborted when the server stops, the job is cancelled, or takes too long. */
  readonly signal: AbortSignal
  /** Keep this as the job's payload: what a further attempt goes on from, after a crash too. */
  readonly remember: (payload: Payload) => Promise<void>
}

/** @returns Jobs that follow from this one; they are kept in the transaction that ends it. */
export type JobHandler = (job: Job, context: JobContext) => Promise<readonly NewJob[] | void>

export interface JobKind {
  readonly handler: JobHandler
  /** At a time; default 1. */
  readonly atATime?: number
  /** Before it is given up; Infinity for what must be done however long it takes. Default 20: about four hours. */
  readonly attempts?: number
  /** Of one attempt; default an hour. */
  readonly limitMs?: number
}

export interface JobsOptions {
  readonly store: JobStore
  readonly clock: Clock
  readonly log: Logger
  readonly bus: FactBus
  /** 0 to 1; Math.random unless a test says otherwise. */
  readonly random?: () => number
}

/** What ended, since the start. */
export interface JobEnds {
  readonly kind: string
  readonly done: number
  readonly retried: number
  readonly failed: number
}

const defaultAttempts = 20
const defaultLimitMs = 60 * 60_000
const cancelled = new Error('cancelled')
/** Changes by another process are seen within this. */
const lookEveryMs = 5_000
/** An error is a line, not a page. */
const mostErrorLength = 500

interface Running {
  readonly job: Job
  readonly abort: AbortController
  readonly over: Promise<void>
}

export class Jobs {
  readonly #options: JobsOptions
  readonly #kinds = new Map<string, JobKind>()
  readonly #ends = new Map<string, { done: number; retried: number; failed: number }>()
  readonly #running = new Map<string, Running>()
  #timer: Timer | undefined
  #looking: Promise<void> | undefined
  #lookAgain = false
  #started = false
  #closed = false

  constructor(options: JobsOptions) {
    this.#options = options
  }

  /** Name the handler of a kind. Before `start`. */
  handle(kind: string, how: JobKind): void {
    this.#kinds.set(kind, how)
    this.#ends.set(kind, { done: 0, retried: 0, failed: 0 })
  }

  /** Take up what the last process left, and run what is due from now on. */
  async start(): Promise<void> {
    const taken = await this.#options.store.takeUp()
    if (taken > 0) this.#options.log.info('Jobs of the last process are taken up again', { jobs: taken })
    this.#started = true
    this.wake()
  }

  /** Add jobs that belong to no other change of the database. */
  async add(jobs: readonly NewJob[]): Promise<void> {
    await this.#options.store.add(jobs, this.#options.clock.wallMs())
    this.wake()
  }

  /** Jobs were added: look now. */
  wake(): void {
    if (!this.#started || this.#closed) return
    this.#timer?.cancel()
    this.#timer = undefined
    this.#lookAgain = true
    this.#looking ??= this.#lookWhileAsked()
  }

  /** @throws {JobError} `job.not-found`, `job.running` */
  async retry(id: string): Promise<void> {
    const { store, clock } = this.#options
    if (!(await store.retry(id, clock.wallMs())))
      throw new JobError((await store.find(id)) ? 'job.running' : 'job.not-found')
    this.wake()
  }

  /** What held a kind up is over: its jobs need not wait for their next attempt. */
  async hurry(kind: string): Promise<void> {
    await this.#options.store.hurry(kind, this.#options.clock.wallMs())
    this.wake()
  }

  /** @throws {JobError} `job.not-found` */
  async cancel(id: string): Promise<void> {
    const removed = await this.#options.store.remove(id)
    this.#running.get(id)?.abort.abort(cancelled)
    if (!removed) throw new JobError('job.not-found')
  }

  /** Whatever is still to be done about this is not done; resolves when nothing of it runs. @returns How many. */
  async cancelSubject(subject: string): Promise<number> {
    const ids = await this.#options.store.removeSubject(subject)
    const over = [...this.#running.values()].filter(({ job }) => job.subject === subject)
    for (const { abort } of over) abort.abort(cancelled)
    await Promise.all(over.map((running) => running.over))
    return ids.length
  }

  counts(): Promise<readonly JobCount[]> {
    return this.#options.store.counts()
  }

  get ends(): readonly JobEnds[] {
    return [...this.#ends].map(([kind, { done, retried, failed }]) => ({ kind, done, retried, failed }))
  }

  /** For the health page; jobs that failed keep no call from being taken. */
  async summary(): Promise<string> {
    const counts = await this.counts()
    const sum = (state: JobCount['state']): number =>
      counts.reduce((total, count) => total + (count.state === state ? count.jobs : 0), 0)
    const failed = sum('failed')
    const text = `${sum('waiting')} wait, ${sum('running')} run`
    return failed === 0 ? text : `${text}, ${failed} have failed: see /api/jobs?state=failed`
  }

  /** Resolves when nothing runs and nothing is due. For tests and tools. */
  async idle(): Promise<void> {
    while (this.#looking || this.#running.size > 0) {
      await this.#looking
      await Promise.all([...this.#running.values()].map(({ over }) => over))
    }
  }

  /** Begin nothing more; what runs is aborted and waits for the next start. Twice is fine. */
  async close(): Promise<void> {
    this.#closed = true
    this.#timer?.cancel()
    await this.#looking
    for (const { abort } of this.#running.values()) abort.abort(new Error('the server stops'))
    await Promise.all([...this.#running.values()].map(({ over }) => over))
  }

  async #lookWhileAsked(): Promise<void> {
    while (this.#lookAgain && !this.#closed) {
      this.#lookAgain = false
      try {
        await this.#look()
      } catch (error) {
        this.#options.log.error('Jobs could not be looked up', { error: String(error) })
        this.#lookIn(lookEveryMs)
      }
    }
    this.#looking = undefined
  }

  async #look(): Promise<void> {
    const { store, clock } = this.#options
    let inMs = lookEveryMs
    for (const [kind, how] of this.#kinds) {
      const runs = [...this.#running.values()].filter(({ job }) => job.kind === kind).length
      const free = (how.atATime ?? 1) - runs
      // One that ends looks again.
      if (free <= 0) continue
      for (const job of await store.claim(kind, clock.wallMs(), free)) this.#begin(job, how)
      const dueMs = await store.nextDueMs(kind)
      if (dueMs !== undefined) inMs = Math.min(inMs, Math.max(0, dueMs - clock.wallMs()))
    }
    this.#lookIn(inMs)
  }

  #lookIn(delayMs: number): void {
    this.#timer?.cancel()
    if (!this.#closed) this.#timer = this.#options.clock.after(delayMs, () => this.wake())
  }

  #begin(job: Job, how: JobKind): void {
    const abort = new AbortController()
    const over = this.#run(job, how, abort).finally(() => {
      this.#running.delete(job.id)
      this.wake()
    })
    this.#running.set(job.id, { job, abort, over })
  }

  /** Never rejects. */
  async #run(job: Job, how: JobKind, abort: AbortController): Promise<void> {
    const { store, clock, log } = this.#options
    const limit = clock.after(how.limitMs ?? defaultLimitMs, () => abort.abort(new JobError('job.too-long')))
    try {
      const attempts = how.attempts ?? defaultAttempts
      // Its last attempt ended with the process: one more would end it again.
      if (job.attempts > attempts) throw new HopelessError(jobFailures['job.crashed'].text)
      const remember = (payload: Payload): Promise<void> => store.remember(job.id, payload)
      const next = await how.handler(job, { signal: abort.signal, remember })
      await store.done(job.id, next ?? [], clock.wallMs())
      this.#count(job.kind, 'done')
    } catch (error) {
      await this.#failed(job, how, abort.signal.aborted ? abort.signal.reason : error).catch((fault: unknown) =>
        // It stays `running` in the table: the next start takes it up.
        log.error('The end of a job could not be written', { job: job.id, kind: job.kind, error: String(fault) }),
      )
    } finally {
      limit.cancel()
    }
  }

  async #failed(job: Job, how: JobKind, error: unknown): Promise<void> {
    const { store, clock, log, bus, random = Math.random } = this.#options
    if (error === cancelled) return
    if (this.#closed) return store.later(job.id, clock.wallMs(), undefined, true)
    const text = errorText(error)
    const { id: jobId, kind, key, attempts } = job
    if (error instanceof HopelessError || attempts >= (how.attempts ?? defaultAttempts)) {
      await store.fail(jobId, text)
      this.#count(kind, 'failed')
      log.error('A job failed and is given up', { jobId, kind, attempts, error: text })
      bus.publish({ name: 'job.failed', atMs: clock.wallMs(), jobId, kind, key, attempts, text })
      return
    }
    const delayMs = backoffMs(attempts, random())
    await store.later(jobId, clock.wallMs() + delayMs, text)
    this.#count(kind, 'retried')
    log.warn('A job failed and is tried again', {
      jobId,
      kind,
      attempts,
      inSeconds: Math.round(delayMs / 1000),
      error: text,
    })
  }

  #count(kind: string, what: 'done' | 'retried' | 'failed'): void {
    const ends = this.#ends.get(kind)
    if (ends) ends[what]++
  }
}

function errorText(error: unknown): string {
  const told = error instanceof HopelessError && error.cause !== undefined ? error.cause : error
  const text = told instanceof Error ? told.message || told.name : String(told)
  return text.slice(0, mostErrorLength)
}
