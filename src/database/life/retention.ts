/** Retention rules, what they decide about, and the deletion of recordings. */
import type { Kysely, Selectable } from 'kysely'
import { sql } from 'kysely'
import type { RetentionCase, RetentionRule, RetentionStore } from '../../retention/types.ts'
import { addJobs } from '../jobs.ts'
import type { RecordingsTable, RetentionRulesTable, Tables } from '../tables.ts'
import { appendAudit } from './audit.ts'
import { holdsOnRecording } from './holds.ts'

const finished = ['stored', 'interrupted', 'failed'] as const
/** At a time: the next sweep takes the rest. */
const mostResumed = 500
/** The job that removes the files (retention/delete-files.ts). */
export const deleteJobKind = 'recording.delete'

export function createRetentionStore(db: Kysely<Tables>, settled: () => Promise<void>): RetentionStore {
  return {
    async rules() {
      const rows = await db.selectFrom('retention_rules').selectAll().orderBy('name').orderBy('id').execute()
      return rows.map(ruleOf)
    },
    async addRule(rule) {
      await db.insertInto('retention_rules').values(ruleRow(rule)).execute()
    },
    async replaceRule(rule) {
      const { id: _, ...row } = ruleRow(rule)
      const { numUpdatedRows } = await db
        .updateTable('retention_rules')
        .set(row)
        .where('id', '=', rule.id)
        .executeTakeFirst()
      return numUpdatedRows > 0n
    },
    async removeRule(id) {
      const { numDeletedRows } = await db.deleteFrom('retention_rules').where('id', '=', id).executeTakeFirst()
      return numDeletedRows > 0n
    },
    async case(recordingId) {
      await settled()
      const rows = await db
        .selectFrom('recordings')
        .selectAll()
        .where('id', '=', recordingId)
        .where('state', 'in', finished)
        .execute()
      return (await casesOf(db, rows))[0]
    },
    async cases(beganBeforeMs, behind, limit) {
      await settled()
      const rows: Selectable<RecordingsTable>[] = []
      // One state at a time: the index then passes over those that are deleted, however many they have become.
      for (const state of finished) {
        let select = db
          .selectFrom('recordings')
          .selectAll()
          .where('state', '=', state)
          .where('started_at_ms', '<', beganBeforeMs)
        if (behind)
          select = select.where(
            sql<boolean>`(${sql.ref('started_at_ms')}, ${sql.ref('id')}) > (${behind.startedAtMs}, ${behind.recordingId})`,
          )
        rows.push(...(await select.orderBy('started_at_ms').orderBy('id').limit(limit).execute()))
      }
      rows.sort((a, b) => a.started_at_ms - b.started_at_ms || (a.id < b.id ? -1 : 1))
      return casesOf(db, rows.slice(0, limit))
    },
    async shortestAsked() {
      await settled()
      const row = await db
        .selectFrom('recordings')
        .select((eb) => eb.fn.min('retention_days').as('days'))
        .where('state', 'in', finished)
        .executeTakeFirst()
      return row?.days ?? undefined
    },
    beginDeletion: (recordingId, entry, atMs) =>
      db.transaction().execute(async (transaction) => {
        const row = await transaction
          .selectFrom('recordings')
          .select('id')
          .where('id', '=', recordingId)
          .where('state', 'in', finished)
          .executeTakeFirst()
        if (!row) return 'gone'
        if ((await holdsOnRecording(transaction, recordingId)).length > 0) return 'held'
        await transaction.updateTable('recordings').set({ state: 'deleting' }).where('id', '=', recordingId).execute()
        await appendAudit(transaction, entry, atMs)
        await addJobs(transaction, [{ kind: deleteJobKind, key: recordingId }], atMs)
        return 'begun'
      }),
    resume: (nowMs) =>
      db.transaction().execute(async (transaction) => {
        const rows = await transaction
          .selectFrom('recordings')
          .select('id')
          .where('state', '=', 'deleting')
          .orderBy('started_at_ms')
          .limit(mostResumed)
          .execute()
        const jobs = rows.map(({ id }) => ({ kind: deleteJobKind, key: id }))
        await addJobs(transaction, jobs, nowMs)
        return rows.length
      }),
    async deletion(recordingId) {
      const row = await db
        .selectFrom('recordings')
        .select(['call_id', 'base_name'])
        .where('id', '=', recordingId)
        .where('state', '=', 'deleting')
        .executeTakeFirst()
      if (!row) return undefined
      const files = await db
        .selectFrom('recording_files')
        .select('name')
        .where('recording_id', '=', recordingId)
        .execute()
      return {
        recordingId,
        callId: row.call_id,
        baseName: row.base_name ?? '',
        files: files.map(({ name }) => name),
      }
    },
    async endDeletion(recordingId, atMs) {
      await db.transaction().execute(async (transaction) => {
        await transaction
          .updateTable('recordings')
          .set({ state: 'deleted', deleted_at_ms: atMs, base_name: null })
          .where('id', '=', recordingId)
          .execute()
        // The link of the chain of proofs stays, what it is about goes.
        await transaction
          .updateTable('proofs')
          .set({ statement: null })
          .where('recording_id', '=', recordingId)
          .execute()
        await transaction.deleteFrom('recording_files').where('recording_id', '=', recordingId).execute()
      })
    },
    async known(names) {
      await settled()
      if (names.length === 0) return new Set()
      const files = await db.selectFrom('recording_files').select('name').where('name', 'in', names).execute()
      const recordings = await db.selectFrom('recordings').select('base_name').where('base_name', 'in', names).execute()
      return new Set([...files.map(({ name }) => name), ...recordings.flatMap(({ base_name }) => base_name ?? [])])
    },
  }
}

