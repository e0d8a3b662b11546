/**
 * A job: something that still has to be done, kept in the database until it is.
 *
 *   journal, features ── add ─▶  JobStore (database/)  ◀── claim, done, later ──  runner.ts ──▶ handlers
 *
 * Whoever adds a job in the transaction of the rows it is about loses neither without the other. A job is done at
 * least once: a handler looks first whether its work is there already.
 */

/** `waiting`: its time comes. `running`: a handler has it. `failed`: given up; kept, and a person can retry it. */
export type JobState = 'waiting' | 'running' | 'failed'

/** Of jobs of one kind that are due, urgent ones go first; then who waits longest. */
export const priorities = ['urgent', 'normal', 'idle'] as const
export type Priority = (typeof priorities)[number]

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue }
export type Payload = Readonly<Record<string, JsonValue>>

export interface NewJob {
  /** Which handler: `recording.archive`. */
  readonly kind: string
  /** One job of a kind and key at a time: added again while it waits it changes nothing, while it runs it runs once more. */
  readonly key: string
  /** What it is about, a recording's id: what is erased takes its jobs with it. */
  readonly subject?: string
  readonly payload?: Payload
  readonly priority?: Priority
  /** Not before this wall time; at once unless given. */
  readonly notBeforeMs?: number
}

export interface Job {
  readonly id: string
  readonly kind: string
  readonly key: string
  readonly subject?: string
  readonly payload: Payload
  readonly priority: Priority
  readonly state: JobState
  /** Times it was begun. */
  readonly attempts: number
  readonly notBeforeMs: number
  readonly addedAtMs: number
  /** What the last attempt that failed said; never a secret. */
  readonly lastError?: string
}

export interface JobQuery {
  readonly kind?: string | undefined
  readonly state?: JobState | undefined
  readonly subject?: string | undefined
  readonly limit: number
  readonly cursor?: string | undefined
}

export interface JobCount {
  readonly kind: string
  readonly state: JobState
  readonly jobs: number
}

/** Where jobs are kept. Times are wall times. */
export interface JobStore {
  /** Add, or say again, as `NewJob.key` has it. A failed one of the same kind and key begins anew. */
  add(jobs: readonly NewJob[], nowMs: number): Promise<void>
  /** Up to `limit` that are due become `running`, with one attempt more. */
  claim(kind: string, nowMs: number, limit: number): Promise<readonly Job[]>
  /** It is done and goes, unless it was added again meanwhile; what follows from it comes in the same transaction. */
  done(id: string, next: readonly NewJob[], nowMs: number): Promise<void>
  /** Back to `waiting`. @param uncounted The attempt does not count: the server stopped. */
  later(id: string, notBeforeMs: number, error: string | undefined, uncounted?: boolean): Promise<void>
  fail(id: string, error: string): Promise<void>
  /** Keep what a further attempt, or another process after a crash, goes on from. */
  remember(id: string, payload: Payload): Promise<void>
  /** At the start: what a process that died had begun waits again. @returns How many. */
  takeUp(): Promise<number>
  /** When the next of this kind is due; undefined when none waits. */
  nextDueMs(kind: string): Promise<number | undefined>
  counts(): Promise<readonly JobCount[]>
  /** Oldest first. */
  list(query: JobQuery): Promise<{ readonly items: readonly Job[]; readonly nextCursor?: string }>
  find(id: string): Promise<Job | undefined>
  /** Due now, with all its attempts. @returns False when there is none, or it runs. */
  retry(id: string, nowMs: number): Promise<boolean>
  /** Those of a kind that wait for their next attempt are due now. */
  hurry(kind: string, nowMs: number): Promise<void>
  /** Take it away, running or not. @returns False when there is none. */
  remove(id: string): Promise<boolean>
  /** Take all away that are about this. @returns Their ids. */
  removeSubject(subject: string): Promise<readonly string[]>
}
