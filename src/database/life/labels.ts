/** Tags and notes. */
import type { Kysely } from 'kysely'
import { type LabelStore, mostNotes } from '../../call/labels.ts'
import type { Tables } from '../tables.ts'

export function createLabelStore(db: Kysely<Tables>, settled: () => Promise<void>): LabelStore {
  const there = async (table: 'calls' | 'recordings', id: string): Promise<boolean> => {
    await settled()
    return (await db.selectFrom(table).select('id').where('id', '=', id).executeTakeFirst()) !== undefined
  }
  return {
    async ofCall(callId) {
      if (!(await there('calls', callId))) return undefined
      const tags = await db.selectFrom('call_tags').select('tag').where('call_id', '=', callId).orderBy('tag').execute()
      const notes = await db
        .selectFrom('call_notes')
        .selectAll()
        .where('call_id', '=', callId)
        .orderBy('at_ms')
        .orderBy('id')
        .execute()
      return {
        tags: tags.map(({ tag }) => tag),
        notes: notes.map(({ id, at_ms, who, text }) => ({ id, atMs: at_ms, who, text })),
      }
    },
    async tagCall(callId, tags) {
      if (!(await there('calls', callId))) return false
      await db.transaction().execute(async (transaction) => {
        await transaction.deleteFrom('call_tags').where('call_id', '=', callId).execute()
        const rows = [...new Set(tags)].map((tag) => ({ call_id: callId, tag }))
        if (rows.length > 0) await transaction.insertInto('call_tags').values(rows).execute()
      })
      return true
    },
    async tagRecording(recordingId, tags) {
      if (!(await there('recordings', recordingId))) return false
      await db.transaction().execute(async (transaction) => {
        await transaction.deleteFrom('recording_tags').where('recording_id', '=', recordingId).execute()
        const rows = [...new Set(tags)].map((tag) => ({ recording_id: recordingId, tag }))
        if (rows.length > 0) await transaction.insertInto('recording_tags').values(rows).execute()
      })
      return true
    },
    async addNote(callId, { id, atMs, who, text }) {
      if (!(await there('calls', callId))) return 'gone'
      const known = await db.selectFrom('call_notes').select('id').where('call_id', '=', callId).execute()
      if (known.length >= mostNotes) return 'full'
      await db.insertInto('call_notes').values({ id, call_id: callId, at_ms: atMs, who, text }).execute()
      return 'added'
    },
    async removeNote(callId, noteId) {
      const { numDeletedRows } = await db
        .deleteFrom('call_notes')
        .where('call_id', '=', callId)
        .where('id', '=', noteId)
        .executeTakeFirst()
      return numDeletedRows > 0n
    },
  }
}
