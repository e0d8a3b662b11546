/** How well each leg was heard, as JSON: shown with the call, searched by nobody. */
import type { Kysely } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('legs').addColumn('quality', 'text').execute()
}
