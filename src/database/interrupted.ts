/**
 * Calls whose process died: closed at the next start, before new calls are taken.
 *
 * They ended when the process last gave a sign of life, or with their own last fact if that is later.
 */
import type { Kysely } from 'kysely'
import type { Tables } from './tables.ts'
import type { CallMemory } from './write-fact.ts'

/**
 * Close every call without an end as `interrupted`, with its legs and recordings.
 * @param goingOn Ids of those that are taken up instead.
 * @param nowMs No call ends later than this, whatever the clock did meanwhile.
 * @returns Their ids.
 */
export function markInterrupted(db: Kysely<Tables>, nowMs: number, goingOn: readonly string[] = []): Promise<string[]> {
  const goes = new Set(goingOn)
  return db.transaction().execute(async (transaction) => {
    const all = await transaction
      .selectFrom('calls')
      .select(['id', 'seen_at_ms'])
      .where('ended_at_ms', 'is', null)
      .execute()
    const open = all.filter(({ id }) => !goes.has(id))
    const lifeSign = await transaction.selectFrom('life_signs').select('at_ms').executeTakeFirst()
    for (const { id, seen_at_ms } of open) {
      const endedAtMs = Math.min(Math.max(seen_at_ms, lifeSign?.at_ms ?? 0), Math.max(nowMs, seen_at_ms))
      await transaction
        .updateTable('calls')
        .set({ ended_at_ms: endedAtMs, end_reason: 'interrupted' })
        .where('id', '=', id)
        .execute()
      await transaction
        .updateTable('legs')
        .set({ ended_at_ms: endedAtMs })
        .where('call_id', '=', id)
        .where('ended_at_ms', 'is', null)
        .execute()
    }
    const recordings = await transaction
      .selectFrom('recordings')
      .select(['id', 'call_id'])
      .where('state', '=', 'recording')
      .execute()
    for (const { id, call_id } of recordings)
      if (!goes.has(call_id))
        await transaction.updateTable('recordings').set({ state: 'interrupted' }).where('id', '=', id).execute()
    return open.map(({ id }) => id)
  })
}

/** Whether `recording.stored` was written of it, ever: it has the name of its files then, or they are deleted in order. */
export async function isKept(db: Kysely<Tables>, recordingId: string): Promise<boolean> {
  const row = await db
    .selectFrom('recordings')
    .select(['state', 'base_name'])
    .where('id', '=', recordingId)
    .executeTakeFirst()
  // One that is being deleted and was never finished needs its notes: they alone know its files.
  return row !== undefined && (row.base_name !== null || row.state === 'deleted')
}

/** What the journal of the last process knew of these calls. */
export async function memoriesOf(db: Kysely<Tables>, callIds: readonly string[]): Promise<Map<string, CallMemory>> {
  const memories = new Map<string, CallMemory>()
  for (const callId of callIds) {
    const legs = await db.selectFrom('legs').select(['id', 'digits']).where('call_id', '=', callId).execute()
    const documents = await db.selectFrom('siprec_metadata').select('problems').where('call_id', '=', callId).execute()
    const people = await db.selectFrom('call_people').select('person').where('call_id', '=', callId).execute()
    memories.set(callId, {
      people: new Set(people.map(({ person }) => person)),
      legs: legs.length,
      documents: documents.length,
      problems: documents.reduce((sum, { problems }) => sum + (JSON.parse(problems) as unknown[]).length, 0),
      digits: new Map(legs.flatMap(({ id, digits }) => (digits === '' ? [] : [[id, digits] as const]))),
      // A pause that goes on is told again.
    })
  }
  return memories
}
