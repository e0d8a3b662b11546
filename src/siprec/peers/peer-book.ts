/**
 * All recording clients that are known, whose request is whose, and how each of them fares.
 *
 *   patchbay.yaml, database/ ── peers ─▶  here  ◀─ whose is this? ── pbx/gatekeeper.ts, server.ts
 *                                          └──── what is, and how it fares ─▶ api/
 *
 * A peer is known by its certificate, else by the user name it proved, else by its address: of several networks that
 * hold it the smallest. An address that no peer names but the source list admits is nobody's, and treated by the terms
 * for unnamed sources. How peers fare is kept in memory, since the start.
 */
import type { Clock } from '../../core/clock.ts'
import { type Networks, parseNetworks } from '../../core/networks.ts'
import type { DigestHashes } from '../../sip/auth/digest.ts'
import type { ClientCertificate } from '../../sip/stack.types.ts'
import { type PeerChanges, PeerError, type PeerStore, type PeerTerms, type SiprecPeer } from './peer.ts'

/** By what a sender shows who it is. */
export interface Credentials {
  readonly ip: string
  readonly certificate?: ClientCertificate | undefined
  /** Of a digest that was right. */
  readonly username?: string | undefined
}

export interface PeerState {
  readonly sessionsNow: number
  /** Since the start of the server, those that were refused not among them. */
  readonly sessions: number
  readonly lastSessionAtMs?: number
  readonly lastError?: { readonly atMs: number; readonly code: string; readonly text: string }
  /** Its last OPTIONS: session border controllers ask so whether their recorder lives. */
  readonly lastPingAtMs?: number
  /** Where it was seen last. */
  readonly lastSource?: string
}

export interface PeerBookOptions {
  readonly clock: Clock
  readonly store: PeerStore
  /** Of patchbay.yaml. */
  readonly listed: readonly SiprecPeer[]
  /** Addresses that may record without being a peer's. */
  readonly admitted: Networks
  /** What holds for them. */
  readonly unnamed: PeerTerms
}

/** A source is a peer's, or nobody's but admitted; undefined for a stranger. */
export type Whose = SiprecPeer | 'unnamed' | undefined

/** State of what is nobody's stands under this. */
const unnamedId = ''

interface Reach {
  readonly networks: Networks
  readonly bits: number
  readonly peer: SiprecPeer
}

export class PeerBook {
  readonly #options: PeerBookOptions
  readonly #states = new Map<string, PeerState>()
  #peers: readonly SiprecPeer[]
  /** The smallest first. */
  #reach: readonly Reach[] = []
  #changing: Promise<unknown> = Promise.resolve()

  private constructor(options: PeerBookOptions, kept: readonly SiprecPeer[]) {
    this.#options = options
    this.#peers = []
    this.#take(kept)
  }

  static async open(options: PeerBookOptions): Promise<PeerBook> {
    return new PeerBook(options, await options.store.all())
  }

  list(): readonly SiprecPeer[] {
    return this.#peers
  }

  /** @throws {PeerError} `siprec-peer.not-found` */
  get(id: string): SiprecPeer {
    const peer = this.#peers.find((one) => one.id === id)
    if (!peer) throw new PeerError('siprec-peer.not-found')
    return peer
  }

