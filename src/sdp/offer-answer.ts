/**
 * Offers and answers as pure functions: descriptions in, description out. RFC 3264.
 *
 *   call/, siprec/ ── what we take, and at which port ─▶  here  ──▶  SessionDescription for printSdp
 *
 * Keys of SRTP, ICE and BUNDLE are attributes that the caller adds (crypto.ts, dtls.ts, ice.ts).
 */
import { answeredFmtp } from './fmtp.ts'
import { isComfortNoise, isTelephoneEvent, sameFormat } from './media.ts'
import type {
  Direction,
  SdpAttribute,
  SdpConnection,
  SdpFormat,
  SdpMedia,
  SdpOrigin,
  SessionDescription,
} from './types.ts'

interface Session {
  /** Our media address, numeric. */
  readonly address: string
  /** Digits; the same for the life of the session (RFC 8866 §5.2). */
  readonly sessionId: string
  /** Counts up with each description that differs from the last (RFC 3264 §8). */
  readonly version: number
  /** Of the session: groups, ICE. */
  readonly attributes?: readonly SdpAttribute[]
}

export interface AudioOffer extends Session {
  readonly port: number
  /** RTP/AVP unless given. */
  readonly protocol?: string
  /** In order of preference. */
  readonly formats: readonly SdpFormat[]
  readonly direction: Direction
  /** Milliseconds of audio a packet that we would like to get. */
  readonly ptimeMs?: number
  readonly label?: string
  /** After those of the formats. */
  readonly extraAttributes?: readonly SdpAttribute[]
}

/** @param others The m-lines in order, `audio` where the audio stands; the audio alone when left out. */
export function createAudioOffer(
  options: AudioOffer,
  others: readonly (SdpMedia | 'audio')[] = ['audio'],
): SessionDescription {
  const ptime: SdpAttribute[] = options.ptimeMs === undefined ? [] : [{ name: 'ptime', value: `${options.ptimeMs}` }]
  const media: SdpMedia = {
    type: 'audio',
    port: options.port,
    protocol: options.protocol ?? 'RTP/AVP',
    formats: options.formats.map(({ payloadType }) => `${payloadType}`),
    attributes: streamAttributes(options.formats, options.direction, options.label, [
      ...ptime,
      ...(options.extraAttributes ?? []),
    ]),
    otherLines: [],
  }
  return describe(
    options,
    ['t=0 0'],
    others.map((line) => (line === 'audio' ? media : line)),
  )
}

export interface AcceptedStream {
  readonly port: number
  /** With the offerer's payload types, see `commonFormats`. */
  readonly formats: readonly SdpFormat[]
  readonly direction: Direction
  readonly label?: string
  readonly extraAttributes?: readonly SdpAttribute[]
}

export interface AnswerOptions extends Session {
  /** Take a stream, with a whole line of one's own or by its formats, or refuse it with undefined. Not asked for streams that the offer itself disables with port 0. */
  accept(media: SdpMedia, index: number): AcceptedStream | SdpMedia | undefined
}

/** Every m-line is answered in its place (RFC 3264 §6); a refused one has port 0 and keeps protocol and formats. */
export function answerOffer(offer: SessionDescription, options: AnswerOptions): SessionDescription {
  const media = offer.media.map((offered, index) => {
    const accepted = offered.port === 0 ? undefined : options.accept(offered, index)
    return answerMedia(offered, accepted)
  })
  const times = offer.otherLines.filter((line) => line.startsWith('t='))
  return describe(options, times.length > 0 ? times : ['t=0 0'], media)
}

function answerMedia(offered: SdpMedia, accepted: AcceptedStream | SdpMedia | undefined): SdpMedia {
  const { type, protocol, formats } = offered
  if (accepted && 'attributes' in accepted) return accepted
  if (!accepted) return { type, port: 0, protocol, formats, attributes: [], otherLines: [] }
  return {
    type,
    port: accepted.port,
    protocol,
    formats: accepted.formats.map(({ payloadType }) => `${payloadType}`),
    attributes: streamAttributes(accepted.formats, accepted.direction, accepted.label, accepted.extraAttributes),
    otherLines: [],
  }
}

