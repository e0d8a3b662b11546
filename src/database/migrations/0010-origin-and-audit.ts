/** Where each recording came from, its tags, and the audit record. */
import type { Kysely } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('recordings').addColumn('base_name', 'text').execute()
  await db.schema.alterTable('recordings').addColumn('peer', 'varchar(128)').execute()
  await db.schema.alterTable('recordings').addColumn('retention_days', 'integer').execute()
  await db.schema
    .createTable('recording_tags')
    .addColumn('recording_id', 'varchar(64)', (column) =>
      column.notNull().references('recordings.id').onDelete('cascade'),
    )
    .addColumn('tag', 'varchar(64)', (column) => column.notNull())
    .addPrimaryKeyConstraint('recording_tags_key', ['recording_id', 'tag'])
    .execute()
  await db.schema.createIndex('recording_tags_by_tag').on('recording_tags').column('tag').execute()

  await db.schema
    .createTable('audit')
    .addColumn('sequence', 'bigint', (column) => column.primaryKey())
    .addColumn('at_ms', 'bigint', (column) => column.notNull())
    .addColumn('who', 'varchar(128)', (column) => column.notNull())
    .addColumn('via', 'varchar(16)', (column) => column.notNull())
    .addColumn('source', 'varchar(64)')
    .addColumn('action', 'varchar(64)', (column) => column.notNull())
    .addColumn('subject', 'varchar(256)')
    .addColumn('details', 'text', (column) => column.notNull())
    .addColumn('previous', 'varchar(64)', (column) => column.notNull())
    .addColumn('hash', 'varchar(64)', (column) => column.notNull())
    .execute()
  await db.schema.createIndex('audit_by_time').on('audit').columns(['at_ms', 'sequence']).execute()
  await db.schema.createIndex('audit_by_subject').on('audit').column('subject').execute()
}
