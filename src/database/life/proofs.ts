/** Proofs as rows, and what a proof is made of. */
import type { Kysely, Selectable } from 'kysely'
import type { KeptProof, ProofStore } from '../../proof/types.ts'
import { withFiles } from '../history.ts'
import type { ProofsTable, Tables } from '../tables.ts'

/** Another process (the command line) may have taken the serial meanwhile. */
const mostTries = 5

/** @param settled Resolves when all facts told so far are written. */
export function createProofStore(db: Kysely<Tables>, settled: () => Promise<void>): ProofStore {
  return {
    async recording(idOrName) {
      await settled()
      const row = await db
        .selectFrom('recordings')
        .selectAll()
        .where((where) => where.or([where('id', '=', idOrName), where('base_name', '=', idOrName)]))
        .limit(1)
        .executeTakeFirst()
      if (!row) return undefined
      const [recording] = await withFiles(db, [row])
      return recording && { ...recording, baseName: row.base_name ?? '' }
    },
    async of(recordingId) {
      const row = await db.selectFrom('proofs').selectAll().where('recording_id', '=', recordingId).executeTakeFirst()
      return row && proofOf(row)
    },
    async append(recordingId, make) {
      for (let tries = 1; ; tries++) {
        try {
          return await append(db, recordingId, make)
        } catch (error) {
          if (tries >= mostTries) throw error
        }
      }
    },
    async after(serial, limit) {
      const rows = await db
        .selectFrom('proofs')
        .selectAll()
        .where('serial', '>', serial)
        .orderBy('serial')
        .limit(limit)
        .execute()
      return rows.map(proofOf)
    },
    async known(names) {
      await settled()
      if (names.length === 0) return new Set()
      const rows = await db.selectFrom('recording_files').select('name').where('name', 'in', names).execute()
      return new Set(rows.map(({ name }) => name))
    },
  }
}

async function append(
  db: Kysely<Tables>,
  recordingId: string,
  make: Parameters<ProofStore['append']>[1],
): Promise<KeptProof> {
  return db.transaction().execute(async (transaction) => {
    const known = await transaction
      .selectFrom('proofs')
      .selectAll()
      .where('recording_id', '=', recordingId)
      .executeTakeFirst()
    if (known) return proofOf(known)
    const last = await transaction
      .selectFrom('proofs')
      .select(['serial', 'link'])
      .orderBy('serial', 'desc')
      .limit(1)
      .executeTakeFirst()
    const proof = make((last?.serial ?? 0) + 1, last?.link)
    const { serial, statement = null, link, signature } = proof
    await transaction
      .insertInto('proofs')
      .values({ serial, recording_id: recordingId, statement, link, signature })
      .execute()
    return proof
  })
}

const proofOf = (row: Selectable<ProofsTable>): KeptProof => ({
  serial: row.serial,
  recordingId: row.recording_id,
  ...(row.statement !== null && { statement: row.statement }),
  link: row.link,
  signature: row.signature,
})
