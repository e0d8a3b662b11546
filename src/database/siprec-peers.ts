/** Recording clients that the API manages, as rows. */
import type { Kysely, Selectable } from 'kysely'
import type { DigestHashes } from '../pbx/directory.ts'
import type { PeerStore, SiprecPeer } from '../siprec/peers/peer.ts'
import type { SiprecPeersTable, Tables } from './tables.ts'

export const createPeerStore = (db: Kysely<Tables>): PeerStore => ({
  async all() {
    const rows = await db.selectFrom('siprec_peers').selectAll().orderBy('name').execute()
    return rows.map(fromRow)
  },
  async add(peer) {
    await db.insertInto('siprec_peers').values(toRow(peer)).execute()
  },
  async change(peer) {
    await db.updateTable('siprec_peers').set(toRow(peer)).where('id', '=', peer.id).execute()
  },
  async remove(id) {
    await db.deleteFrom('siprec_peers').where('id', '=', id).execute()
  },
})

function toRow(peer: SiprecPeer): SiprecPeersTable {
  return {
    id: peer.id,
    name: peer.name,
    enabled: peer.enabled ? 1 : 0,
    sources: peer.sources.join(','),
    username: peer.username ?? null,
    hashes: peer.hashes ? JSON.stringify(peer.hashes) : null,
    certificate: peer.certificate ?? null,
    dialect: peer.dialect,
    srtp: peer.srtp ?? null,
    codecs: peer.codecs?.join(',') ?? null,
    retention_days: peer.retentionDays ?? null,
    tags: JSON.stringify(peer.tags),
    contact: peer.contact ?? null,
    created_at_ms: peer.createdAtMs,
  }
}

function fromRow(row: Selectable<SiprecPeersTable>): SiprecPeer {
  return {
    id: row.id,
    name: row.name,
    enabled: row.enabled === 1,
    origin: 'api',
    sources: row.sources === '' ? [] : row.sources.split(','),
    dialect: row.dialect,
    tags: JSON.parse(row.tags) as string[],
    createdAtMs: row.created_at_ms,
    ...(row.username !== null && { username: row.username }),
    ...(row.hashes !== null && { hashes: JSON.parse(row.hashes) as DigestHashes }),
    ...(row.certificate !== null && { certificate: row.certificate }),
    ...(row.srtp !== null && { srtp: row.srtp }),
    ...(row.codecs !== null && { codecs: row.codecs.split(',') }),
    ...(row.retention_days !== null && { retentionDays: row.retention_days }),
    ...(row.contact !== null && { contact: row.contact }),
  }
}