async function casesOf(
  db: Kysely<Tables>,
  rows: readonly Selectable<RecordingsTable>[],
): Promise<readonly RetentionCase[]> {
  if (rows.length === 0) return []
  const ids = rows.map(({ id }) => id)
  const callIds = [...new Set(rows.map(({ call_id }) => call_id))]
  const calls = await db
    .selectFrom('calls')
    .select(['id', 'kind', 'from_extension', 'to_extension'])
    .where('id', 'in', callIds)
    .execute()
  const legs = await db
    .selectFrom('legs')
    .select(['call_id', 'party_extension'])
    .where('call_id', 'in', callIds)
    .where('party_extension', 'is not', null)
    .execute()
  const tags = await db.selectFrom('recording_tags').selectAll().where('recording_id', 'in', ids).execute()
  const callTags = await db.selectFrom('call_tags').selectAll().where('call_id', 'in', callIds).execute()
  const callOf = new Map(calls.map((call) => [call.id, call]))
  return rows.map((row) => {
    const call = callOf.get(row.call_id)
    const ofCall = <Row extends { call_id: string }>(all: readonly Row[]): Row[] =>
      all.filter(({ call_id }) => call_id === row.call_id)
    const extensions = [
      call?.from_extension,
      call?.to_extension,
      ...ofCall(legs).map(({ party_extension }) => party_extension),
    ]
    return {
      recordingId: row.id,
      callId: row.call_id,
      kind: call?.kind ?? 'pbx',
      startedAtMs: row.started_at_ms,
      endedAtMs: row.started_at_ms + (row.duration_ms ?? 0),
      ...(row.peer !== null && { peer: row.peer }),
      ...(row.retention_days !== null && { retentionDays: row.retention_days }),
      tags: [
        ...tags.filter(({ recording_id }) => recording_id === row.id).map(({ tag }) => tag),
        ...ofCall(callTags).map(({ tag }) => tag),
      ],
      extensions: [...new Set(extensions.flatMap((extension) => extension ?? []))],
    }
  })
}

const ruleOf = (row: Selectable<RetentionRulesTable>): RetentionRule => ({
  id: row.id,
  name: row.name,
  ...(row.kind !== null && { kind: row.kind }),
  ...(row.peer !== null && { peer: row.peer }),
  ...(row.tag !== null && { tag: row.tag }),
  ...(row.extension !== null && { extension: row.extension }),
  ...(row.days !== null && { days: row.days }),
  createdAtMs: row.created_at_ms,
})

const ruleRow = (rule: RetentionRule): RetentionRulesTable => ({
  id: rule.id,
  name: rule.name,
  kind: rule.kind ?? null,
  peer: rule.peer ?? null,
  tag: rule.tag ?? null,
  extension: rule.extension ?? null,
  days: rule.days ?? null,
  created_at_ms: rule.createdAtMs,
})
