/** Recording clients that the API manages. */
import type { Kysely } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('siprec_peers')
    .addColumn('id', 'varchar(64)', (column) => column.primaryKey())
    .addColumn('name', 'varchar(100)', (column) => column.notNull().unique())
    .addColumn('enabled', 'integer', (column) => column.notNull())
    .addColumn('sources', 'text', (column) => column.notNull())
    .addColumn('username', 'varchar(100)')
    .addColumn('hashes', 'text')
    .addColumn('certificate', 'text')
    .addColumn('dialect', 'varchar(32)', (column) => column.notNull())
    .addColumn('srtp', 'varchar(32)')
    .addColumn('codecs', 'text')
    .addColumn('retention_days', 'integer')
    .addColumn('tags', 'text', (column) => column.notNull())
    .addColumn('contact', 'text')
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .execute()
}
