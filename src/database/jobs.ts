/** The table of jobs, as jobs/ asks for it. */
import type { Kysely, Selectable, Transaction } from 'kysely'
import { randomHex } from '../core/random.ts'
import { type Job, type JobStore, type NewJob, type Payload, priorities } from '../jobs/types.ts'
import { DatabaseError } from './failures.ts'
import type { JobsTable, Tables } from './tables.ts'

/** Ids sort as they were made: milliseconds, a number within the millisecond, and 32 bits against chance. */
let lastMs = 0
let within = 0
function jobId(nowMs: number): string {
  within = nowMs === lastMs ? within + 1 : 0
  lastMs = nowMs
  return nowMs.toString(36).padStart(9, '0') + within.toString(36).padStart(4, '0') + randomHex(4)
}

/** Add jobs within a transaction of somebody else: the rows they are about and they come together or not at all. */
export async function addJobs(db: Transaction<Tables>, jobs: readonly NewJob[], nowMs: number): Promise<void> {
  for (const job of jobs) {
    const fresh = {
      subject: job.subject ?? null,
      payload: JSON.stringify(job.payload ?? {}),
      priority: priorities.indexOf(job.priority ?? 'normal'),
      state: 'waiting',
      attempts: 0,
      not_before_ms: job.notBeforeMs ?? nowMs,
      added_at_ms: nowMs,
      last_error: null,
      again: 0,
    } as const
    const known = await db
      .selectFrom('jobs')
      .select(['id', 'state'])
      .where('kind', '=', job.kind)
      .where('key', '=', job.key)
      .executeTakeFirst()
    if (!known)
      await db
        .insertInto('jobs')
        .values({ id: jobId(nowMs), kind: job.kind, key: job.key, ...fresh })
        .execute()
    else if (known.state === 'running')
      await db.updateTable('jobs').set({ again: 1 }).where('id', '=', known.id).execute()
    else if (known.state === 'failed') await db.updateTable('jobs').set(fresh).where('id', '=', known.id).execute()
  }
}

export class KeptJobs implements JobStore {
  readonly #db: Kysely<Tables>
  readonly #settled: () => Promise<void>

  /** @param settled Resolves when all facts told so far are written: with them come jobs. */
  constructor(db: Kysely<Tables>, settled: () => Promise<void>) {
    this.#db = db
    this.#settled = settled
  }

  async add(jobs: readonly NewJob[], nowMs: number): Promise<void> {
    if (jobs.length > 0) await this.#db.transaction().execute((db) => addJobs(db, jobs, nowMs))
  }

