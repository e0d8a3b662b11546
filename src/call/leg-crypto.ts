/**
 * Whether a stream of a leg is encrypted, and with which keys: the part of offer and answer that is about SRTP.
 *
 *   LegTransport, LegStreams, siprec/  ── m-lines ─▶  here  ── a=crypto or a=fingerprint for ours, keys or terms for the port ─▶
 *
 * Keys in the description (SDES, RFC 4568) or agreed by DTLS (RFC 5763), opportunistic too (RFC 8643). What was encrypted
 * once stays so: an offer or answer without keys is refused from then on. Our key stays for as long as its suite and port
 * do. Knows no port and no SIP.
 */
import type { Fingerprint } from '../core/dtls.ts'
import type { SrtpKey, SrtpMode } from '../core/srtp.ts'
import type { DtlsTerms, SrtpKeys } from '../media/types.ts'
import {
  type CryptoLine,
  cryptoAttribute,
  isSecureProtocol,
  newCryptoLines,
  newSrtpKey,
  usableCryptos,
} from '../sdp/crypto.ts'
import { dtlsAttributes, fingerprintsOf, isDtlsProtocol, setupOf, sideByAnswer, sideByOffer } from '../sdp/dtls.ts'
import type { SdpAttribute, SdpMedia } from '../sdp/types.ts'
import { CallError } from './failures.ts'

export type { SrtpMode }

export interface CryptoOffer {
  readonly protocol: string
  /** None when we offer plain RTP. */
  readonly attributes: readonly SdpAttribute[]
}

export type AgreedKeys = SrtpKeys | DtlsTerms

export interface CryptoAnswer {
  /** Undefined for plain RTP. */
  readonly keys?: AgreedKeys
  readonly attributes: readonly SdpAttribute[]
}

export interface LegCryptoOptions {
  /** Our certificate, asked for when it is needed; without, DTLS is neither offered nor taken. */
  readonly own?: () => Fingerprint
  /** Ours until now, in a process before this one: it stays while its suite does. */
  readonly ours?: SrtpKey
  /** A browser: takes DTLS and nothing else (RFC 8827 §6.5), whatever the mode. */
  readonly browser?: boolean
}

export class LegCrypto {
  readonly #mode: SrtpMode
  readonly #own: (() => Fingerprint) | undefined
  readonly #browser: boolean
  /** Ours, in the last description: an answer of ours is offered again to refresh the session. */
  #offered: readonly CryptoLine[] = []
  #offersDtls: boolean
  readonly #ours: SrtpKey | undefined
  #keys: SrtpKeys | undefined
  #terms: DtlsTerms | undefined
  #secured = false
  /** As agreed last: an offer of ours in the dialog keeps to it. */
  #protocol: string | undefined
  /** That of the audio, for a stream beside it. */
  #audio: LegCrypto | undefined

  constructor(mode: SrtpMode, { own, ours, browser = false }: LegCryptoOptions = {}) {
    this.#mode = mode
    this.#ours = ours
    this.#own = own
    this.#browser = browser
    this.#offersDtls = own !== undefined && (browser || mode === 'dtls')
  }

