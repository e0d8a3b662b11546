/** Whether the audio of an extension is encrypted; as the server's setting says where it is null. */
import type { Kysely } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('extensions').addColumn('srtp', 'text').execute()
}
