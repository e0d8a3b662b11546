/**
 * The streams beside the audio of one leg, as its offers and answers have them: video encrypted or not, fax, refused.
 *
 *   LegMedia  ── plan, answer, takeAnswer ─▶  here  ── what was agreed ─▶  SideStreams of the call
 *                                              └── a LegCrypto for each stream
 *
 * Keys stand in the description (SDES); a stream by DTLS is refused. Video is plain only where the audio may be and is. Fax
 * by UDPTL cannot be encrypted: it is refused where nothing may be plain.
 */
import type { SrtpKeys } from '../media/types.ts'
import { isSecureProtocol } from '../sdp/crypto.ts'
import { withSessionTransport } from '../sdp/dtls.ts'
import { inProfile, isRelayable, isUdptl, refusedLine } from '../sdp/relay.ts'
import type { SdpMedia, SessionDescription } from '../sdp/types.ts'
import { CallError } from './failures.ts'
import type { AgreedKeys, LegCrypto } from './leg-crypto.ts'
import { isRtpAudio } from './rtp-audio.ts'
import type { HeardStreams, Plan, SideEnd } from './side-streams.ts'

export interface AnsweredStreams {
  /** Ours, by place; undefined where the other side has nothing. */
  readonly lines: readonly (SdpMedia | undefined)[]
  readonly heard: HeardStreams
}

export class LegStreams {
  readonly #audio: LegCrypto
  #end: SideEnd | undefined
  /** Of the streams that were offered or taken, by place among the m-lines: no more than the call has relays. */
  readonly #cryptos = new Map<number, LegCrypto>()

  /** @param before Of the same peer on other ports. */
  constructor(audio: LegCrypto, end: SideEnd | undefined, before?: LegStreams) {
    this.#audio = audio
    this.#end = end
    for (const [place, crypto] of before ? before.#cryptos : []) this.#cryptos.set(place, audio.beside(crypto))
  }

  join(end: SideEnd): void {
    this.#end ??= end
  }

  /** They are over. Others will have ports of their own, and so keys. */
  leave(): void {
    this.#end = undefined
    for (const [place, crypto] of this.#cryptos) this.#cryptos.set(place, this.#audio.beside(crypto))
  }

  /** What the peer said of them last. */
  get heard(): SessionDescription | undefined {
    return this.#end?.of.heard(this.#end.side)
  }

  /** What to offer: what the other side has, with keys of ours; undefined when the call has audio alone. */
  plan(): Plan | undefined {
    const plan = this.#end?.of.plan(this.#end.side)
    return plan?.map((line, place) => (line === 'audio' || line.port === 0 ? line : this.#offered(line, place)))
  }

  #offered(line: SdpMedia, place: number): SdpMedia {
    if (isUdptl(line)) return this.#audio.allowsPlain ? line : refusedLine(line)
    if (this.#audio.offersDtls) return refusedLine(line)
    const { protocol, attributes } = this.#at(place).offer()
    const secure = isSecureProtocol({ ...line, protocol })
    return { ...inProfile(line, secure), attributes: [...line.attributes, ...attributes] }
  }

  #at(place: number): LegCrypto {
    const crypto = this.#cryptos.get(place) ?? this.#audio.beside()
    this.#cryptos.set(place, crypto)
    return crypto
  }

  /** @returns The m-lines of the answer, with port 0 where it agrees to nothing that we may carry. */
  takeAnswer(answer: SessionDescription): readonly SdpMedia[] {
    const taken = new Map<number, SrtpKeys | 'plain'>()
    const media = answer.media.map((line, place) => {
      if (!isRelayable(line)) return line
      const how = this.#agreed(line, place)
      if (how) taken.set(place, how)
      return how ? line : refusedLine(line)
    })
    this.hear({ description: { ...answer, media }, taken })
    return media
  }

  /** Who answers in plain what had to be encrypted cannot be refused any more: nothing of it is carried. */
  #agreed(line: SdpMedia, place: number): SrtpKeys | 'plain' | undefined {
    if (isUdptl(line)) return this.#audio.allowsPlain ? 'plain' : undefined
    const crypto = this.#cryptos.get(place)
    try {
      return crypto && howOf(crypto.takeAnswer(line))
    } catch (error) {
      if (error instanceof CallError) return undefined
      throw error
    }
  }

  /** The offer, with port 0 for the streams that we cannot or may not carry. */
  usable(offer: SessionDescription): SessionDescription {
    const audio = offer.media
      .filter(isRtpAudio)
      .map((line) => withSessionTransport(offer, line))
      .find(this.#audio.takes)
    const isSecured = audio !== undefined && this.#audio.encrypts(audio)
    const media = offer.media.map((line, place) =>
      isRelayable(line) && !this.#takes(line, place, isSecured) ? refusedLine(line) : line,
    )
    return { ...offer, media }
  }

  /** @param isSecured Its audio will be encrypted. */
  #takes(line: SdpMedia, place: number, isSecured: boolean): boolean {
    if (isUdptl(line)) return this.#audio.allowsPlain
    const crypto = this.#cryptos.get(place) ?? this.#audio.beside()
    return crypto.takes(line) && (crypto.encrypts(line) || !isSecured)
  }

  /** @param offer As `usable` made it. */
  answer(offer: SessionDescription): AnsweredStreams {
    const end = this.#end
    const taken = new Map<number, SrtpKeys | 'plain'>()
    const lines = offer.media.map((offered, place) => {
      const line = end?.of.answerTo(end.side, offer, place)
      if (!line) return undefined
      const { keys, attributes } = isUdptl(offered) ? { attributes: [] } : this.#at(place).answer(offered)
      taken.set(place, howOf(keys))
      return { ...line, protocol: offered.protocol, attributes: [...line.attributes, ...attributes] }
    })
    return { lines, heard: { description: offer, taken } }
  }

  hear(heard: HeardStreams): void {
    this.#end?.of.hear(this.#end.side, heard)
  }
}

/** There are no others here: nobody was told of a certificate. */
const howOf = (keys: AgreedKeys | undefined): SrtpKeys | 'plain' => (keys && 'send' in keys ? keys : 'plain')
