/** Proofs of recordings: a chain of signed links, each with the statement that it is about until that is erased. */
import type { Kysely } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('proofs')
    .addColumn('serial', 'integer', (column) => column.primaryKey())
    .addColumn('recording_id', 'varchar(64)', (column) => column.notNull().unique())
    .addColumn('statement', 'text')
    .addColumn('link', 'text', (column) => column.notNull())
    .addColumn('signature', 'varchar(128)', (column) => column.notNull())
    .execute()
  await db.schema.createIndex('recordings_by_base_name').on('recordings').column('base_name').execute()
}
