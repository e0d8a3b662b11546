/**
 * The media of one leg: its port on the media plane, and the offer/answer that says what the port does (RFC 3264).
 *
 *   Call  ── offer(), answer(sdp), takeAnswer(sdp) ─▶  here  ── describe ─▶  MediaPort
 *
 * One audio stream; further m-lines are the side streams of the call (side-streams.ts), or refused with port 0. The
 * m-lines of an offer of ours stand where they stood before (RFC 3264 §8). Knows no SIP.
 */

import type { IceCredentials } from '../core/ice.ts'
import { isWildcardIp } from '../core/ip.ts'
import { randomUint32 } from '../core/random.ts'
import type { VoiceProcessing } from '../core/voice-processing.ts'
import type { MediaAddress, MediaPort } from '../media/types.ts'
import {
  maxptimeOf,
  ptimeOf,
  type RecordPreference,
  type RecordState,
  recordOf,
  recordPreferenceOf,
} from '../sdp/attributes.ts'
import { directionOf, formatsOf } from '../sdp/media.ts'
import { answerDirection, answerOffer, createAudioOffer } from '../sdp/offer-answer.ts'
import { parseSdp } from '../sdp/parse.ts'
import { printSdp } from '../sdp/print.ts'
import { isRelayable, refusedLine } from '../sdp/relay.ts'
import type { Direction, SdpAttribute, SdpFormat, SdpMedia, SessionDescription } from '../sdp/types.ts'
import { agreedIn, carried, firstOffer, sameNumbers, toAnswer, toOffer } from './codec-choice.ts'
import { type CodecRules, isCompanion, sameCodec, usualRules } from './codec-rules.ts'
import { CallError } from './failures.ts'
import type { SrtpMode } from './leg-crypto.ts'
import { LegEncryption } from './leg-encryption.ts'
import { answeredRtcp, offeredRtcp, type WantedReports, wantedReports } from './leg-rtcp.ts'
import { LegStreams } from './leg-streams.ts'
import { LegTransport, type PortTransport } from './leg-transport.ts'
import { encodingName, isRtpAudio, mediaAddressOf, receivedFormat, sentFormat } from './rtp-audio.ts'
import type { Plan, SideEnd } from './side-streams.ts'

interface RemoteAudio {
  readonly address: MediaAddress
  readonly formats: readonly SdpFormat[]
  readonly direction: Direction
  /** How much sound it wants in a packet. */
  readonly timing: readonly SdpAttribute[]
  /** The m-line it was read from. */
  readonly media: SdpMedia
  readonly reports: WantedReports
  readonly records: RecordState | undefined
  readonly prefers: RecordPreference | undefined
}

/** When nobody says otherwise (RFC 3551 §4.2). */
const usualTiming: readonly SdpAttribute[] = [{ name: 'ptime', value: '20' }]

/** `a=ptime`, `a=maxptime`: packets go across as they come, so what one side wants is for the other side to know. */
const timingOf = ({ attributes }: SdpMedia): readonly SdpAttribute[] =>
  attributes.filter(({ name, value = '' }) => /^(?:max)?ptime$/.test(name) && /^\s*\d{1,3}(?:\.\d+)?\s*$/.test(value))

/** @throws {CallError} With this code when the text is no session description. */
export function readDescription(text: string, code: 'call.bad-offer' | 'call.bad-answer'): SessionDescription {
  const parsed = parseSdp(text)
  if (!parsed.ok) throw new CallError(code, { cause: parsed.problem })
  return parsed.description
}

/** @param takes Of several, the first that is encrypted as it must be. */
function readAudio(
  description: SessionDescription,
  takes: (media: SdpMedia) => boolean = () => true,
): RemoteAudio | undefined {
  const media = description.media.find((each) => isRtpAudio(each) && takes(each))
  const address = media && mediaAddressOf(description, media)
  if (!media || !address) return undefined
  return {
    address,
    formats: formatsOf(media),
    direction: directionOf(description, media),
    timing: timingOf(media),
    media,
    reports: wantedReports(description, media),
    records: recordOf(description, media),
    prefers: recordPreferenceOf(description, media),
  }
}

