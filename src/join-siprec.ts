/** Joins the recording server: its peers, from patchbay.yaml and the database, and the sessions of the last run. */
import { hash } from 'node:crypto'
import { join } from 'node:path'
import type { Clock } from './core/clock.ts'
import type { Logger } from './core/logger.ts'
import { changingNetworks } from './core/networks.ts'
import { resolveSecret } from './core/settings/load.ts'
import type { Settings } from './core/settings/schema.ts'
import type { Database } from './database/open.ts'
import type { FactBus } from './events/bus.ts'
import type { Foundation } from './foundation.ts'
import { digestHashes } from './sip/auth/digest.ts'
import type { SiprecPeer } from './siprec/peers/peer.ts'
import { PeerBook } from './siprec/peers/peer-book.ts'
import type { SiprecServer } from './siprec/server.ts'
import type { Guest } from './siprec/session/types.ts'
import type { Checkpoint } from './siprec/survival/checkpoint.ts'
import { SessionKeeper } from './siprec/survival/keeper.ts'
import { RedisSessions } from './siprec/survival/redis-store.ts'
import { keyFrom, Seal } from './siprec/survival/seal.ts'
import { MemorySessions, type SessionStore } from './siprec/survival/store.ts'

/** Recording sessions that outlive this process, and those that outlived the last one. */
export interface KeptSessions {
  readonly keeper: SessionKeeper
  /** Of the last run, to be taken up. */
  readonly goingOn: readonly Checkpoint[]
}

interface KeptDeps {
  readonly settings: Settings
  readonly clock: Clock
  readonly log: Logger
  readonly database: Database
}

/** A store that cannot be read costs the sessions of the last run, and keeps no server from starting. */
export async function openKeptSessions({ settings, clock, log, database }: KeptDeps): Promise<KeptSessions> {
  const store = await openStore(settings, database, log)
  const seal = new Seal(keyFrom(join(settings.data.dir, 'siprec-sessions.key')))
  const keeper = new SessionKeeper({ store, seal, clock, log })
  const found = await keeper.found().catch((error: unknown): readonly Checkpoint[] => {
    log.error('The recording sessions of the last run cannot be read', { error: String(error) })
    return []
  })
  const seenMs = found.length > 0 ? await database.lastSeenMs() : undefined
  const awayMs = seenMs === undefined ? 0 : clock.wallMs() - seenMs
  if (awayMs <= settings.siprec.takeUpWithin) return { keeper, goingOn: found }
  log.warn('Recording sessions are not taken up, for they are too old', { sessions: found.length, awayMs })
  for (const { id } of found) keeper.ended(id)
  return { keeper, goingOn: [] }
}

async function openStore({ siprec, redis }: Settings, database: Database, log: Logger): Promise<SessionStore> {
  if (siprec.checkpoints === 'sqlite') return database.siprecSessions
  return siprec.checkpoints === 'redis' ? await RedisSessions.open(redis, log) : new MemorySessions()
}

export interface TakeUpDeps {
  readonly server: SiprecServer
  readonly book: PeerBook
  readonly keeper: SessionKeeper
  readonly bus: FactBus
  readonly clock: Clock
  readonly log: Logger
}

/**
 * Take up the sessions of the last run: at once when the stack is made.
 * @returns Ids of calls that cannot be begun with; their recordings are to be finished.
 */
export function takeUpSessions(goingOn: readonly Checkpoint[], deps: TakeUpDeps): readonly string[] {
  const { server, book, keeper, bus, clock, log } = deps
  if (goingOn.length > 0) log.info('Recording sessions of the last run go on', { sessions: goingOn.length })
  return goingOn.flatMap((kept) => {
    const peer = book.list().find(({ name }) => name === kept.terms.name) ?? 'unnamed'
    const source = kept.dialog.flow.remote.ip
    const over = book.began(peer, source)
    const guest: Guest = { terms: kept.terms, failed: (code, text) => book.failed(peer, source, code, text), over }
    if (server.takeUp(kept, guest)) return []
    over()
    keeper.ended(kept.id)
    bus.publish({ name: 'call.ended', atMs: clock.wallMs(), callId: kept.id, reason: 'interrupted' })
    return [kept.id]
  })
}

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
