/** The metadata of a SIPREC session as it was kept. */
import type { Kysely } from 'kysely'
import type { CallMetadata } from '../call/history.ts'
import type { CommunicationSession, VendorFacts } from '../events/siprec.ts'
import type { Tables } from './tables.ts'

export async function callMetadata(db: Kysely<Tables>, callId: string): Promise<CallMetadata | undefined> {
  const rows = await db
    .selectFrom('siprec_metadata')
    .selectAll()
    .where('call_id', '=', callId)
    .orderBy('position')
    .execute()
  const last = rows.at(-1)
  if (!last) return undefined
  const documents = rows
    .filter(({ raw }) => raw !== '')
    .map(({ at_ms, raw, problems }) => ({ atMs: at_ms, raw, problems: JSON.parse(problems) as readonly string[] }))
  return {
    documents,
    sessions: last.sessions === null ? [] : (JSON.parse(last.sessions) as readonly CommunicationSession[]),
    ...(last.vendor !== null && { vendor: JSON.parse(last.vendor) as VendorFacts }),
  }
}
