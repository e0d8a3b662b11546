/** Devices that are registered by datagrams, so that they can be rung after a restart. */
import type { Kysely } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('registrations')
    .addColumn('id', 'varchar(64)', (column) => column.primaryKey())
    .addColumn('extension', 'varchar(64)', (column) => column.notNull())
    .addColumn('contact', 'text', (column) => column.notNull())
    .addColumn('path', 'text', (column) => column.notNull())
    .addColumn('local_ip', 'varchar(64)', (column) => column.notNull())
    .addColumn('local_port', 'integer', (column) => column.notNull())
    .addColumn('remote_ip', 'varchar(64)', (column) => column.notNull())
    .addColumn('remote_port', 'integer', (column) => column.notNull())
    .addColumn('sip_call_id', 'text', (column) => column.notNull())
    .addColumn('cseq', 'bigint', (column) => column.notNull())
    .addColumn('user_agent', 'text')
    .addColumn('expires_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('proof', 'varchar(64)', (column) => column.notNull())
    .execute()
}
