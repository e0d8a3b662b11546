/** Where copies of the files of recordings lie in archives. They outlive a recording's row until they are removed. */
import type { Kysely } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('recording_locations')
    .addColumn('recording_id', 'varchar(64)', (column) => column.notNull())
    .addColumn('file', 'varchar(255)', (column) => column.notNull())
    .addColumn('store', 'varchar(16)', (column) => column.notNull())
    .addColumn('key', 'text', (column) => column.notNull())
    .addColumn('uri', 'text', (column) => column.notNull())
    .addColumn('bytes', 'bigint', (column) => column.notNull())
    .addColumn('sha256', 'varchar(64)', (column) => column.notNull())
    .addColumn('stored_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('cold', 'integer', (column) => column.notNull())
    .addPrimaryKeyConstraint('recording_locations_pk', ['recording_id', 'file', 'store'])
    .execute()
}
