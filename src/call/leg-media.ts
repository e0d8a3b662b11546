/**
 * The media of one leg: its port on the media plane, and the offer/answer that says what the port does (RFC 3264).
 *
 *   Call  ── offer(), answer(sdp), takeAnswer(sdp) ─▶  here  ── describe ─▶  MediaPort
 *
 * One audio stream; further m-lines of an offer are refused with port 0. Knows no SIP.
 */
import { isWildcardIp } from '../core/ip.ts'
import { randomUint32 } from '../core/random.ts'
import type { MediaAddress, MediaPort } from '../media/types.ts'
import { directionOf, formatsOf, isTelephoneEvent } from '../sdp/media.ts'
import { answerDirection, answerOffer, commonFormats, createAudioOffer } from '../sdp/offer-answer.ts'
import { parseSdp } from '../sdp/parse.ts'
import { printSdp } from '../sdp/print.ts'
import type { Direction, SdpFormat, SessionDescription } from '../sdp/types.ts'
import { CallError } from './failures.ts'
import { isRtpAudio, mediaAddressOf, payloadFormat, supportedFormats } from './rtp-audio.ts'

interface RemoteAudio {
  readonly address: MediaAddress
  readonly formats: readonly SdpFormat[]
  readonly direction: Direction
}

/** @throws {CallError} With this code when the text is no session description. */
function readDescription(text: string, code: 'call.bad-offer' | 'call.bad-answer'): SessionDescription {
  const parsed = parseSdp(text)
  if (!parsed.ok) throw new CallError(code, { cause: parsed.problem })
  return parsed.description
}

function readAudio(description: SessionDescription): RemoteAudio | undefined {
  const media = description.media.find(isRtpAudio)
  const address = media && mediaAddressOf(description, media)
  if (!media || !address) return undefined
  return { address, formats: formatsOf(media), direction: directionOf(description, media) }
}

/** Formats of an offer that a call can carry, the offerer's order and payload types kept; empty when none is speech. */
export function usableFormats(offer: string): readonly SdpFormat[] {
  const audio = readAudio(readDescription(offer, 'call.bad-offer'))
  return audio ? withSpeech(commonFormats(audio.formats, supportedFormats)) : []
}

const withSpeech = (formats: readonly SdpFormat[]): readonly SdpFormat[] =>
  formats.some((format) => !isTelephoneEvent(format)) ? formats : []

export class LegMedia {
  readonly port: MediaPort
  readonly #ip: string
  readonly #sessionId = String(randomUint32())
  #version = 0
  #remote: MediaAddress | undefined
  /** What we last declared, to offer again when the peer asks for an offer. */
  #formats: readonly SdpFormat[] = supportedFormats
  #peerDirection: Direction = 'sendrecv'
  #awaitsAnswer = false
  /** What the port was told last. */
  #applied: Parameters<MediaPort['describe']>[0] | undefined

  /** @param ip The address put into SDP: the one this peer reaches us at. */
  constructor(port: MediaPort, ip: string) {
    this.port = port
    this.#ip = ip
  }

  /** The codec both sides prefer, once agreed. */
  get codec(): string | undefined {
    return this.#remote && this.#formats.find((format) => !isTelephoneEvent(format))?.encoding
  }

  get formats(): readonly SdpFormat[] {
    return this.#formats
  }

  /** True between an offer of ours and the peer's answer. */
  get awaitsAnswer(): boolean {
    return this.#awaitsAnswer
  }

  /** True when the peer put us on hold: it does not want to hear us. */
  get held(): boolean {
    return this.#peerDirection === 'sendonly' || this.#peerDirection === 'inactive'
  }

  /** True when the peer said it sends: silence from it is worth a question. */
  get expectsPackets(): boolean {
    return this.#peerDirection === 'sendrecv' || this.#peerDirection === 'sendonly'
  }

  /** An offer of these formats, or of what was agreed before. */
  offer(formats: readonly SdpFormat[] = this.#formats): string {
    this.#formats = formats
    this.#awaitsAnswer = true
    // Who offers must be ready at once: a peer's packets may overtake its answer (RFC 3264 §5.1).
    if (!this.#remote) this.port.describe({ receive: formats.map(payloadFormat), send: [] })
    return printSdp(
      createAudioOffer({
        address: this.#ip,
        port: this.port.address.rtpPort,
        sessionId: this.#sessionId,
        version: this.#nextVersion(),
        formats,
        direction: 'sendrecv',
        ptimeMs: 20,
      }),
    )
  }

  /**
   * Take the peer's answer to our offer.
   * @throws {CallError} `call.bad-answer`, or `call.no-common-codec` when it refused our audio.
   */
  takeAnswer(text: string): void {
    this.#awaitsAnswer = false
    const audio = readAudio(readDescription(text, 'call.bad-answer'))
    const agreed = audio && withSpeech(commonFormats(audio.formats, this.#formats))
    if (!audio || !agreed || agreed.length === 0) throw new CallError('call.no-common-codec')
    this.#apply(audio, this.#formats, agreed)
    this.#formats = agreed
  }

  /**
   * Answer the peer's offer with those of `allowed` it knows.
   * @throws {CallError} `call.bad-offer`, or `call.no-common-codec`.
   */
  answer(text: string, allowed: readonly SdpFormat[] = supportedFormats): string {
    const offer = readDescription(text, 'call.bad-offer')
    const audio = readAudio(offer)
    const agreed = audio && withSpeech(commonFormats(audio.formats, allowed))
    if (!audio || !agreed || agreed.length === 0) throw new CallError('call.no-common-codec')
    this.#awaitsAnswer = false
    this.#apply(audio, agreed, agreed)
    this.#formats = agreed
    const taken = offer.media.findIndex(isRtpAudio)
    return printSdp(
      answerOffer(offer, {
        address: this.#ip,
        sessionId: this.#sessionId,
        version: this.#nextVersion(),
        accept: (_media, index) =>
          index === taken
            ? {
                port: this.port.address.rtpPort,
                formats: agreed,
                direction: answerDirection(audio.direction, 'sendrecv'),
              }
            : undefined,
      }),
    )
  }

  /** The answer to an INVITE of ours; `earlier` when it has none, for it came with a PRACK (RFC 3262 §5). */
  takeFinal(text: string, earlier: string, renegotiated: boolean): void {
    // After a further exchange the first description is a thing of the past.
    if (!renegotiated) this.takeAnswer(text || earlier)
    else if (this.#applied) this.port.describe(this.#applied)
  }

  #apply(audio: RemoteAudio, receive: readonly SdpFormat[], send: readonly SdpFormat[]): void {
    this.#peerDirection = isWildcardIp(audio.address.ip) ? 'inactive' : audio.direction
    this.#remote = audio.address
    this.#applied = {
      remote: audio.address,
      receive: receive.map(payloadFormat),
      send: this.held ? [] : send.map(payloadFormat),
    }
    this.port.describe(this.#applied)
  }

  #nextVersion(): number {
    this.#version += 1
    return this.#version
  }
}
