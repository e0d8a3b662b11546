/** Taking everything of a call or a person out of the database. */
import type { Kysely, Selectable, SqlBool } from 'kysely'
import { sql } from 'kysely'
import { eraseJobKind } from '../../compliance/job-kinds.ts'
import type { ErasedCall, ErasureRecord, ErasureReport, ErasureStore, Subject } from '../../compliance/types.ts'
import { addJobs } from '../jobs.ts'
import type { ErasuresTable, Tables } from '../tables.ts'
import { appendAudit } from './audit.ts'
import { holdsOnCall } from './holds.ts'

/** Tables whose rows are of a call. What hangs on a recording is counted by way of it. */
const ofCall = ['legs', 'traces', 'siprec_metadata', 'call_keys', 'call_people', 'call_tags', 'call_notes'] as const
const ofRecording = ['recording_files', 'participants', 'recording_tags'] as const
/** Calls whose messages are read between two turns of the event loop. */
const searchedAtATime = 100

/**
 * @param settled Resolves when all facts told so far are written.
 * @param scrubFile Writes the log back and makes free pages anew where one of the texts still stands in the file.
 */
export function createErasureStore(
  db: Kysely<Tables>,
  settled: () => Promise<void>,
  scrubFile: (texts: readonly string[]) => Promise<number>,
): ErasureStore {
  return {
    async calls(subject, behind, limit) {
      await settled()
      let select = db.selectFrom('calls').select(['id', 'started_at_ms', 'ended_at_ms'])
      if (subject.kind === 'call') select = select.where('id', '=', subject.callId)
      else
        select = select.where('id', 'in', (eb) =>
          eb.selectFrom('call_people').select('call_id').where('person', 'in', subject.keys),
        )
      if (behind !== undefined) select = select.where('id', '>', behind)
      const rows = await select.orderBy('id').limit(limit).execute()
      const calls: ErasedCall[] = []
      for (const row of rows) calls.push(await callOf(db, row))
      return calls
    },
    rowsOf: (callId) => rowsOf(db, callId),
    async claim(callId) {
      await settled()
      return db.transaction().execute(async (transaction) => {
        if ((await holdsOnCall(transaction, callId)).length > 0) return false
        await transaction
          .updateTable('recordings')
          .set({ state: 'deleting' })
          .where('call_id', '=', callId)
          .where('state', '!=', 'deleted')
          .execute()
        return true
      })
    },
    async removeCall(callId) {
      await db.transaction().execute(async (transaction) => {
        const recordings = await transaction
          .selectFrom('recordings')
          .select('id')
          .where('call_id', '=', callId)
          .execute()
        for (const { id } of recordings) {
          // The link of the chain of proofs stays, what it is about goes.
          await transaction.updateTable('proofs').set({ statement: null }).where('recording_id', '=', id).execute()
          for (const table of ofRecording) await transaction.deleteFrom(table).where('recording_id', '=', id).execute()
          await transaction
            .deleteFrom('holds')
            .where('subject', '=', id)
            .where('lifted_at_ms', 'is not', null)
            .execute()
        }
        await transaction.deleteFrom('recordings').where('call_id', '=', callId).execute()
        for (const table of ofCall) await transaction.deleteFrom(table).where('call_id', '=', callId).execute()
        await transaction.deleteFrom('calls').where('id', '=', callId).execute()
      })
    },
    async exportsOf(subject, callIds) {
      const ids = new Set<string>()
      for (const callId of callIds) {
        const rows = await db.selectFrom('export_calls').select('export_id').where('call_id', '=', callId).execute()
        for (const { export_id } of rows) ids.add(export_id)
      }
      const keys = subject.kind === 'person' ? subject.keys : []
      for (const { id, subject: text } of await db.selectFrom('exports').select(['id', 'subject']).execute()) {
        const asked = JSON.parse(text) as Subject
        if (asked.kind === 'person' && asked.keys.some((key) => keys.includes(key))) ids.add(id)
      }
      return [...ids]
    },
    async removeExport(id) {
      await db.transaction().execute(async (transaction) => {
        await transaction.deleteFrom('jobs').where('key', '=', id).execute()
        await transaction.deleteFrom('exports').where('id', '=', id).execute()
      })
    },
    async mentions(texts, remove, except = new Set()) {
      await settled()
      return texts.length === 0 ? 0 : mentions(db, texts, remove, except)
    },
    async forgetLiftedHolds(keys) {
      await db
        .updateTable('holds')
        .set({ subject: '' })
        .where('kind', '=', 'person')
        .where('subject', 'in', keys)
        .where('lifted_at_ms', 'is not', null)
        .execute()
    },
    async scrub(texts) {
      await settled()
      return scrubFile(texts)
    },
    add: (record, entry) =>
      db.transaction().execute(async (transaction) => {
        await transaction
          .insertInto('erasures')
          .values({
            id: record.id,
            kind: record.kind,
            subject: JSON.stringify(record.subject),
            state: record.state,
            asked_by: record.askedBy,
            asked_at_ms: record.askedAtMs,
          })
          .execute()
        await appendAudit(transaction, entry, record.askedAtMs)
        await addJobs(transaction, [{ kind: eraseJobKind, key: record.id, priority: 'urgent' }], record.askedAtMs)
      }),
    resume: (nowMs) =>
      db.transaction().execute(async (transaction) => {
        const rows = await transaction.selectFrom('erasures').select('id').where('state', '=', 'running').execute()
        const jobs = rows.map(({ id }) => ({ kind: eraseJobKind, key: id, priority: 'urgent' }) as const)
        await addJobs(transaction, jobs, nowMs)
      }),
    async find(id) {
      const row = await db.selectFrom('erasures').selectAll().where('id', '=', id).executeTakeFirst()
      return row && recordOf(row)
    },
    async list(limit) {
      const rows = await db
        .selectFrom('erasures')
        .selectAll()
        .orderBy('asked_at_ms', 'desc')
        .orderBy('id')
        .limit(limit)
        .execute()
      return rows.map(recordOf)
    },
    async setWaits(id, waits) {
      await db.updateTable('erasures').set({ waits }).where('id', '=', id).execute()
    },
    finish: (id, state, report, entry, atMs) =>
      db.transaction().execute(async (transaction) => {
        const { hash } = await appendAudit(transaction, entry, atMs)
        await transaction
          .updateTable('erasures')
          .set({
            state,
            subject: null,
            waits: null,
            report: JSON.stringify(report),
            audit_hash: hash,
            finished_at_ms: atMs,
          })
          .where('id', '=', id)
          .execute()
      }),
  }
}