/** What one side says of its audio that the other side may know. */
export interface AudioWishes {
  /** What a call can carry, in its writer's order and with its payload types; empty when none is speech. */
  readonly formats: readonly SdpFormat[]
  /** How much sound it wants in a packet; 20 ms when left out. */
  readonly timing?: readonly SdpAttribute[]
}

/**
 * What of an offer can be carried.
 * @throws {CallError} `call.bad-offer`
 */
export function usableAudio(offer: string, rules: CodecRules): AudioWishes {
  const audio = readAudio(readDescription(offer, 'call.bad-offer'))
  if (!audio) return { formats: [] }
  return {
    formats: carried(audio.formats, rules),
    timing: audio.timing.length > 0 ? audio.timing : usualTiming,
  }
}

/** What the m-line says of them, as the port takes it. */
function packetTimes(media: SdpMedia): { readonly ptimeMs?: number; readonly maxPtimeMs?: number } {
  const [ptimeMs, maxPtimeMs] = [ptimeOf(media), maxptimeOf(media)]
  return { ...(ptimeMs && { ptimeMs }), ...(maxPtimeMs && { maxPtimeMs }) }
}

export interface LegMediaOptions {
  readonly streams?: SideEnd
  readonly before?: LegMedia
  readonly srtp?: SrtpMode
  /** It takes the media of WebRTC and nothing else. */
  readonly browser?: boolean
  /** Addresses of ours besides, for who finds its way by ICE. */
  readonly alsoAt?: (() => readonly string[]) | undefined
  /** Of the port, for the several devices that ring on it. */
  readonly ice?: IceCredentials
  readonly codecs?: CodecRules
  /** What is done to the peer's voice; what the media plane does to all when left out. */
  readonly voice?: VoiceProcessing
}

export class LegMedia {
  readonly port: MediaPort
  readonly encryption: LegEncryption
  readonly #ip: string
  readonly #transport: LegTransport
  /** One for all descriptions of a dialog, also when another port takes over (RFC 3264 §8). */
  readonly #origin: { readonly sessionId: string; version: number }
  readonly #streams: LegStreams
  /** The m-lines of our last description. */
  #plan: Plan = ['audio']
  /** Before an offer of ours that has not been answered. */
  #planBefore: Plan = ['audio']
  #remote: MediaAddress | undefined
  readonly #rules: CodecRules
  /** What was agreed last, or offered, as we declared it: to offer again when the peer asks for an offer. */
  #formats: readonly SdpFormat[] = []
  /** The same as the peer declared it. */
  #peerFormats: readonly SdpFormat[] = []
  /** All that we ever declared in this dialog: a payload type keeps its meaning (RFC 3264 §8.3.2). */
  #declared: readonly SdpFormat[] = []
  #timing = usualTiming
  #peerTiming = usualTiming
  #peerDirection: Direction = 'sendrecv'
  /**
   * All of our last description. Early media may come from another device than the answer, in another codec; and what we
   * answered is offered again to refresh the session.
   */
  #offered: readonly SdpFormat[] = []
  #awaitsAnswer = false
  /** What the port was told last. */
  #applied: Parameters<MediaPort['describe']>[0] | undefined
  readonly #voice: VoiceProcessing | undefined
  /** What this peer is to be told of recording; nothing of who does not know it. */
  record: RecordState | undefined
  /** What our last description said of it. */
  recordTold: RecordState = 'off'
  /** What the peer's last description said: it, or somebody behind it, records. */
  peerRecords: RecordState | undefined
  /** What the peer wishes to become of recording, as it said last. */
  prefersRecord: RecordPreference | undefined

