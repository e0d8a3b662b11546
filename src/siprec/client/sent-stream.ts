/**
 * One stream of a recording session that we send: an m-line, and the port whose packets it carries.
 *
 *   session.ts ── offer, taken, answer ─▶ here ── describe, copy ─▶ MediaPort
 *
 * It carries one side of the call: whoever is there. Its label and payload types stay as long as the session lives, and
 * so do its sequence numbers, when somebody else takes that side (RFC 3264 §8.3.2, RFC 3550 §5.1).
 */
import { agreedIn, toAnswer, toOffer } from '../../call/codec-choice.ts'
import type { CodecRules } from '../../call/codec-rules.ts'
import { CallError } from '../../call/failures.ts'
import { type AgreedKeys, LegCrypto, type SrtpMode } from '../../call/leg-crypto.ts'
import { answeredRtcp, offeredRtcp, wantedReports } from '../../call/leg-rtcp.ts'
import { isRtpAudio, mediaAddressOf, sentFormat } from '../../call/rtp-audio.ts'
import type { SentTrack } from '../../call/services.ts'
import { isWildcardIp } from '../../core/ip.ts'
import type { MediaPort, MediaSession, PortDescription } from '../../media/types.ts'
import { directionOf, formatsOf } from '../../sdp/media.ts'
import { type AcceptedStream, createAudioOffer } from '../../sdp/offer-answer.ts'
import type { SdpFormat, SdpMedia, SessionDescription } from '../../sdp/types.ts'

export interface SentStreamOptions {
  readonly label: string
  readonly port: MediaPort
  readonly media: MediaSession
  readonly rules: CodecRules
  readonly srtp: SrtpMode
}

export class SentStreamPort {
  readonly label: string
  readonly port: MediaPort
  readonly #media: MediaSession
  readonly #rules: CodecRules
  readonly #crypto: LegCrypto
  #declared: readonly SdpFormat[] = []
  #track: SentTrack | undefined
  #copied: MediaPort | undefined
  /** As the server agreed to it; undefined until it did, and when it does not want the stream. */
  #agreed: PortDescription | undefined
  /** The server asked for it: not when it said `inactive`. */
  #wanted = false
  #paused = false

  constructor({ label, port, media, rules, srtp }: SentStreamOptions) {
    this.label = label
    this.port = port
    this.#media = media
    this.#rules = rules
    this.#crypto = new LegCrypto(srtp)
  }

  /** The server takes it. */
  get isTaken(): boolean {
    return this.#agreed !== undefined
  }

  /** Whose packets, and whether they may leave: in force when this returns. */
  carry(track: SentTrack | undefined, paused: boolean): void {
    this.#track = track
    this.#paused = paused
    this.#apply()
  }

  /** The m-line of an offer of ours. */
  offer(): SdpMedia {
    const spoken = this.#track?.formats() ?? []
    const formats = toOffer(spoken.length > 0 ? spoken : this.#declared, this.#rules, this.#declared)
    this.#declare(formats)
    const { protocol, attributes } = this.#crypto.offer()
    const { media } = createAudioOffer({
      ...anySession,
      port: this.port.address.rtpPort,
      protocol,
      formats,
      direction: this.#paused ? 'inactive' : 'sendonly',
      label: this.label,
      extraAttributes: [...attributes, ...offeredRtcp],
    })
    return media[0] as SdpMedia
  }

  /** What the server answered to our offer. */
  take(answer: SessionDescription, media: SdpMedia | undefined): void {
    const agreed = media && isRtpAudio(media) ? agreedIn(formatsOf(media), this.#declared) : []
    if (!media || agreed.length === 0) return this.#drop()
    try {
      this.#agree(answer, media, agreed, this.#crypto.takeAnswer(media))
    } catch (error) {
      if (!(error instanceof CallError)) throw error
      this.#drop()
    }
  }

  /** @returns Our answer to the server's offer; undefined refuses the m-line. */
  answer(offer: SessionDescription, media: SdpMedia): AcceptedStream | undefined {
    const spoken = this.#track?.formats() ?? this.#declared
    const agreed = isRtpAudio(media) && this.#crypto.takes(media) ? toAnswer(formatsOf(media), spoken, this.#rules) : []
    if (agreed.length === 0) {
      this.#drop()
      return undefined
    }
    const { keys, attributes } = this.#crypto.answer(media)
    this.#declare(agreed)
    this.#agree(offer, media, agreed, keys)
    return {
      port: this.port.address.rtpPort,
      formats: agreed,
      direction: this.#paused || !this.#wanted ? 'inactive' : 'sendonly',
      label: this.label,
      extraAttributes: [...attributes, ...answeredRtcp(offer, media)],
    }
  }

  #agree(
    description: SessionDescription,
    media: SdpMedia,
    formats: readonly SdpFormat[],
    keys: AgreedKeys | undefined,
  ): void {
    const remote = mediaAddressOf(description, media)
    const direction = directionOf(description, media)
    const hears = direction === 'recvonly' || direction === 'sendrecv'
    this.#wanted = hears && remote !== undefined && !isWildcardIp(remote.ip)
    this.#agreed = {
      ...(remote && { remote }),
      receive: [],
      send: formats.map((format) => sentFormat(format, this.#rules.opus)),
      ...(keys && { srtp: keys }),
      ...wantedReports(description, media),
      silent: true,
    }
    this.#apply()
  }

  #drop(): void {
    this.#agreed = undefined
    this.#apply()
  }

  #apply(): void {
    const sends = this.#agreed !== undefined && this.#wanted && !this.#paused
    if (this.#agreed) this.port.describe(sends ? this.#agreed : { ...this.#agreed, send: [] })
    const source = this.#agreed && this.#track?.port
    if (source === this.#copied) return
    this.#copied = source
    this.#media.copy(source, this.port)
  }

  #declare(formats: readonly SdpFormat[]): void {
    const known = new Set(formats.map(({ payloadType }) => payloadType))
    this.#declared = [...formats, ...this.#declared.filter(({ payloadType }) => !known.has(payloadType))]
  }
}

/** The m-line alone is used. */
const anySession = { address: '0.0.0.0', sessionId: '0', version: 0 }