  /** Whose a sender is that shows this of itself. */
  find({ ip, certificate, username }: Credentials): Whose {
    const byCertificate = certificate && this.#peers.find((peer) => holds(certificate, peer.certificate))
    if (byCertificate) return byCertificate
    const byName = username === undefined ? undefined : this.#peers.find((peer) => peer.username === username)
    if (byName) return byName
    const byAddress = this.#reach.find(({ networks }) => networks.has(ip))?.peer
    return byAddress ?? (this.#options.admitted.has(ip) ? 'unnamed' : undefined)
  }

  /** An address that a peer is known to send from. */
  isPeers(ip: string): boolean {
    return this.#reach.some(({ networks, peer }) => peer.enabled && networks.has(ip))
  }

  /** What holds for sessions from there; those of strangers who proved themselves otherwise are unnamed too. */
  termsOf(whose: Whose): PeerTerms {
    return typeof whose === 'object' ? whose : this.#options.unnamed
  }

  /** Of the peer that signs in with this name; undefined for nobody, and for one that is off. */
  hashesOf(username: string): DigestHashes | undefined {
    return this.#peers.find((peer) => peer.username === username && peer.enabled)?.hashes
  }

  /** @throws {PeerError} `siprec-peer.exists`, `siprec-peer.unknowable` */
  add(peer: SiprecPeer): Promise<SiprecPeer> {
    return this.#oneAtATime(async () => {
      this.#check(peer)
      await this.#options.store.add(peer)
      this.#take([...this.#kept, peer])
      return peer
    })
  }

  /** @throws {PeerError} `siprec-peer.not-found`, `.exists`, `.unknowable`, `.from-file` */
  change(id: string, changes: PeerChanges): Promise<SiprecPeer> {
    return this.#oneAtATime(async () => {
      const changed = { ...this.#managed(id), ...changes }
      this.#check(changed)
      await this.#options.store.change(changed)
      this.#take(this.#kept.map((peer) => (peer.id === id ? changed : peer)))
      return changed
    })
  }

  /** Sessions that live go on. @throws {PeerError} `siprec-peer.not-found`, `siprec-peer.from-file` */
  remove(id: string): Promise<void> {
    return this.#oneAtATime(async () => {
      this.#managed(id)
      await this.#options.store.remove(id)
      this.#take(this.#kept.filter((peer) => peer.id !== id))
      this.#states.delete(id)
    })
  }

  stateOf(peer: SiprecPeer | undefined): PeerState {
    return this.#states.get(peer?.id ?? unnamedId) ?? { sessionsNow: 0, sessions: 0 }
  }

  /** It asked by OPTIONS whether we live. */
  pinged(whose: Whose, source: string): void {
    this.#note(whose, () => ({ lastPingAtMs: this.#options.clock.wallMs(), lastSource: source }))
  }

  /** A session of it began. @returns To be called when it is over. */
  began(whose: Whose, source: string): () => void {
    const atMs = this.#options.clock.wallMs()
    this.#note(whose, ({ sessionsNow, sessions }) => ({
      sessionsNow: sessionsNow + 1,
      sessions: sessions + 1,
      lastSessionAtMs: atMs,
      lastSource: source,
    }))
    let over = false
    return () => {
      if (!over) this.#note(whose, ({ sessionsNow }) => ({ sessionsNow: Math.max(0, sessionsNow - 1) }))
      over = true
    }
  }

  /** A request of it was refused, or a session ended because of a fault. */
  failed(whose: Whose, source: string, code: string, text: string): void {
    const atMs = this.#options.clock.wallMs()
    this.#note(whose, () => ({ lastError: { atMs, code, text }, lastSource: source }))
  }

  #note(whose: Whose, change: (before: PeerState) => Partial<PeerState>): void {
    const peer = typeof whose === 'object' ? whose : undefined
    // One that was removed meanwhile is not remembered.
    if (peer && !this.#peers.some(({ id }) => id === peer.id)) return
    const before = this.stateOf(peer)
    this.#states.set(peer?.id ?? unnamedId, { ...before, ...change(before) })
  }

  get #kept(): readonly SiprecPeer[] {
    return this.#peers.filter(({ origin }) => origin === 'api')
  }

  #managed(id: string): SiprecPeer {
    const peer = this.get(id)
    if (peer.origin === 'file') throw new PeerError('siprec-peer.from-file')
    return peer
  }

  #check(peer: SiprecPeer): void {
    const others = this.#peers.filter(({ id }) => id !== peer.id)
    const taken = ({ name, username }: SiprecPeer): boolean =>
      name === peer.name || (username !== undefined && username === peer.username)
    if (others.some(taken)) throw new PeerError('siprec-peer.exists')
    const proves = peer.username !== undefined && peer.hashes !== undefined
    if (peer.sources.length === 0 && !proves && peer.certificate === undefined)
      throw new PeerError('siprec-peer.unknowable')
  }

  /** Those of the file come first: one of the database cannot take what is theirs. */
  #take(kept: readonly SiprecPeer[]): void {
    this.#peers = [...this.#options.listed, ...kept]
    this.#reach = this.#peers
      .flatMap((peer) =>
        peer.sources.map((source) => ({ networks: parseNetworks([source]), bits: bitsOf(source), peer })),
      )
      .toSorted((a, b) => b.bits - a.bits)
  }

  #oneAtATime<Result>(change: () => Promise<Result>): Promise<Result> {
    const result = this.#changing.then(change)
    this.#changing = result.catch(() => {})
    return result
  }
}

/** Length of the prefix; of an address all of it. */
function bitsOf(source: string): number {
  const [ip = '', prefix] = source.split('/')
  return prefix === undefined ? 128 : Number(prefix) + (ip.includes(':') ? 0 : 96)
}

const fingerprintForm = /^[0-9a-f]{64}$/

function holds({ names, sha256 }: ClientCertificate, wanted: string | undefined): boolean {
  if (wanted === undefined) return false
  const plain = wanted.toLowerCase()
  const fingerprint = plain.replaceAll(':', '')
  return fingerprintForm.test(fingerprint) ? fingerprint === sha256 : names.includes(plain)
}