  /**
   * @param ip The address put into SDP: the one this peer reaches us at.
   * @param more Streams beside the audio; the media that this peer had until now; how its packets travel; which
   *   codecs; what is done to its voice.
   */
  constructor(port: MediaPort, ip: string, more: LegMediaOptions = {}) {
    const { streams, before, srtp = 'accepted', browser = false, codecs, ice, alsoAt, voice } = more
    this.#voice = before ? before.#voice : voice
    this.port = port
    this.encryption = new LegEncryption(port)
    this.#ip = ip
    this.#rules = codecs ?? (before ? before.#rules : usualRules)
    this.#transport = before
      ? before.#transport.onAnotherPort(port, ip)
      : new LegTransport({ port, ip, srtp, browser, alsoAt, ...(ice && { ice }) })
    this.#streams = new LegStreams(this.#transport.crypto, streams, before && before.#streams)
    this.#origin = before ? before.#origin : { sessionId: String(randomUint32()), version: 0 }
    if (!before) return
    this.#plan = before.#audioAlone()
    this.#formats = before.#formats
    this.#declared = before.#declared
  }

  /** The codec both prefer, this peer and we, once agreed. */
  get codec(): string | undefined {
    const format = this.#remote && this.#formats.find((each) => !isCompanion(each))
    return format && encodingName(format)
  }

