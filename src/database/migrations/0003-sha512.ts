/** Passwords of extensions by SHA-512/256 as well (RFC 8760). Those set before have none until they are set anew. */
import type { Kysely } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('extensions').addColumn('ha1_sha512', 'varchar(64)').execute()
}
