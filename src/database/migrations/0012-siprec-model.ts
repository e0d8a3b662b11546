/**
 * What SIPREC metadata says beside the people: communication sessions, vendor facts, when somebody was heard; and the
 * keys by which other systems know a call.
 */
import type { Kysely } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('siprec_metadata').addColumn('sessions', 'text').execute()
  await db.schema.alterTable('siprec_metadata').addColumn('vendor', 'text').execute()
  await db.schema.alterTable('calls').addColumn('metadata_problems', 'integer').execute()
  await db.schema.alterTable('participants').addColumn('heard', 'text').execute()

  await db.schema
    .createTable('call_keys')
    .addColumn('call_id', 'varchar(64)', (column) => column.notNull().references('calls.id').onDelete('cascade'))
    .addColumn('name', 'varchar(128)', (column) => column.notNull())
    .addColumn('value', 'varchar(255)', (column) => column.notNull())
    .execute()
  await db.schema.createIndex('call_keys_by_call').on('call_keys').column('call_id').execute()
  await db.schema.createIndex('call_keys_by_value').on('call_keys').column('value').execute()
}
