/** Exports and erasures. */
import type { Kysely } from 'kysely'

const idType = 'varchar(64)'

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('exports')
    .addColumn('id', idType, (column) => column.primaryKey())
    .addColumn('subject', 'text', (column) => column.notNull())
    .addColumn('state', 'varchar(16)', (column) => column.notNull())
    .addColumn('asked_by', 'varchar(128)', (column) => column.notNull())
    .addColumn('asked_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('done', 'integer', (column) => column.notNull())
    .addColumn('total', 'integer', (column) => column.notNull())
    .addColumn('bytes', 'bigint')
    .addColumn('sha256', 'varchar(64)')
    .addColumn('expires_at_ms', 'bigint')
    .addColumn('error', 'text')
    .execute()
  await db.schema
    .createTable('export_calls')
    .addColumn('export_id', idType, (column) => column.notNull().references('exports.id').onDelete('cascade'))
    .addColumn('call_id', idType, (column) => column.notNull())
    .execute()
  await db.schema.createIndex('export_calls_by_call').on('export_calls').column('call_id').execute()
  await db.schema.createIndex('export_calls_by_export').on('export_calls').column('export_id').execute()
  await db.schema
    .createTable('erasures')
    .addColumn('id', idType, (column) => column.primaryKey())
    .addColumn('kind', 'varchar(16)', (column) => column.notNull())
    .addColumn('subject', 'text')
    .addColumn('state', 'varchar(16)', (column) => column.notNull())
    .addColumn('asked_by', 'varchar(128)', (column) => column.notNull())
    .addColumn('asked_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('finished_at_ms', 'bigint')
    .addColumn('report', 'text')
    .addColumn('audit_hash', 'varchar(64)')
    .execute()
}
