/** Pauses and mutes of recordings: JSON of the catalogue's RecordingMark list. Null: there were none, or not known. */
import type { Kysely } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('recordings').addColumn('marks', 'text').execute()
}
