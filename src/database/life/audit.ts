/** The audit record as rows. What a hash covers is in audit/chain.ts. */
import type { Kysely, Selectable, Transaction } from 'kysely'
import { hashOf, noHash } from '../../audit/chain.ts'
import type { AuditDetails, AuditEntry, AuditRecord, AuditStore } from '../../audit/types.ts'
import type { AuditTable, Tables } from '../tables.ts'

/** Another process (the command line) may have taken the sequence meanwhile. */
const mostTries = 5

export function createAuditStore(db: Kysely<Tables>): AuditStore {
  return {
    async append(entry, atMs) {
      for (let tries = 1; ; tries++) {
        try {
          return await db.transaction().execute((transaction) => appendAudit(transaction, entry, atMs))
        } catch (error) {
          if (tries >= mostTries) throw error
        }
      }
    },
    async list({ action, who, subject, fromMs, untilMs, limit, before }) {
      let select = db.selectFrom('audit').selectAll()
      if (action?.includes('.')) select = select.where('action', '=', action)
      else if (action) select = select.where('action', '>=', `${action}.`).where('action', '<', `${action}/`)
      if (who) select = select.where('who', '=', who)
      if (subject) select = select.where('subject', '=', subject)
      if (fromMs !== undefined) select = select.where('at_ms', '>=', fromMs)
      if (untilMs !== undefined) select = select.where('at_ms', '<', untilMs)
      if (before !== undefined) select = select.where('sequence', '<', before)
      const rows = await select.orderBy('sequence', 'desc').limit(limit).execute()
      return rows.map(recordOf)
    },
    async after(sequence, limit) {
      const rows = await db
        .selectFrom('audit')
        .selectAll()
        .where('sequence', '>', sequence)
        .orderBy('sequence')
        .limit(limit)
        .execute()
      return rows.map(recordOf)
    },
  }
}

/** For who writes the record in one transaction with what it tells of. */
export async function appendAudit(db: Transaction<Tables>, entry: AuditEntry, atMs: number): Promise<AuditRecord> {
  const last = await db
    .selectFrom('audit')
    .select(['sequence', 'hash'])
    .orderBy('sequence', 'desc')
    .limit(1)
    .executeTakeFirst()
  const details = JSON.stringify(entry.details ?? {})
  const unhashed = { ...entry, sequence: (last?.sequence ?? 0) + 1, atMs, details, previous: last?.hash ?? noHash }
  const row = {
    sequence: unhashed.sequence,
    at_ms: atMs,
    who: entry.who,
    via: entry.via,
    source: entry.source ?? null,
    action: entry.action,
    subject: entry.subject ?? null,
    details,
    previous: unhashed.previous,
    hash: hashOf(unhashed),
  }
  await db.insertInto('audit').values(row).execute()
  return recordOf(row)
}

const recordOf = (row: Selectable<AuditTable>): AuditRecord => ({
  sequence: row.sequence,
  atMs: row.at_ms,
  who: row.who,
  via: row.via,
  ...(row.source !== null && { source: row.source }),
  action: row.action,
  ...(row.subject !== null && { subject: row.subject }),
  details: detailsOf(row.details),
  previous: row.previous,
  hash: row.hash,
})

/** What is no JSON any more was tampered with: the hash does not fit what is shown instead. */
function detailsOf(text: string): AuditDetails {
  try {
    return JSON.parse(text) as AuditDetails
  } catch {
    return { unreadable: true }
  }
}
