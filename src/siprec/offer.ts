/**
 * Offer and answer of a recording session, without ports and sockets: what each m-line asks, and our answer to all of
 * them (RFC 7866 §7.2, RFC 3264 §6).
 *
 * Every m-line is answered in its place: audio that can be recorded with `recvonly` and its label, anything else
 * refused by port 0. Every payload type of speech is taken, for clients switch between them without asking: first those
 * that become sound, then those that are stored as they come.
 * A stream that is not encrypted as it must be is refused too (RFC 7866 §12.1).
 */
import { carried, firstOffer } from '../call/codec-choice.ts'
import { isCompanion, isDecodable, usualRules } from '../call/codec-rules.ts'
import { answeredRtcp, type WantedReports, wantedReports } from '../call/leg-rtcp.ts'
import { encodingName, isRtpAudio, mediaAddressOf, receivedFormat } from '../call/rtp-audio.ts'
import { isWildcardIp } from '../core/ip.ts'
import type { MediaAddress, PayloadFormat } from '../media/types.ts'
import { withSessionTransport } from '../sdp/dtls.ts'
import { directionOf, formatsOf, labelOf } from '../sdp/media.ts'
import { answerDirection, answerOffer, besideAudio, createAudioOffer } from '../sdp/offer-answer.ts'
import { parseSdp } from '../sdp/parse.ts'
import { printSdp } from '../sdp/print.ts'
import type { Direction, SdpAttribute, SdpFormat, SdpMedia, SessionDescription } from '../sdp/types.ts'
import { SiprecError } from './failures.ts'

/** Streams of one session; real clients send two, conferences a few more. */
const maxStreams = 16

/** An m-line that is to be recorded. */
export interface OfferedStream {
  /** Its place among the m-lines; it stays the same as long as the session lives (RFC 3264 §8). */
  readonly index: number
  /** With what the session says of its transport. */
  readonly media: SdpMedia
  readonly label?: string
  readonly formats: readonly SdpFormat[]
  readonly direction: Direction
  /** Where the client's packets are said to come from; absent without a usable connection line. */
  readonly remote?: MediaAddress
  /** Its address is all zeros, "nowhere". */
  readonly atZeros: boolean
  readonly reports: WantedReports
}

export interface Offer {
  /** As it came. */
  readonly text: string
  readonly description: SessionDescription
  readonly streams: readonly OfferedStream[]
}

/** All of them. */
const anyCodec: readonly string[] = ['others']

/**
 * @param codecs Names of those that are taken, `others` for all that are not named.
 * @throws {SiprecError} `siprec.bad-sdp`
 */
export function readOffer(sdp: string, codecs = anyCodec): Offer {
  const parsed = parseSdp(sdp)
  if (!parsed.ok) throw new SiprecError('siprec.bad-sdp', { cause: parsed.problem })
  const { description } = parsed
  const streams = description.media.flatMap((media, index) => readStream(description, media, index, codecs))
  return { text: sdp, description, streams: streams.slice(0, maxStreams) }
}

/** Static (RFC 3551): stored as it comes where no decoder is configured. */
const g729: SdpFormat = { payloadType: 18, encoding: 'G729', clockRateHz: 8_000, channels: 1 }

/**
 * What a client would have offered that leaves the offer to us (RFC 3261 §14.2): so many streams, in all that we record.
 * Nothing says where they come from until it answers.
 */
export function unsaidOffer(lines: number): Offer {
  const nowhere = { address: '0.0.0.0', port: 9, sessionId: '0', version: 0 }
  const line = createAudioOffer({
    ...nowhere,
    formats: [...firstOffer(usualRules), g729],
    direction: 'sendonly',
  })
  return readOffer(printSdp({ ...line, media: Array.from({ length: lines }, () => line.media).flat() }))
}

function readStream(
  description: SessionDescription,
  media: SdpMedia,
  index: number,
  codecs: readonly string[],
): OfferedStream[] {
  if (!isRtpAudio(media)) return []
  const formats = besideAudio(carried(formatsOf(media), { ...usualRules, codecs })).toSorted(soundFirst)
  if (formats.length === 0) return []
  const label = labelOf(media)
  const address = mediaAddressOf(description, media)
  const atZeros = isWildcardIp(address?.ip)
  const direction = directionOf(description, media)
  const reports = wantedReports(description, media)
  return [
    {
      index,
      media: withSessionTransport(description, media),
      formats,
      direction,
      atZeros,
      reports,
      ...(label !== undefined && { label }),
      ...(address && !atZeros && { remote: address }),
    },
  ]
}

const soundFirst = (a: SdpFormat, b: SdpFormat): number => rank(a) - rank(b)
const rank = (format: SdpFormat): number => (isCompanion(format) ? 2 : isDecodable(format) ? 0 : 1)

/** The client sends nothing on it now, so what comes nevertheless is not to be recorded (RFC 7866 §7.2). */
export const isPaused = ({ direction }: OfferedStream): boolean => direction === 'inactive' || direction === 'recvonly'

/** The speech format the client prefers. */
export const codecOf = (stream: OfferedStream): string | undefined =>
  stream.formats.filter((format) => !isCompanion(format)).map(encodingName)[0]

/** What arrives on the port of this stream: nothing while it is paused. */
export const payloadFormats = (stream: OfferedStream): PayloadFormat[] =>
  isPaused(stream) ? [] : stream.formats.map((format) => receivedFormat(format, format))

/** RFC 7587 §7.1: of Opus we say what we like to receive, and stereo is worth keeping; others are taken as offered. */
const asWeTakeIt = (format: SdpFormat): SdpFormat =>
  encodingName(format) === 'opus' ? { ...format, fmtp: 'stereo=1;useinbandfec=1' } : format

export interface Ours {
  readonly address: string
  readonly sessionId: string
  readonly version: number
}

/** What we say of a stream's m-line. */
export interface OurEnds {
  /** The RTP port, or undefined to refuse it. */
  portOf(index: number): number | undefined
  /** Our key, in an answer or an offer of ours; none for plain RTP. */
  cryptoOf(index: number, of: 'answer' | 'offer'): readonly SdpAttribute[]
}

export const printAnswer = (offer: Offer, ours: Ours, ends: OurEnds): string =>
  print(offer, ours, ends, 'answer', (stream) => answerDirection(stream.direction, 'recvonly'))

/** What stands, offered by us: for a client that sends an INVITE without a description (RFC 3261 §14.2). */
export const printOurOffer = (last: Offer, ours: Ours, ends: OurEnds): string =>
  print(last, ours, ends, 'offer', () => 'recvonly')

function print(
  { description, streams }: Offer,
  ours: Ours,
  ends: OurEnds,
  as: 'answer' | 'offer',
  directionOf: (stream: OfferedStream) => Direction,
): string {
  const accept = (media: SdpMedia, index: number) => {
    const stream = streams.find((candidate) => candidate.index === index)
    const port = ends.portOf(index)
    if (!stream || port === undefined) return undefined
    return {
      port,
      formats: stream.formats.map(asWeTakeIt),
      direction: directionOf(stream),
      ...(stream.label !== undefined && { label: stream.label }),
      extraAttributes: [...ends.cryptoOf(index, as), ...answeredRtcp(description, media)],
    }
  }
  return printSdp(answerOffer(description, { ...ours, accept }))
}
