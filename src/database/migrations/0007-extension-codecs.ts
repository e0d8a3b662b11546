/** The codecs of an extension; those of the server's setting where it is null. */
import type { Kysely } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('extensions').addColumn('codecs', 'text').execute()
}