  /** What the peer said of its audio, for the other side. */
  get wishes(): AudioWishes {
    return { formats: this.#peerFormats, timing: this.#peerTiming }
  }

  /** True between an offer of ours and the peer's answer. */
  get awaitsAnswer(): boolean {
    return this.#awaitsAnswer
  }

  /** True while digits may be sent to the peer as telephone-events. */
  get takesEvents(): boolean {
    return this.#applied?.send.some(({ encoding }) => encoding === 'telephone-event') ?? false
  }

  /** True when the peer put us on hold: it does not want to hear us. */
  get held(): boolean {
    return this.#peerDirection === 'sendonly' || this.#peerDirection === 'inactive'
  }

  /** What it said last of its audio. */
  get flow(): { readonly sends: boolean; readonly hears: boolean } {
    return { sends: this.expectsPackets, hears: !this.held }
  }

  /** True when it neither hears nor sends. */
  get isInactive(): boolean {
    return this.#peerDirection === 'inactive'
  }

  /** True when the peer said it sends: silence from it is worth a question. */
  get expectsPackets(): boolean {
    return this.#peerDirection === 'sendrecv' || this.#peerDirection === 'sendonly'
  }

  /**
   * Nobody's phone rings for a call that could not be answered.
   * @throws {CallError} `call.bad-offer`, or `call.no-common-encryption` when no audio of the offer is encrypted as it must be.
   */
  mustSuit(text: string): void {
    const offer = readDescription(text, 'call.bad-offer')
    const lines = offer.media.filter(isRtpAudio)
    if (lines.length > 0 && !lines.some((line) => this.#transport.takes(offer, line)))
      throw new CallError('call.no-common-encryption')
  }

  /** Whether anything of this could be offered here. */
  suits({ formats }: AudioWishes): boolean {
    return toOffer(formats, this.#rules).length > 0
  }

  /** Whether what was agreed here and this go together, as they are or converted. */
  carries({ formats }: AudioWishes): boolean {
    return toAnswer(this.#formats, formats, this.#rules).length > 0
  }

  /** An offer of what the other side wants, or of what was agreed before. */
  offer(wanted: AudioWishes = { formats: this.#formats, timing: this.#timing }): string {
    const offered = toOffer(wanted.formats, this.#rules, this.#declared)
    const formats = offered.length > 0 ? offered : firstOffer(this.#rules)
    this.#formats = formats
    this.#offered = formats
    this.#declare(formats)
    this.#timing = wanted.timing ?? usualTiming
    this.#awaitsAnswer = true
    const plan = this.#nextPlan()
    this.#planBefore = this.#plan
    this.#plan = plan
    // Who offers must be ready at once: a peer's packets may overtake its answer (RFC 3264 §5.1).
    const { protocol, attributes, sessionAttributes, port } = this.#transport.offer()
    if (!this.#remote)
      this.port.describe({ receive: formats.map((each) => receivedFormat(each, undefined)), send: [], ...port })
    return printSdp(
      createAudioOffer(
        {
          ...this.#nextOrigin(),
          attributes: [...sessionAttributes, ...this.#recordLines()],
          port: this.port.address.rtpPort,
          protocol,
          formats,
          direction: 'sendrecv',
          extraAttributes: [...this.#timing, ...attributes, ...offeredRtcp],
        },
        plan,
      ),
    )
  }

  /** The peer refused our offer: what stood before stands. */
  offerRefused(): void {
    this.#awaitsAnswer = false
    this.#plan = this.#planBefore
  }

  /** The streams beside the audio are over. */
  leaveStreams(): void {
    this.#plan = this.#audioAlone()
    this.#streams.leave()
  }

  /** Fax or video comes into a call that had audio alone. */
  joinStreams(streams: SideEnd): void {
    this.#streams.join(streams)
  }

  /** False when the other side's audio stands in another place: m-lines do not move (RFC 3264 §8). */
  get canOfferStreams(): boolean {
    const plan = this.#streams.plan() ?? []
    return plan.indexOf('audio') === this.#plan.indexOf('audio')
  }

  /** An offer to this peer would switch nothing on or off beside its audio. */
  get isUpToDate(): boolean {
    const heard = this.#streams.heard?.media ?? []
    return this.#nextPlan().every((line, place) => typeOf(line) === (typeOf(heard[place]) && typeOf(this.#plan[place])))
  }

  /** An offer of the peer, without the streams beside its audio that we cannot or may not carry. */
  usable(offer: SessionDescription): SessionDescription {
    return this.#streams.usable(offer)
  }

  /** What the other side has, and whatever m-lines stood here beyond that (RFC 3264 §8). */
  #nextPlan(): Plan {
    const plan = this.#streams.plan()
    if (!plan) return this.#plan
    const more = this.#plan.slice(plan.length)
    return [...plan, ...more.map((line) => (line === 'audio' ? line : refusedLine(line)))]
  }

  /** The same m-lines, all but the audio refused. */
  #audioAlone(): Plan {
    const plan: Plan = this.#plan.includes('audio') ? this.#plan : ['audio', ...this.#plan.slice(1)]
    return plan.map((line) => (line === 'audio' ? line : refusedLine(line)))
  }

  /**
   * Take the peer's answer to our offer.
   * @throws {CallError} `call.bad-answer`; `call.no-common-codec` or `call.no-common-encryption` when it refused our audio.
   */
  takeAnswer(text: string): void {
    this.#awaitsAnswer = false
    const answer = readDescription(text, 'call.bad-answer')
    if (!this.#plan.includes('audio')) return this.#takeOthers(this.#streams.takeAnswer(answer).some(isRelayable))
    const audio = readAudio(answer)
    const agreed = audio ? agreedIn(audio.formats, this.#offered) : []
    if (!audio || agreed.length === 0) throw new CallError('call.no-common-codec')
    this.#peerFormats = agreed
    this.#apply(audio, this.#offered, agreed, this.#transport.takeAnswer(answer, audio.media))
    this.#formats = sameNumbers(agreed, this.#offered)
    this.#streams.takeAnswer(answer)
  }

  /**
   * Answer the peer's offer with what the other side wants, as far as the peer knows it.
   * @param wanted What was agreed before, or all that can be converted, when it is not known.
   * @throws {CallError} `call.bad-offer`, `call.no-common-codec` or `call.no-common-encryption`.
   */
  answer(text: string, wanted: AudioWishes = this.#anything): string {
    const offer = this.usable(readDescription(text, 'call.bad-offer'))
    const audio = readAudio(offer, (media) => this.#transport.takes(offer, media)) ?? readAudio(offer)
    const known = wanted.formats.length > 0 ? wanted : this.#anything
    const agreed = audio ? toAnswer(audio.formats, known.formats, this.#rules) : []
    const taken = audio && agreed.length > 0 ? offer.media.indexOf(audio.media) : undefined
    const transport = audio && taken !== undefined ? this.#transport.answer(offer, audio.media) : undefined
    const beside = this.#streams.answer(offer)
    const lines = offer.media.map((media, index) =>
      index === taken ? 'audio' : (beside.lines[index] ?? refusedLine(media)),
    )
    if (audio && transport) this.#takeOffer(audio, agreed, transport.port)
    else this.#takeOthers(!audio && lines.some((line) => line !== 'audio' && line.port !== 0))
    this.#streams.hear(beside.heard)
    this.#awaitsAnswer = false
    this.#plan = lines
    this.#timing = wanted.timing ?? usualTiming
    const accepted = {
      port: this.port.address.rtpPort,
      formats: agreed,
      direction: answerDirection(audio?.direction ?? 'inactive', 'sendrecv'),
      extraAttributes: [
        ...this.#timing,
        ...(transport?.attributes ?? []),
        ...(audio ? answeredRtcp(offer, audio.media) : []),
      ],
    }
    const accept = (_media: SdpMedia, index: number) => {
      const line = lines[index]
      return line === 'audio' ? accepted : line
    }
    const attributes = [...(transport?.sessionAttributes ?? []), ...this.#recordLines()]
    return printSdp(answerOffer(offer, { ...this.#nextOrigin(), attributes, accept }))
  }

  #takeOffer(audio: RemoteAudio, agreed: readonly SdpFormat[], transport: PortTransport): void {
    this.#peerFormats = agreed.flatMap((format) => audio.formats.filter(hasNumber(format)))
    this.#apply(audio, agreed, this.#peerFormats, transport)
    this.#formats = agreed
    this.#offered = agreed
    this.#declare(agreed)
  }

  get #anything(): AudioWishes {
    return { formats: [...this.#formats, ...firstOffer(this.#rules)], timing: this.#timing }
  }

  #declare(formats: readonly SdpFormat[]): void {
    const before = this.#declared.filter((format) => !formats.some(hasNumber(format)))
    this.#declared = [...before, ...formats]
  }

  /** There is no audio, but fax or video: nobody waits for its packets. */
  #takeOthers(any: boolean): void {
    if (!any) throw new CallError('call.no-common-codec')
    this.#peerDirection = 'inactive'
  }

  /** The answer to an INVITE of ours; `earlier` when it has none, for it came with a PRACK (RFC 3262 §5). */
  takeFinal(text: string, earlier: string, renegotiated: boolean): void {
    // After a further exchange the first description is a thing of the past.
    if (!renegotiated) this.takeAnswer(text || earlier)
    else if (this.#applied) this.port.describe(this.#applied)
  }

  #apply(
    audio: RemoteAudio,
    receive: readonly SdpFormat[],
    send: readonly SdpFormat[],
    transport: PortTransport,
  ): void {
    // Who does ICE may not know yet where it is, and says so by zeros too.
    const isNowhere = isWildcardIp(audio.address.ip) && !transport.ice
    this.#peerDirection = isNowhere ? 'inactive' : audio.direction
    this.#peerTiming = audio.timing.length > 0 ? audio.timing : usualTiming
    this.#remote = audio.address
    if (this.#voice && !this.#applied) this.port.process(this.#voice)
    this.#applied = {
      remote: audio.address,
      receive: receive.map((format) =>
        receivedFormat(
          format,
          audio.formats.find((each) => sameCodec(each, format)),
        ),
      ),
      send: this.held ? [] : send.map((format) => sentFormat(format, this.#rules.opus)),
      ...packetTimes(audio.media),
      ...transport,
      ...audio.reports,
      silent: !this.expectsPackets,
    }
    this.peerRecords = audio.records
    this.prefersRecord = audio.prefers ?? this.prefersRecord
    this.encryption.agreed(transport.srtp)
    this.port.describe(this.#applied)
  }

  #recordLines(): readonly SdpAttribute[] {
    if (!this.record) return []
    this.recordTold = this.record
    return [{ name: 'record', value: this.record }]
  }

  #nextOrigin() {
    this.#origin.version += 1
    return { address: this.#ip, ...this.#origin }
  }
}

/** Of a stream beside the audio that is on; empty otherwise. */
const typeOf = (line: SdpMedia | 'audio' | undefined): string =>
  typeof line === 'object' && isRelayable(line) ? line.type : ''

const hasNumber =
  ({ payloadType }: SdpFormat) =>
  (format: SdpFormat): boolean =>
    format.payloadType === payloadType
