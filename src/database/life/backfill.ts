/** Which recordings lack a copy or a proof, as archive/ asks for it. */
import type { Kysely } from 'kysely'
import type { BackfillStore } from '../../archive/locations.ts'
import type { Tables } from '../tables.ts'

export const createBackfillStore = (db: Kysely<Tables>): BackfillStore => ({
  async lacking({ stores, proof }, behind, limit) {
    const rows = await db
      .selectFrom('recordings')
      .select('id')
      .where('state', 'in', ['stored', 'interrupted'])
      .where('base_name', 'is not', null)
      .where('id', '>', behind)
      .orderBy('id')
      .limit(limit)
      .execute()
    const ids = rows.map(({ id }) => id)
    if (ids.length === 0) return { recordings: [] }
    const files = await db
      .selectFrom('recording_files')
      .select(['recording_id', 'name'])
      .where('recording_id', 'in', ids)
      .orderBy('position')
      .execute()
    const copies = await db
      .selectFrom('recording_locations')
      .select(['recording_id', 'file', 'store'])
      .where('recording_id', 'in', ids)
      .where('stored_at_ms', '>', 0)
      .execute()
    const proofs = await db.selectFrom('proofs').select('recording_id').where('recording_id', 'in', ids).execute()
    const proven = new Set(proofs.map(({ recording_id }) => recording_id))
    const copied = new Set(copies.map(({ recording_id, file, store }) => JSON.stringify([recording_id, store, file])))
    const recordings = ids.map((recordingId) => {
      const names = files.filter(({ recording_id }) => recording_id === recordingId).map(({ name }) => name)
      const isWhole = (store: string) => names.every((name) => copied.has(JSON.stringify([recordingId, store, name])))
      return {
        recordingId,
        files: names,
        stores: stores.filter((store) => !isWhole(store)),
        proof: proof && !proven.has(recordingId),
      }
    })
    const last = ids.length === limit ? ids.at(-1) : undefined
    return {
      recordings: recordings.filter((one) => one.stores.length > 0 || one.proof),
      ...(last !== undefined && { behind: last }),
    }
  },
})
