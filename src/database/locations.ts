/** Where copies of recordings lie, as archive/ asks for it. */
import type { Kysely, Selectable } from 'kysely'
import type { Location, LocationStore } from '../archive/locations.ts'
import type { RecordingLocationsTable, Tables } from './tables.ts'

/** @param settled Resolves when all facts told so far are written. */
export function createLocationStore(db: Kysely<Tables>, settled: () => Promise<void>): LocationStore {
  return {
    async recording(id) {
      await settled()
      const row = await db
        .selectFrom('recordings')
        .innerJoin('calls', 'calls.id', 'recordings.call_id')
        .select(['recordings.id', 'call_id', 'kind', 'from_uri', 'to_uri', 'peer', 'base_name'])
        .select('recordings.started_at_ms')
        .where('recordings.id', '=', id)
        // No copy is made of what is being deleted.
        .where('recordings.state', 'not in', ['deleting', 'deleted'])
        .executeTakeFirst()
      if (!row || row.base_name === null) return undefined
      const files = await db
        .selectFrom('recording_files')
        .select('name')
        .where('recording_id', '=', id)
        .orderBy('position')
        .execute()
      return {
        recordingId: row.id,
        callId: row.call_id,
        kind: row.kind,
        from: row.from_uri,
        to: row.to_uri,
        ...(row.peer !== null && { peer: row.peer }),
        startedAtMs: row.started_at_ms,
        baseName: row.base_name,
        files: files.map(({ name }) => name),
      }
    },
    async of(recordingId) {
      const rows = await db
        .selectFrom('recording_locations')
        .selectAll()
        .where('recording_id', '=', recordingId)
        .orderBy('store')
        .orderBy('file')
        .execute()
      return rows.map(locationOf)
    },
    put(location) {
      const { recordingId, file, store } = location
      return db.transaction().execute(async (transaction) => {
        await transaction
          .deleteFrom('recording_locations')
          .where('recording_id', '=', recordingId)
          .where('file', '=', file)
          .where('store', '=', store)
          .execute()
        await transaction.insertInto('recording_locations').values(rowOf(location)).execute()
      })
    },
    async forget(recordingId, store, file) {
      await db
        .deleteFrom('recording_locations')
        .where('recording_id', '=', recordingId)
        .where('file', '=', file)
        .where('store', '=', store)
        .execute()
    },
  }
}

const locationOf = (row: Selectable<RecordingLocationsTable>): Location => ({
  recordingId: row.recording_id,
  file: row.file,
  store: row.store,
  key: row.key,
  uri: row.uri,
  bytes: row.bytes,
  sha256: row.sha256,
  storedAtMs: row.stored_at_ms,
  cold: row.cold === 1,
})

const rowOf = (location: Location): RecordingLocationsTable => ({
  recording_id: location.recordingId,
  file: location.file,
  store: location.store,
  key: location.key,
  uri: location.uri,
  bytes: location.bytes,
  sha256: location.sha256,
  stored_at_ms: location.storedAtMs,
  cold: Number(location.cold),
})
