/** Jobs: what still has to be done, with an index for who takes the next one and one for who looks up a recording's. */
import type { Kysely } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('jobs')
    .addColumn('id', 'varchar(32)', (column) => column.primaryKey())
    .addColumn('kind', 'varchar(64)', (column) => column.notNull())
    .addColumn('key', 'varchar(255)', (column) => column.notNull())
    .addColumn('subject', 'varchar(64)')
    .addColumn('payload', 'text', (column) => column.notNull())
    .addColumn('priority', 'integer', (column) => column.notNull())
    .addColumn('state', 'varchar(16)', (column) => column.notNull())
    .addColumn('attempts', 'integer', (column) => column.notNull())
    .addColumn('not_before_ms', 'bigint', (column) => column.notNull())
    .addColumn('added_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('last_error', 'text')
    .addColumn('again', 'integer', (column) => column.notNull())
    .addUniqueConstraint('jobs_kind_key', ['kind', 'key'])
    .execute()
  await db.schema
    .createIndex('jobs_due')
    .on('jobs')
    .columns(['kind', 'state', 'priority', 'not_before_ms', 'id'])
    .execute()
  await db.schema.createIndex('jobs_subject').on('jobs').column('subject').execute()
}