  claim(kind: string, nowMs: number, limit: number): Promise<readonly Job[]> {
    return this.#db.transaction().execute(async (db) => {
      const rows: Selectable<JobsTable>[] = []
      // One priority at a time: the index then leads to the due ones, however many others wait for their time.
      for (let priority = 0; priority < priorities.length && rows.length < limit; priority++)
        rows.push(
          ...(await db
            .selectFrom('jobs')
            .selectAll()
            .where('kind', '=', kind)
            .where('state', '=', 'waiting')
            .where('priority', '=', priority)
            .where('not_before_ms', '<=', nowMs)
            .orderBy('not_before_ms')
            .orderBy('id')
            .limit(limit - rows.length)
            .execute()),
        )
      for (const { id, attempts } of rows)
        await db
          .updateTable('jobs')
          .set({ state: 'running', attempts: attempts + 1 })
          .where('id', '=', id)
          .execute()
      return rows.map((row) => jobOf({ ...row, state: 'running', attempts: row.attempts + 1 }))
    })
  }

  async done(id: string, next: readonly NewJob[], nowMs: number): Promise<void> {
    await this.#db.transaction().execute(async (db) => {
      const row = await db.selectFrom('jobs').select('again').where('id', '=', id).executeTakeFirst()
      // It was taken away meanwhile, and what would follow with it.
      if (!row) return
      if (row.again === 1)
        await db
          .updateTable('jobs')
          .set({ state: 'waiting', attempts: 0, again: 0, not_before_ms: nowMs, last_error: null })
          .where('id', '=', id)
          .execute()
      else await db.deleteFrom('jobs').where('id', '=', id).execute()
      await addJobs(db, next, nowMs)
    })
  }

  async later(id: string, notBeforeMs: number, error: string | undefined, uncounted = false): Promise<void> {
    await this.#db
      .updateTable('jobs')
      .set((eb) => ({
        state: 'waiting',
        not_before_ms: notBeforeMs,
        again: 0,
        ...(error !== undefined && { last_error: error }),
        ...(uncounted && { attempts: eb('attempts', '-', 1) }),
      }))
      .where('id', '=', id)
      .where('state', '=', 'running')
      .execute()
  }

  async fail(id: string, error: string): Promise<void> {
    await this.#db
      .updateTable('jobs')
      .set({ state: 'failed', last_error: error, again: 0 })
      .where('id', '=', id)
      .execute()
  }

  async remember(id: string, payload: Payload): Promise<void> {
    await this.#db
      .updateTable('jobs')
      .set({ payload: JSON.stringify(payload) })
      .where('id', '=', id)
      .execute()
  }

  async takeUp(): Promise<number> {
    const { numUpdatedRows } = await this.#db
      .updateTable('jobs')
      .set({ state: 'waiting', again: 0 })
      .where('state', '=', 'running')
      .executeTakeFirst()
    return Number(numUpdatedRows)
  }

  async nextDueMs(kind: string): Promise<number | undefined> {
    let due: number | undefined
    for (let priority = 0; priority < priorities.length; priority++) {
      const row = await this.#db
        .selectFrom('jobs')
        .select('not_before_ms')
        .where('kind', '=', kind)
        .where('state', '=', 'waiting')
        .where('priority', '=', priority)
        .orderBy('not_before_ms')
        .limit(1)
        .executeTakeFirst()
      if (row) due = Math.min(due ?? Infinity, row.not_before_ms)
    }
    return due
  }

  async counts() {
    await this.#settled()
    const rows = await this.#db
      .selectFrom('jobs')
      .select(['kind', 'state', (eb) => eb.fn.countAll<number>().as('jobs')])
      .groupBy(['kind', 'state'])
      .orderBy('kind')
      .orderBy('state')
      .execute()
    return rows.map(({ kind, state, jobs }) => ({ kind, state, jobs }))
  }

  async list({ kind, state, subject, limit, cursor }: Parameters<JobStore['list']>[0]) {
    await this.#settled()
    let select = this.#db.selectFrom('jobs').selectAll()
    if (kind !== undefined) select = select.where('kind', '=', kind)
    if (state !== undefined) select = select.where('state', '=', state)
    if (subject !== undefined) select = select.where('subject', '=', subject)
    if (cursor !== undefined) select = select.where('id', '>', checkedCursor(cursor))
    const rows = await select
      .orderBy('id')
      .limit(limit + 1)
      .execute()
    const items = rows.slice(0, limit).map(jobOf)
    const last = items.at(-1)
    return rows.length > limit && last ? { items, nextCursor: last.id } : { items }
  }

  async find(id: string): Promise<Job | undefined> {
    const row = await this.#db.selectFrom('jobs').selectAll().where('id', '=', id).executeTakeFirst()
    return row && jobOf(row)
  }

  async retry(id: string, nowMs: number): Promise<boolean> {
    const { numUpdatedRows } = await this.#db
      .updateTable('jobs')
      .set({ state: 'waiting', attempts: 0, not_before_ms: nowMs })
      .where('id', '=', id)
      .where('state', '!=', 'running')
      .executeTakeFirst()
    return numUpdatedRows > 0n
  }

  async hurry(kind: string, nowMs: number): Promise<void> {
    await this.#db
      .updateTable('jobs')
      .set({ not_before_ms: nowMs })
      .where('kind', '=', kind)
      .where('state', '=', 'waiting')
      .where('attempts', '>', 0)
      .where('not_before_ms', '>', nowMs)
      .execute()
  }

  async remove(id: string): Promise<boolean> {
    const { numDeletedRows } = await this.#db.deleteFrom('jobs').where('id', '=', id).executeTakeFirst()
    return numDeletedRows > 0n
  }

  async removeSubject(subject: string): Promise<readonly string[]> {
    await this.#settled()
    return this.#db.transaction().execute(async (db) => {
      const rows = await db.selectFrom('jobs').select('id').where('subject', '=', subject).execute()
      await db.deleteFrom('jobs').where('subject', '=', subject).execute()
      return rows.map(({ id }) => id)
    })
  }
}

function checkedCursor(cursor: string): string {
  if (!/^[0-9a-z]{1,32}$/.test(cursor)) throw new DatabaseError('database.bad-cursor')
  return cursor
}

const jobOf = (row: Selectable<JobsTable>): Job => ({
  id: row.id,
  kind: row.kind,
  key: row.key,
  ...(row.subject !== null && { subject: row.subject }),
  payload: JSON.parse(row.payload) as Payload,
  priority: priorities[row.priority] ?? 'normal',
  state: row.state,
  attempts: row.attempts,
  notBeforeMs: row.not_before_ms,
  addedAtMs: row.added_at_ms,
  ...(row.last_error !== null && { lastError: row.last_error }),
})
