/** Exports as rows. */
import type { Kysely, Selectable } from 'kysely'
import { exportJobKind } from '../../compliance/job-kinds.ts'
import type { ExportRecord, ExportStore, Subject } from '../../compliance/types.ts'
import { addJobs } from '../jobs.ts'
import { insertRows } from '../statements.ts'
import type { ExportsTable, Tables } from '../tables.ts'
import { appendAudit } from './audit.ts'

export function createExportStore(db: Kysely<Tables>): ExportStore {
  return {
    add: (record, entry) =>
      db.transaction().execute(async (transaction) => {
        await transaction
          .insertInto('exports')
          .values({
            id: record.id,
            subject: JSON.stringify(record.subject),
            state: record.state,
            asked_by: record.askedBy,
            asked_at_ms: record.askedAtMs,
            done: record.done,
            total: record.total,
          })
          .execute()
        await appendAudit(transaction, entry, record.askedAtMs)
        await addJobs(transaction, [{ kind: exportJobKind, key: record.id }], record.askedAtMs)
      }),
    async find(id) {
      const row = await db.selectFrom('exports').selectAll().where('id', '=', id).executeTakeFirst()
      return row && recordOf(row)
    },
    async list(limit) {
      const rows = await db
        .selectFrom('exports')
        .selectAll()
        .orderBy('asked_at_ms', 'desc')
        .orderBy('id')
        .limit(limit)
        .execute()
      return rows.map(recordOf)
    },
    async change(id, { expiresAtMs, ...change }) {
      await db
        .updateTable('exports')
        .set({ ...change, ...(expiresAtMs !== undefined && { expires_at_ms: expiresAtMs }) })
        .where('id', '=', id)
        .execute()
    },
    async setCalls(id, callIds) {
      await db.transaction().execute(async (transaction) => {
        await transaction.deleteFrom('export_calls').where('export_id', '=', id).execute()
        const rows = callIds.map((callId) => ({ export_id: id, call_id: callId }))
        await insertRows(transaction, 'export_calls', rows)
      })
    },
  }
}

const recordOf = (row: Selectable<ExportsTable>): ExportRecord => ({
  id: row.id,
  subject: JSON.parse(row.subject) as Subject,
  state: row.state,
  askedBy: row.asked_by,
  askedAtMs: row.asked_at_ms,
  done: row.done,
  total: row.total,
  ...(row.bytes !== null && { bytes: row.bytes }),
  ...(row.sha256 !== null && { sha256: row.sha256 }),
  ...(row.expires_at_ms !== null && { expiresAtMs: row.expires_at_ms }),
  ...(row.error !== null && { error: row.error }),
  ...(row.missing !== null && { missing: row.missing }),
})
