/**
 * How the packets of a leg travel: what offer and answer say of encryption, of ICE and of BUNDLE.
 *
 *   LegMedia  ── offer(), takeAnswer(), answer() ─▶  here  ── LegCrypto ─▶  attributes for our descriptions
 *             ◀─ what the port is told: srtp, ice ──
 *
 * Browsers get what they need and refuse to go without: DTLS, ICE (we are a lite agent), RTCP on the port of RTP, a bundle
 * of one (RFC 8829, RFC 8834). Others get it when they offer it. Knows no SIP.
 */
import type { IceCredentials } from '../core/ice.ts'
import type { MediaPort, PortDescription } from '../media/types.ts'
import { answeredGroups, midOf } from '../sdp/attributes.ts'
import { withSessionTransport } from '../sdp/dtls.ts'
import { iceAttributes, iceCredentialsOf, iceLiteAttributes, isIceLite, newIceCredentials } from '../sdp/ice.ts'
import { offersRtcpMux } from '../sdp/media.ts'
import type { SdpAttribute, SdpMedia, SessionDescription } from '../sdp/types.ts'
import { type AgreedKeys, LegCrypto, type SrtpMode } from './leg-crypto.ts'

/** What the port is told of it. */
export type PortTransport = Pick<PortDescription, 'srtp' | 'ice'>

export interface TransportOffer {
  readonly protocol: string
  readonly attributes: readonly SdpAttribute[]
  readonly sessionAttributes: readonly SdpAttribute[]
  /** Until the answer comes. */
  readonly port: PortTransport
}

export interface TransportAnswer extends Omit<TransportOffer, 'protocol'> {}

export interface LegTransportOptions {
  readonly port: MediaPort
  /** Where this peer reaches us. */
  readonly ip: string
  /** Where it may reach us besides, as far as its ICE finds the way. */
  readonly alsoAt?: (() => readonly string[]) | undefined
  readonly srtp: SrtpMode
  readonly browser: boolean
  /** Of several devices that ring on one port: they are the port's. */
  readonly ice?: IceCredentials
}

/** The one stream of a bundle of ours (RFC 9143). */
const ownMid = 'audio'

export class LegTransport {
  readonly #options: LegTransportOptions
  /** Of the audio. */
  readonly crypto: LegCrypto
  #local: IceCredentials
  /** Of the peer; undefined while it does no ICE. */
  #remote: IceCredentials | undefined
  /** Our offers have ICE. */
  #offersIce: boolean
  #mid: string | undefined

  constructor(options: LegTransportOptions, before?: LegTransport) {
    const own = () => options.port.fingerprint
    this.#options = options
    this.crypto = before
      ? before.crypto.onAnotherPort(own)
      : new LegCrypto(options.srtp, { own, browser: options.browser })
    this.#local = options.ice ?? newIceCredentials()
    this.#offersIce = before ? before.#offersIce : options.browser
    this.#mid = before ? before.#mid : options.browser ? ownMid : undefined
  }

  /** For the same peer on another port, which it has to check and to shake hands with anew. */
  onAnotherPort(port: MediaPort, ip: string): LegTransport {
    const { srtp, browser, alsoAt } = this.#options
    return new LegTransport({ port, ip, srtp, browser, alsoAt }, this)
  }

  /** Whether an m-line offered to us can be taken. */
  takes(description: SessionDescription, media: SdpMedia): boolean {
    return this.crypto.takes(withSessionTransport(description, media))
  }

  offer(): TransportOffer {
    const { protocol, attributes } = this.crypto.offer()
    const ice = this.#offersIce ? { ice: { local: this.#local } } : {}
    const srtp = attributes.length > 0 ? ({ srtp: 'awaited' } as const) : {}
    return {
      protocol,
      attributes: [...attributes, ...this.#ownAttributes()],
      sessionAttributes: [
        ...(this.#mid === undefined ? [] : [{ name: 'group', value: `BUNDLE ${this.#mid}` }]),
        ...(this.#offersIce ? iceLiteAttributes : []),
      ],
      port: { ...srtp, ...ice },
    }
  }

  #ownAttributes(): SdpAttribute[] {
    const { ip, alsoAt, port } = this.#options
    const ips = this.#offersIce ? [...new Set([ip, ...(alsoAt?.() ?? [])])] : []
    return [
      ...(this.#mid === undefined ? [] : [{ name: 'mid', value: this.#mid }]),
      ...(this.#offersIce ? iceAttributes(this.#local, ips, port.address.rtpPort) : []),
    ]
  }

  /**
   * What the peer's answer to our offer agrees.
   * @throws {CallError} `call.no-common-encryption`
   */
  takeAnswer(description: SessionDescription, answered: SdpMedia): PortTransport {
    const media = withSessionTransport(description, answered)
    const keys = this.crypto.takeAnswer(media)
    if (this.#offersIce) this.#remote = iceCredentialsOf(media)
    return this.#agreed(keys, description)
  }

  /**
   * Our answer to an offer of the peer.
   * @throws {CallError} `call.no-common-encryption`
   */
  answer(description: SessionDescription, offered: SdpMedia): TransportAnswer {
    const media = withSessionTransport(description, offered)
    const { keys, attributes } = this.crypto.answer(media)
    this.#meet(offersRtcpMux(media) ? iceCredentialsOf(media) : undefined)
    this.#mid = midOf(media)
    const taken = description.media.indexOf(offered)
    return {
      attributes: [...attributes, ...this.#ownAttributes()],
      sessionAttributes: [
        ...answeredGroups(description, (index) => index === taken),
        ...(this.#offersIce ? iceLiteAttributes : []),
      ],
      port: this.#agreed(keys, description),
    }
  }

  /** Other credentials than before are a restart: ours change too (RFC 8839 §4.4.3.1.1). */
  #meet(remote: IceCredentials | undefined): void {
    const before = this.#remote
    if (remote && before && (before.user !== remote.user || before.password !== remote.password)) {
      this.#local = newIceCredentials()
    }
    this.#remote = remote
    this.#offersIce = remote !== undefined
  }

  /** A peer that is lite too checks nothing: it is where its description says (RFC 8445 §6.1.1). */
  #agreed(keys: AgreedKeys | undefined, description: SessionDescription): PortTransport {
    const remote = isIceLite(description) ? undefined : this.#remote
    return { ...(keys && { srtp: keys }), ...(remote && { ice: { local: this.#local, remote } }) }
  }
}
