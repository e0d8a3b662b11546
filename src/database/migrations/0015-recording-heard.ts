/** How well the legs of each recording were heard: JSON of the catalogue's RecordedLeg list. Null: not known. */
import type { Kysely } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('recordings').addColumn('heard', 'text').execute()
}
