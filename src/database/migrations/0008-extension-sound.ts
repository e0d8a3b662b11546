/** What is done to the voice of an extension; as the server's setting says where it is null. */
import type { Kysely } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('extensions').addColumn('sound', 'text').execute()
}