  /** For the same peer on another port: new keys, for packets are numbered anew, and no less secure. */
  onAnotherPort(own?: () => Fingerprint): LegCrypto {
    const next = new LegCrypto(this.#mode, { ...(own && { own }), browser: this.#browser })
    next.#secured = this.#secured
    next.#protocol = this.#protocol
    next.#offersDtls = this.#offersDtls && own !== undefined
    return next
  }

  /**
   * For a stream beside the audio that this is for, video: no less secure than the audio, and with keys in the description
   * alone.
   * @param before Of that stream on another port.
   */
  beside(before?: LegCrypto): LegCrypto {
    const next = before ? before.onAnotherPort() : new LegCrypto(this.#mode)
    next.#audio = this
    return next
  }

  /** It was encrypted once. */
  get isSecured(): boolean {
    return this.#secured
  }

  /** Whether the peer may be sent what cannot be encrypted, fax. */
  get allowsPlain(): boolean {
    return !(this.#mode === 'mandatory' || this.#mode === 'dtls' || this.#browser)
  }

  /** Our offers have a certificate, and no keys. */
  get offersDtls(): boolean {
    return this.#offersDtls
  }

  /** Whether an m-line offered to us would be encrypted. */
  encrypts(media: SdpMedia): boolean {
    return this.#wayOf(media) !== undefined
  }

  /** Whether an m-line offered to us can be taken. */
  readonly takes = (media: SdpMedia): boolean => {
    if (this.#wayOf(media)) return true
    return !(isSecureProtocol(media) || isDtlsProtocol(media) || this.#mustEncrypt)
  }

  get #mustEncrypt(): boolean {
    const isMode = this.#mode === 'mandatory' || this.#mode === 'dtls'
    return isMode || this.#secured || this.#audio?.isSecured === true
  }

  /** How what the peer offers is encrypted; undefined for plain RTP, and for what we cannot or may not. */
  #wayOf(media: SdpMedia): 'dtls' | 'sdes' | undefined {
    if (this.#mode === 'none' && !this.#browser) return undefined
    const dtls = this.#own !== undefined && fingerprintsOf(media).length > 0 && setupOf(media) !== 'holdconn'
    if (isDtlsProtocol(media)) return dtls ? 'dtls' : undefined
    const sdes = usableCryptos(media).length > 0
    // Of both, that which leaves no keys in the signalling; but what stands is not changed for it.
    if (dtls && !(sdes && this.#keys)) return 'dtls'
    return sdes ? 'sdes' : undefined
  }

  offer(): CryptoOffer {
    if (this.#offersDtls && this.#own) {
      const protocol = this.#protocol ?? (this.#browser ? 'UDP/TLS/RTP/SAVPF' : 'UDP/TLS/RTP/SAVP')
      return { protocol, attributes: dtlsAttributes(this.#own(), 'actpass') }
    }
    const wanted = this.#mode === 'optional' || this.#mustEncrypt
    const protocol =
      this.#protocol ?? (this.#audio && this.#audio.#protocol) ?? (this.#mode === 'mandatory' ? 'RTP/SAVP' : 'RTP/AVP')
    if (!wanted) return { protocol, attributes: [] }
    if (this.#keys) this.#offered = [{ tag: 1, key: this.#keys.send }]
    else if (this.#offered.length === 0) this.#offered = newCryptoLines()
    return { protocol, attributes: this.#offered.map(cryptoAttribute) }
  }

  /**
   * What the peer's answer to our offer agrees.
   * @returns undefined for plain RTP.
   * @throws {CallError} `call.no-common-encryption`
   */
  takeAnswer(media: SdpMedia): AgreedKeys | undefined {
    if (this.#offersDtls) return this.#takeCertificate(media)
    const [line] = usableCryptos(media)
    const ours = this.#offered.find(({ tag, key }) => tag === line?.tag && key.suite === line.key.suite)
    if (line && ours) return this.#agree(media, { send: ours.key, receive: line.key })
    // Keys that answer none of ours, or RTP/SAVP without any: nobody knows how it would encrypt.
    const isSecure = isSecureProtocol(media) || isDtlsProtocol(media)
    if (isSecure || media.attributes.some(({ name }) => name === 'crypto') || this.#mustEncrypt) {
      throw new CallError('call.no-common-encryption')
    }
    this.#protocol = media.protocol
    return undefined
  }

  #takeCertificate(media: SdpMedia): DtlsTerms {
    const fingerprints = fingerprintsOf(media)
    if (fingerprints.length === 0) throw new CallError('call.no-common-encryption')
    return this.#agreeTerms(media, { side: sideByAnswer(setupOf(media)), fingerprints })
  }

  /**
   * Our answer to an offer of the peer: our certificate, or its first line that we can use (RFC 4568 §5.1.2).
   * @throws {CallError} `call.no-common-encryption`
   */
  answer(media: SdpMedia): CryptoAnswer {
    if (!this.takes(media)) throw new CallError('call.no-common-encryption')
    const way = this.#wayOf(media)
    if (way === 'dtls' && this.#own) {
      const side = sideByOffer(setupOf(media), this.#terms?.side)
      const keys = this.#agreeTerms(media, { side, fingerprints: fingerprintsOf(media) })
      return { keys, attributes: dtlsAttributes(this.#own(), side === 'client' ? 'active' : 'passive') }
    }
    const [line] = way === 'sdes' ? usableCryptos(media) : []
    if (!line) {
      this.#protocol = media.protocol
      return { attributes: [] }
    }
    const before = this.#keys?.send ?? this.#ours
    const kept = before?.suite === line.key.suite ? before : undefined
    const key = kept ?? newSrtpKey(line.key.suite)
    const keys = this.#agree(media, { send: key, receive: line.key })
    this.#offered = [{ tag: line.tag, key }]
    return { keys, attributes: [cryptoAttribute({ tag: line.tag, key })] }
  }

  #agree({ protocol }: SdpMedia, keys: SrtpKeys): SrtpKeys {
    this.#keys = keys
    this.#terms = undefined
    this.#secure(protocol, false)
    return keys
  }

  #agreeTerms({ protocol }: SdpMedia, terms: DtlsTerms): DtlsTerms {
    this.#terms = terms
    this.#keys = undefined
    this.#secure(protocol, true)
    return terms
  }

  #secure(protocol: string, byDtls: boolean): void {
    this.#secured = true
    this.#protocol = protocol
    this.#offersDtls = byDtls
  }
}
