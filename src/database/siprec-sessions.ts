/** Recording sessions that run, as rows: written in batches, read at the start. */
import type { Kysely } from 'kysely'
import type { SessionStore } from '../siprec/survival/store.ts'
import type { Tables } from './tables.ts'

/** SQLite binds 32,766 values at most. */
const rowsPerStatement = 1_000

export const createSessionStoreOfSiprec = (db: Kysely<Tables>): SessionStore => ({
  async write(changes) {
    const ids = changes.map(({ id }) => id)
    const rows = changes.flatMap(({ id, sealed }) =>
      sealed ? [{ id, sealed: Buffer.from(sealed).toString('base64') }] : [],
    )
    await db.transaction().execute(async (transaction) => {
      for (let from = 0; from < ids.length; from += rowsPerStatement)
        await transaction
          .deleteFrom('siprec_sessions')
          .where('id', 'in', ids.slice(from, from + rowsPerStatement))
          .execute()
      for (let from = 0; from < rows.length; from += rowsPerStatement)
        await transaction
          .insertInto('siprec_sessions')
          .values(rows.slice(from, from + rowsPerStatement))
          .execute()
    })
  },
  async all() {
    const rows = await db.selectFrom('siprec_sessions').selectAll().execute()
    return rows.map(({ id, sealed }) => ({ id, sealed: Buffer.from(sealed, 'base64') }))
  },
  close: () => Promise.resolve(),
})
