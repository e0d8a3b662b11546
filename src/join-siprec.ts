/** Joins the recording server: its peers, from patchbay.yaml and the database. */
import { hash } from 'node:crypto'
import { changingNetworks } from './core/networks.ts'
import { resolveSecret } from './core/settings/load.ts'
import type { Settings } from './core/settings/schema.ts'
import type { Foundation } from './foundation.ts'
import { digestHashes } from './sip/auth/digest.ts'
import type { SiprecPeer } from './siprec/peers/peer.ts'
import { PeerBook } from './siprec/peers/peer-book.ts'

/** @throws {SettingsError} when a password cannot be found where the file says it is. */
export async function openPeerBook({ settings, live, clock, database }: Foundation): Promise<PeerBook> {
  return PeerBook.open({
    clock,
    store: database.siprecPeers,
    listed: settings.siprecPeers.map((peer) => listedPeer(peer, settings.sip.realm)),
    admitted: changingNetworks(() => [live.now.siprec.allowedSources]),
    unnamed: { dialect: settings.siprec.dialect, tags: [] },
  })
}

function listedPeer({ username, password, ...peer }: Settings['siprecPeers'][number], realm: string): SiprecPeer {
  return {
    ...peer,
    // The same at each start: what is known of it, and its sessions, name it so.
    id: `file-${hash('sha256', peer.name).slice(0, 12)}`,
    origin: 'file',
    createdAtMs: 0,
    ...(username !== undefined &&
      password !== undefined && { username, hashes: digestHashes(username, realm, resolveSecret(password)) }),
  }
}
