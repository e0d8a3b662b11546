/** How many files an export lacks, and why an erasure waits. */
import type { Kysely } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('exports').addColumn('missing', 'integer').execute()
  await db.schema.alterTable('erasures').addColumn('waits', 'text').execute()
}