function describe(session: Session, otherLines: readonly string[], media: readonly SdpMedia[]): SessionDescription {
  const { address, sessionId, version, attributes = [] } = session
  const addressType: SdpConnection['addressType'] = address.includes(':') ? 'IP6' : 'IP4'
  const origin: SdpOrigin = {
    username: '-',
    sessionId,
    sessionVersion: `${version}`,
    netType: 'IN',
    addressType,
    address,
  }
  return { origin, name: '-', connection: { addressType, address }, attributes, otherLines, media }
}

function streamAttributes(
  formats: readonly SdpFormat[],
  direction: Direction,
  label: string | undefined,
  extra: readonly SdpAttribute[] = [],
): SdpAttribute[] {
  const labels: SdpAttribute[] = label === undefined ? [] : [{ name: 'label', value: label }]
  return [...formats.flatMap(formatAttributes), ...extra, { name: direction }, ...labels]
}

function formatAttributes({ payloadType, encoding, clockRateHz, channels, fmtp }: SdpFormat): SdpAttribute[] {
  const attributes: SdpAttribute[] = []
  const suffix = channels > 1 ? `/${channels}` : ''
  if (encoding !== '') attributes.push({ name: 'rtpmap', value: `${payloadType} ${encoding}/${clockRateHz}${suffix}` })
  if (fmtp !== undefined) attributes.push({ name: 'fmtp', value: `${payloadType} ${fmtp}` })
  return attributes
}

/**
 * What both sides know, in the offerer's order and with its payload types, so that both directions use the same numbers
 * (RFC 3264 §6.1). A telephone-event counts beside audio of its clock rate (RFC 4733 §2.1), or of another when that is
 * all there is: some phones offer it at 8 kHz whatever they speak. Alone it is no call, so the list is empty when no
 * audio is in common.
 */
export function commonFormats(offered: readonly SdpFormat[], supported: readonly SdpFormat[]): SdpFormat[] {
  const common = offered.flatMap((format) => {
    const ours = supported.find((each) => sameFormat(format, each))
    return ours ? [withFmtp(format, answeredFmtp(format, ours))] : []
  })
  return besideAudio(common)
}

/** Without the telephone-events and comfort noise that no audio stands for. */
export function besideAudio(formats: readonly SdpFormat[]): SdpFormat[] {
  const audio = formats.filter((format) => !isTelephoneEvent(format) && !isComfortNoise(format))
  const isAtRate = ({ clockRateHz }: SdpFormat): boolean => audio.some((format) => format.clockRateHz === clockRateHz)
  const events = formats.filter(isTelephoneEvent)
  const fitting = events.filter(isAtRate)
  const kept = new Set([...audio, ...(fitting.length > 0 ? fitting : events.slice(0, 1))])
  if (audio.length === 0) return []
  return formats.filter((format) => kept.has(format) || (isComfortNoise(format) && isAtRate(format)))
}

const withFmtp = (format: SdpFormat, fmtp: string | undefined): SdpFormat => ({
  payloadType: format.payloadType,
  encoding: format.encoding,
  clockRateHz: format.clockRateHz,
  channels: format.channels,
  ...(fmtp !== undefined && { fmtp }),
})

/** RFC 3264 §6.1: we send only what the other side receives, and receive only what it sends. */
export function answerDirection(offered: Direction, wanted: Direction): Direction {
  const send = mayReceive(offered) && maySend(wanted)
  const receive = maySend(offered) && mayReceive(wanted)
  if (send && receive) return 'sendrecv'
  if (send) return 'sendonly'
  return receive ? 'recvonly' : 'inactive'
}

const maySend = (direction: Direction): boolean => direction === 'sendrecv' || direction === 'sendonly'
const mayReceive = (direction: Direction): boolean => direction === 'sendrecv' || direction === 'recvonly'
