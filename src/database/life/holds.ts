/** Legal holds, and what they are about. */
import type { ExpressionBuilder, Kysely, Selectable, Transaction } from 'kysely'
import { sql } from 'kysely'
import { RetentionError } from '../../retention/failures.ts'
import type { Hold, HoldStore } from '../../retention/types.ts'
import type { HoldsTable, Tables } from '../tables.ts'
import { appendAudit } from './audit.ts'

export function createHoldStore(db: Kysely<Tables>, settled: () => Promise<void>): HoldStore {
  return {
    async place(hold, entry) {
      await settled()
      await db.transaction().execute(async (transaction) => {
        await checkThere(transaction, hold)
        await transaction.insertInto('holds').values(rowOf(hold)).execute()
        await appendAudit(transaction, entry, hold.placedAtMs)
      })
    },
    lift: (id, { by, why, atMs }, entry) =>
      db.transaction().execute(async (transaction) => {
        const row = await transaction
          .selectFrom('holds')
          .selectAll()
          .where('id', '=', id)
          .where('lifted_at_ms', 'is', null)
          .executeTakeFirst()
        if (!row) return undefined
        const lifted = { lifted_by: by, lifted_at_ms: atMs, lifted_why: why }
        await transaction.updateTable('holds').set(lifted).where('id', '=', id).execute()
        await appendAudit(transaction, entry, atMs)
        return holdOf({ ...row, ...lifted })
      }),
    async list(all) {
      let select = db.selectFrom('holds').selectAll()
      if (!all) select = select.where('lifted_at_ms', 'is', null)
      return (await select.orderBy('placed_at_ms', 'desc').orderBy('id').execute()).map(holdOf)
    },
    async onRecording(recordingId) {
      await settled()
      return holdsOnRecording(db, recordingId)
    },
    async onCalls(callIds) {
      await settled()
      const found = new Map<string, Hold>()
      for (const callId of callIds) for (const hold of await holdsOnCall(db, callId)) found.set(hold.id, hold)
      return [...found.values()]
    },
  }
}

/** Those that stand and are about the recording, its call or somebody in it. */
export async function holdsOnRecording(
  db: Kysely<Tables> | Transaction<Tables>,
  recordingId: string,
): Promise<readonly Hold[]> {
  const row = await db.selectFrom('recordings').select('call_id').where('id', '=', recordingId).executeTakeFirst()
  if (!row) return []
  const rows = await db
    .selectFrom('holds')
    .selectAll()
    .where('lifted_at_ms', 'is', null)
    .where((eb) =>
      eb.or([
        eb.and([eb('kind', '=', 'recording'), eb('subject', '=', recordingId)]),
        eb.and([eb('kind', '=', 'call'), eb('subject', '=', row.call_id)]),
        eb.and([eb('kind', '=', 'person'), isInCall(eb, row.call_id)]),
      ]),
    )
    .orderBy('placed_at_ms')
    .execute()
  return rows.map(holdOf)
}

/** Those that stand and are about the call, any recording of it or somebody in it. */
export async function holdsOnCall(db: Kysely<Tables> | Transaction<Tables>, callId: string): Promise<readonly Hold[]> {
  const recordings = await db.selectFrom('recordings').select('id').where('call_id', '=', callId).execute()
  const ids = recordings.map(({ id }) => id)
  const rows = await db
    .selectFrom('holds')
    .selectAll()
    .where('lifted_at_ms', 'is', null)
    .where((eb) =>
      eb.or([
        ...(ids.length > 0 ? [eb.and([eb('kind', '=', 'recording'), eb('subject', 'in', ids)])] : []),
        eb.and([eb('kind', '=', 'call'), eb('subject', '=', callId)]),
        eb.and([eb('kind', '=', 'person'), isInCall(eb, callId)]),
      ]),
    )
    .orderBy('placed_at_ms')
    .execute()
  return rows.map(holdOf)
}

const isInCall = (eb: ExpressionBuilder<Tables, 'holds'>, callId: string) =>
  eb.exists(
    eb
      .selectFrom('call_people')
      .select(sql.lit(1).as('one'))
      .where('call_people.call_id', '=', callId)
      .whereRef('call_people.person', '=', 'holds.subject'),
  )

/** A person may be held before the first call. */
async function checkThere(db: Transaction<Tables>, { kind, subject }: Hold): Promise<void> {
  if (kind === 'person') return
  const recordings = await db
    .selectFrom('recordings')
    .select('state')
    .where(kind === 'recording' ? 'id' : 'call_id', '=', subject)
    .execute()
  const call =
    kind === 'call' && (await db.selectFrom('calls').select('id').where('id', '=', subject).executeTakeFirst())
  if (!call && recordings.length === 0) throw new RetentionError('retention.nothing-to-hold')
  const gone = recordings.filter(({ state }) => state === 'deleting' || state === 'deleted')
  if (gone.length > 0 && gone.length === recordings.length) throw new RetentionError('retention.not-stored')
}

const rowOf = (hold: Hold): HoldsTable => ({
  id: hold.id,
  kind: hold.kind,
  subject: hold.subject,
  why: hold.why,
  placed_by: hold.placedBy,
  placed_at_ms: hold.placedAtMs,
  lifted_by: hold.liftedBy ?? null,
  lifted_at_ms: hold.liftedAtMs ?? null,
  lifted_why: hold.liftedWhy ?? null,
})

const holdOf = (row: Selectable<HoldsTable>): Hold => ({
  id: row.id,
  kind: row.kind,
  subject: row.subject,
  why: row.why,
  placedBy: row.placed_by,
  placedAtMs: row.placed_at_ms,
  ...(row.lifted_by !== null && { liftedBy: row.lifted_by }),
  ...(row.lifted_at_ms !== null && { liftedAtMs: row.lifted_at_ms }),
  ...(row.lifted_why !== null && { liftedWhy: row.lifted_why }),
})
