/** The recording servers elsewhere that calls of an extension are sent to; those of the server's setting where it is null. */
import type { Kysely } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('extensions').addColumn('record_to', 'text').execute()
}
