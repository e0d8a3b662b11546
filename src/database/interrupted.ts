/**
 * Calls whose process died: closed at the next start, before new calls are taken.
 *
 * They ended when the process last gave a sign of life, or with their own last fact if that is later.
 */
import type { Kysely } from 'kysely'
import type { Tables } from './tables.ts'

/**
 * Close every call without an end as `interrupted`, with its legs and recordings.
 * @param nowMs No call ends later than this, whatever the clock did meanwhile.
 * @returns Their ids.
 */
export function markInterrupted(db: Kysely<Tables>, nowMs: number): Promise<string[]> {
  return db.transaction().execute(async (transaction) => {
    const open = await transaction
      .selectFrom('calls')
      .select(['id', 'seen_at_ms'])
      .where('ended_at_ms', 'is', null)
      .execute()
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
    await transaction.updateTable('recordings').set({ state: 'interrupted' }).where('state', '=', 'recording').execute()
    return open.map(({ id }) => id)
  })
}