async function callOf(
  db: Kysely<Tables>,
  { id, started_at_ms, ended_at_ms }: { id: string; started_at_ms: number; ended_at_ms: number | null },
): Promise<ErasedCall> {
  const recordings = await db
    .selectFrom('recordings')
    .select(['id', 'base_name', 'state'])
    .where('call_id', '=', id)
    .orderBy('id')
    .execute()
  const files = await db
    .selectFrom('recording_files')
    .innerJoin('recordings', 'recordings.id', 'recording_files.recording_id')
    .select(['recording_files.recording_id', 'recording_files.name'])
    .where('recordings.call_id', '=', id)
    .execute()
  const legs = await db.selectFrom('legs').select('sip_call_id').where('call_id', '=', id).execute()
  return {
    callId: id,
    startedAtMs: started_at_ms,
    // A recording that is still being put together belongs to a call that has ended a moment ago.
    live: ended_at_ms === null || recordings.some(({ state }) => state === 'recording'),
    sipCallIds: legs.map(({ sip_call_id }) => sip_call_id),
    recordings: recordings.map((recording) => ({
      recordingId: recording.id,
      baseName: recording.base_name ?? '',
      files: files.filter(({ recording_id }) => recording_id === recording.id).map(({ name }) => name),
    })),
  }
}

async function rowsOf(db: Kysely<Tables>, callId: string): Promise<Readonly<Record<string, number>>> {
  const count = (table: (typeof ofCall)[number]) =>
    db
      .selectFrom(table)
      .select((eb) => eb.fn.countAll<number>().as('rows'))
      .where('call_id', '=', callId)
      .executeTakeFirstOrThrow()
  const rows: Record<string, number> = {}
  const calls = await db.selectFrom('calls').select('id').where('id', '=', callId).execute()
  if (calls.length > 0) rows['calls'] = calls.length
  for (const table of ofCall) {
    const { rows: number } = await count(table)
    if (number > 0) rows[table] = number
  }
  const recordings = await db.selectFrom('recordings').select('id').where('call_id', '=', callId).execute()
  if (recordings.length === 0) return rows
  rows['recordings'] = recordings.length
  const ids = recordings.map(({ id }) => id)
  for (const table of ofRecording) {
    const { rows: number } = await db
      .selectFrom(table)
      .select((eb) => eb.fn.countAll<number>().as('rows'))
      .where('recording_id', 'in', ids)
      .executeTakeFirstOrThrow()
    if (number > 0) rows[table] = number
  }
  return rows
}

/** SIP messages, metadata documents and keys of calls, some calls at a time: texts have no index. */
async function mentions(
  db: Kysely<Tables>,
  texts: readonly string[],
  remove: boolean,
  except: ReadonlySet<string>,
): Promise<number> {
  const patterns = texts.map((text) => `%${text.replaceAll(/[!%_]/g, '!$&')}%`)
  const stands = (column: string) =>
    sql<SqlBool>`(${sql.join(
      patterns.map((pattern) => sql`lower(${sql.ref(column)}) like ${pattern} escape '!'`),
      sql` or `,
    )})`
  let found = 0
  for (let behind = ''; ; ) {
    const calls = await db
      .selectFrom('calls')
      .select('id')
      .where('id', '>', behind)
      .orderBy('id')
      .limit(searchedAtATime)
      .execute()
    if (calls.length === 0) return found
    behind = calls.at(-1)?.id ?? ''
    const ids = calls.map(({ id }) => id).filter((id) => !except.has(id))
    if (ids.length === 0) continue
    for (const [table, column] of [
      ['traces', 'text'],
      ['siprec_metadata', 'raw'],
      ['siprec_metadata', 'sessions'],
      ['siprec_metadata', 'vendor'],
      ['call_keys', 'value'],
      ['call_notes', 'text'],
    ] as const) {
      const { rows } = await db
        .selectFrom(table)
        .select((eb) => eb.fn.countAll<number>().as('rows'))
        .where('call_id', 'in', ids)
        .where(stands(column))
        .executeTakeFirstOrThrow()
      found += rows
      if (remove && rows > 0) await db.deleteFrom(table).where('call_id', 'in', ids).where(stands(column)).execute()
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
}

const recordOf = (row: Selectable<ErasuresTable>): ErasureRecord => ({
  id: row.id,
  kind: row.kind,
  ...(row.subject !== null && { subject: JSON.parse(row.subject) as Subject }),
  state: row.state,
  askedBy: row.asked_by,
  askedAtMs: row.asked_at_ms,
  ...(row.finished_at_ms !== null && { finishedAtMs: row.finished_at_ms }),
  ...(row.report !== null && { report: JSON.parse(row.report) as ErasureReport }),
  ...(row.waits !== null && { waits: row.waits }),
  ...(row.audit_hash !== null && { auditHash: row.audit_hash }),
})
