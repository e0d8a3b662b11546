/**
 * Whether the audio of a leg is encrypted, and with which keys: the part of offer and answer that is about SRTP.
 *
 *   LegMedia, siprec/  ── m-lines ─▶  here  ── a=crypto for ours, keys for the port ─▶
 *
 * SDES (RFC 4568), opportunistic too (RFC 8643). What was encrypted once stays so: an offer or answer without keys is
 * refused from then on. Our key stays for as long as its suite and port do. Knows no port and no SIP.
 */
import type { SrtpMode } from '../core/srtp.ts'
import type { SrtpKeys } from '../media/types.ts'
import {
  type CryptoLine,
  cryptoAttribute,
  isSecureProtocol,
  newCryptoLines,
  newSrtpKey,
  usableCryptos,
} from '../sdp/crypto.ts'
import type { SdpAttribute, SdpMedia } from '../sdp/types.ts'
import { CallError } from './failures.ts'

export type { SrtpMode }

export interface CryptoOffer {
  readonly protocol: string
  /** None when we offer plain RTP. */
  readonly attributes: readonly SdpAttribute[]
}

export interface CryptoAnswer {
  /** Undefined for plain RTP. */
  readonly keys?: SrtpKeys
  readonly attributes: readonly SdpAttribute[]
}

export class LegCrypto {
  readonly #mode: SrtpMode
  /** Ours, in the last offer. */
  #offered: readonly CryptoLine[] = []
  #keys: SrtpKeys | undefined
  /** It was encrypted once. */
  #secured = false
  /** As agreed last: an offer of ours in the dialog keeps to it. */
  #protocol: string | undefined

  constructor(mode: SrtpMode) {
    this.#mode = mode
  }

  /** For the same peer on another port: new keys, for packets are numbered anew, and no less secure. */
  onAnotherPort(): LegCrypto {
    const next = new LegCrypto(this.#mode)
    next.#secured = this.#secured
    next.#protocol = this.#protocol
    return next
  }

  /** Whether an m-line offered to us can be taken. */
  readonly takes = (media: SdpMedia): boolean => {
    const hasKeys = this.#mode !== 'none' && usableCryptos(media).length > 0
    return hasKeys || !(isSecureProtocol(media) || this.#mustEncrypt)
  }

  get #mustEncrypt(): boolean {
    return this.#mode === 'mandatory' || this.#secured
  }

  offer(): CryptoOffer {
    const wanted = this.#mode === 'optional' || this.#mustEncrypt
    const protocol = this.#protocol ?? (this.#mode === 'mandatory' ? 'RTP/SAVP' : 'RTP/AVP')
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
  takeAnswer(media: SdpMedia): SrtpKeys | undefined {
    const [line] = usableCryptos(media)
    const ours = this.#offered.find(({ tag, key }) => tag === line?.tag && key.suite === line.key.suite)
    if (line && ours) return this.#agree(media, { send: ours.key, receive: line.key })
    // Keys that answer none of ours, or RTP/SAVP without any: nobody knows how it would encrypt.
    if (isSecureProtocol(media) || media.attributes.some(({ name }) => name === 'crypto') || this.#mustEncrypt) {
      throw new CallError('call.no-common-encryption')
    }
    this.#protocol = media.protocol
    return undefined
  }

  /**
   * Our answer to an offer of the peer: its first line that we can use (RFC 4568 §5.1.2).
   * @throws {CallError} `call.no-common-encryption`
   */
  answer(media: SdpMedia): CryptoAnswer {
    if (!this.takes(media)) throw new CallError('call.no-common-encryption')
    const [line] = this.#mode === 'none' ? [] : usableCryptos(media)
    if (!line) {
      this.#protocol = media.protocol
      return { attributes: [] }
    }
    const kept = this.#keys?.send.suite === line.key.suite ? this.#keys.send : undefined
    const key = kept ?? newSrtpKey(line.key.suite)
    const keys = this.#agree(media, { send: key, receive: line.key })
    return { keys, attributes: [cryptoAttribute({ tag: line.tag, key })] }
  }

  #agree({ protocol }: SdpMedia, keys: SrtpKeys): SrtpKeys {
    this.#keys = keys
    this.#secured = true
    this.#protocol = protocol
    return keys
  }
}
