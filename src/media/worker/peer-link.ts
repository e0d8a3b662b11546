/**
 * What comes before the first packet of a browser: the checks of ICE that say where it is, and the handshake of DTLS that
 * agrees on keys. Both come through the socket of the packets (RFC 7983, RFC 5764 §5.1.2).
 *
 *   port  ── STUN, DTLS ─▶  here  ── where the peer is ─▶  SourceLock
 *                             └────── keys of SRTP ─────▶  PortCrypto
 *
 * A port whose peer does neither has no such object. A handshake costs less than 1 ms of CPU, once a call; a peer that is not
 * proven to be at its address gets no more bytes than it sent.
 */
import type { Clock } from '../../core/clock.ts'
import { DtlsConnection } from '../../dtls/connection.ts'
import type { OwnCertificate } from '../../dtls/conversation.ts'
import { IceLite } from '../../ice/lite.ts'
import type { DatagramKind } from '../../rtp/demux.ts'
import type { DtlsTerms, IceTerms, PortDescription, PortEvents, SrtpKeys } from '../types.ts'
import type { Endpoint } from './io/io.ts'
import type { SourceLock } from './source-lock.ts'

export interface PeerLinkOptions {
  readonly clock: Clock
  /** No handshakes without. */
  readonly own: () => OwnCertificate | undefined
  readonly lock: SourceLock
  readonly send: (bytes: Uint8Array, to: Endpoint) => void
  readonly agreed: (keys: SrtpKeys) => void
  readonly tell: <Name extends 'secured' | 'handshake-failed'>(name: Name, event: PortEvents[Name]) => void
}

/** Of a handshake that begins before the answer that says whose it is; a hello is in one or two. */
const maxEarly = 2

export class PeerLink {
  readonly #options: PeerLinkOptions
  #ice: IceLite | undefined
  #dtls: DtlsConnection | undefined
  #terms: DtlsTerms | undefined
  /** The certificate of the peer is still to be told. */
  #awaited = false
  #early: { readonly bytes: Uint8Array; readonly from: Endpoint }[] = []

  constructor(options: PeerLinkOptions) {
    this.#options = options
  }

  static isNeeded({ ice, srtp }: PortDescription): boolean {
    return ice !== undefined || srtp === 'awaited' || termsIn(srtp) !== undefined
  }

  describe({ ice, srtp, remote }: PortDescription): void {
    this.#describeIce(ice)
    this.#awaited = srtp === 'awaited'
    if (this.#awaited) return
    const terms = termsIn(srtp)
    if (isSame(terms, this.#terms)) return
    this.#terms = terms
    this.#dtls?.close()
    this.#dtls = terms && this.#newConnection(terms)
    this.#startClient(remote && { ip: remote.ip, port: remote.rtpPort })
    for (const { bytes, from } of this.#early.splice(0)) this.#dtls?.receive(bytes, from)
  }

  #describeIce(terms: IceTerms | undefined): void {
    const { lock } = this.#options
    if (!terms) {
      this.#ice = undefined
      lock.follow(undefined)
      return
    }
    const ice = (this.#ice ??= new IceLite(terms.local))
    ice.describe(terms.local, terms.remote)
    lock.follow(({ ip, port }) => ice.isProven(ip, port))
  }

  #newConnection(terms: DtlsTerms): DtlsConnection | undefined {
    const { clock, send, agreed, tell } = this.#options
    const own = this.#options.own()
    if (!own) return undefined
    return new DtlsConnection({
      role: terms.side,
      own,
      peer: terms.fingerprints,
      proven: this.#ice !== undefined,
      clock,
      send: (datagram, to) => send(datagram, this.#ice?.destination(clock.now()) ?? to),
      agreed(keys) {
        agreed(keys)
        tell('secured', { suite: keys.send.suite })
      },
      failed: (why) => tell('handshake-failed', { why }),
    })
  }

  /** The one who speaks first does so as soon as there is somewhere to speak to. */
  #startClient(told: Endpoint | undefined): void {
    if (this.#terms?.side !== 'client') return
    const to = this.#ice ? this.#ice.destination(this.#options.clock.now()) : told
    if (to) this.#dtls?.start(to)
  }

  /** @returns false for what is not for us, or from somebody who has no business here. */
  take(kind: DatagramKind, bytes: Uint8Array, from: Endpoint): boolean {
    if (kind === 'stun') return this.#check(bytes, from)
    if (kind !== 'dtls' || (this.#ice && !this.#ice.isProven(from.ip, from.port))) return false
    if (this.#dtls && !this.#awaited) this.#dtls.receive(bytes, from)
    else if (this.#awaited && this.#early.length < maxEarly) this.#early.push({ bytes: Uint8Array.from(bytes), from })
    else return false
    return true
  }

  #check(bytes: Uint8Array, from: Endpoint): boolean {
    const nowMs = this.#options.clock.now()
    const answer = this.#ice?.receive(bytes, from.ip, from.port, nowMs)
    if (!answer) return false
    this.#options.send(answer, from)
    this.tick(nowMs)
    this.#startClient(undefined)
    return true
  }

  /** Follow the peer's choice, and stop sending to one that checks no more. */
  tick(nowMs: number): void {
    if (this.#ice) this.#options.lock.choose(this.#ice.destination(nowMs))
  }

  close(): void {
    this.#dtls?.close()
  }
}

const termsIn = (srtp: PortDescription['srtp']): DtlsTerms | undefined =>
  typeof srtp === 'object' && 'fingerprints' in srtp ? srtp : undefined

const isSame = (a: DtlsTerms | undefined, b: DtlsTerms | undefined): boolean =>
  a?.side === b?.side &&
  a?.fingerprints.length === b?.fingerprints.length &&
  (a?.fingerprints.every(
    ({ hash, value }, i) => hash === b?.fingerprints[i]?.hash && value === b.fingerprints[i].value,
  ) ??
    true)
