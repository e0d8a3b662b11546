/** Recording sessions that run, sealed: for the process after this one. */
import type { Kysely } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('siprec_sessions')
    .addColumn('id', 'varchar(64)', (column) => column.primaryKey())
    // base64: what a blob is called differs from database to database.
    .addColumn('sealed', 'text', (column) => column.notNull())
    .execute()
}
