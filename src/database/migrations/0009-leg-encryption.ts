/** How the audio of each leg was encrypted, and with which suite of SRTP. Null before this: not known. */
import type { Kysely } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('legs').addColumn('encryption', 'text').execute()
  await db.schema.alterTable('legs').addColumn('suite', 'text').execute()
}
