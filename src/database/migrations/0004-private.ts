/** Who asked not to be named (RFC 3323). Of calls before nobody is known to have. */
import type { Kysely } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('calls').addColumn('from_private', 'integer').execute()
  await db.schema.alterTable('legs').addColumn('party_private', 'integer').execute()
}
