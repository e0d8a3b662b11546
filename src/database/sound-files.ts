/** The sound files of recordings, as conversion asks for them. */
import type { Kysely } from 'kysely'
import type { SoundFiles } from '../recording/convert/convert.ts'
import { fileOf } from './rows.ts'
import type { Tables } from './tables.ts'

/** @param settled Resolves when all facts told so far are written. */
export const createSoundFiles = (db: Kysely<Tables>, settled: () => Promise<void>): SoundFiles => ({
  async of(recordingId) {
    await settled()
    const rows = await db
      .selectFrom('recording_files')
      .selectAll()
      .where('recording_id', '=', recordingId)
      .orderBy('position')
      .execute()
    return rows.map(fileOf)
  },
  async replace(recordingId, name, by) {
    await db
      .updateTable('recording_files')
      .set({ name: by.name, bytes: by.bytes })
      .where('recording_id', '=', recordingId)
      .where('name', '=', name)
      .execute()
  },
})
