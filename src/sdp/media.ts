/**
 * What a stream of a session description says: its formats, direction, addresses. RFC 8866, RFC 3264, RFC 3551 §6.
 */
import { isWildcardIp } from '../core/ip.ts'
import { sameParameters } from './fmtp.ts'
import type { Direction, SdpAttribute, SdpConnection, SdpFormat, SdpMedia, SessionDescription } from './types.ts'

const format = (payloadType: number, encoding: string, clockRateHz: number, channels = 1): SdpFormat => ({
  payloadType,
  encoding,
  clockRateHz,
  channels,
})

export const pcmu: SdpFormat = format(0, 'PCMU', 8_000)
export const pcma: SdpFormat = format(8, 'PCMA', 8_000)
/** Digits 0-9 * # A-D and flash, on the payload type most phones use (RFC 4733 §7.1.1). */
export const telephoneEvent: SdpFormat = { ...format(101, 'telephone-event', 8_000), fmtp: '0-16' }

/** RFC 3551 tables 4 and 5. 19 is what CN was before it became 13; some gateways still send it. */
const staticFormats = new Map(
  [
    pcmu,
    format(3, 'GSM', 8_000),
    format(4, 'G723', 8_000),
    format(5, 'DVI4', 8_000),
    format(6, 'DVI4', 16_000),
    format(7, 'LPC', 8_000),
    pcma,
    format(9, 'G722', 8_000),
    format(10, 'L16', 44_100, 2),
    format(11, 'L16', 44_100),
    format(12, 'QCELP', 8_000),
    format(13, 'CN', 8_000),
    format(14, 'MPA', 90_000),
    format(15, 'G728', 8_000),
    format(16, 'DVI4', 11_025),
    format(17, 'DVI4', 22_050),
    format(18, 'G729', 8_000),
    format(19, 'CN', 8_000),
    format(25, 'CelB', 90_000),
    format(26, 'JPEG', 90_000),
    format(28, 'nv', 90_000),
    format(31, 'H261', 90_000),
    format(32, 'MPV', 90_000),
    format(33, 'MP2T', 90_000),
    format(34, 'H263', 90_000),
  ].map((entry) => [entry.payloadType, entry]),
)

/** The payload types of an RTP stream in the order of preference, each once; none for other protocols. */
export function formatsOf(media: SdpMedia): SdpFormat[] {
  if (!media.protocol.includes('RTP/')) return []
  const rtpmaps = byPayloadType(media.attributes, 'rtpmap')
  const fmtps = byPayloadType(media.attributes, 'fmtp')
  return [...new Set(media.formats)].flatMap((token) => {
    if (!/^\d{1,3}$/.test(token) || Number(token) > 127) return []
    const payloadType = Number(token)
    const known = parseRtpmap(payloadType, rtpmaps.get(payloadType)) ?? staticFormats.get(payloadType)
    const fmtp = fmtps.get(payloadType)
    const found = known ?? format(payloadType, '', 0)
    return [fmtp === undefined ? found : { ...found, fmtp }]
  })
}

/** `a=rtpmap:<pt> <text>` and `a=fmtp:<pt> <text>`; the first for a payload type counts. */
function byPayloadType(attributes: readonly SdpAttribute[], name: string): ReadonlyMap<number, string> {
  const found = new Map<number, string>()
  for (const attribute of attributes) {
    if (attribute.name !== name) continue
    const match = /^(\d{1,3})\s+(.*)$/s.exec(attribute.value ?? '')
    if (match?.[2] !== undefined && !found.has(Number(match[1]))) found.set(Number(match[1]), match[2])
  }
  return found
}

function parseRtpmap(payloadType: number, text: string | undefined): SdpFormat | undefined {
  const match = /^([^/\s]+)\/(\d{1,7})(?:\/(\d{1,3}))?\s*$/.exec(text ?? '')
  if (match?.[1] === undefined) return undefined
  const [, name, clockRateHz, channels = 1] = match
  const known = misnamed(payloadType, name, Number(clockRateHz))
  return known ?? format(payloadType, name, Number(clockRateHz), Number(channels))
}

/**
 * What some devices write of payload types that everybody knows: G.722 at its true rate instead of that of the clock
 * (RFC 3551 §4.5.2), G.729 with the name of an annex that changes nothing on the wire (RFC 4856 §2.1.9).
 */
function misnamed(payloadType: number, name: string, clockRateHz: number): SdpFormat | undefined {
  const isG722 = payloadType === 9 && clockRateHz === 16_000 && /^g722$/i.test(name)
  const isG729 = payloadType === 18 && /^g729ab?$/i.test(name)
  return isG722 || isG729 ? staticFormats.get(payloadType) : undefined
}

/** RFC 3389 */
export const isComfortNoise = ({ encoding }: SdpFormat): boolean => encoding.toLowerCase() === 'cn'

export const isTelephoneEvent = ({ encoding }: SdpFormat): boolean => encoding.toLowerCase() === 'telephone-event'

/** Same encoding at the same rate, with parameters that agree; the payload type is each side's own affair. */
export const sameFormat = (a: SdpFormat, b: SdpFormat): boolean =>
  a.encoding.toLowerCase() === b.encoding.toLowerCase() &&
  a.clockRateHz === b.clockRateHz &&
  a.channels === b.channels &&
  sameParameters(a, b)

/** The value of the first `a=name:…`; empty for a flag; undefined when there is none. */
export function attributeOf(place: SdpMedia | SessionDescription, name: string): string | undefined {
  const found = place.attributes.find((attribute) => attribute.name === name)
  return found && (found.value ?? '')
}

const directions: readonly string[] = ['sendrecv', 'sendonly', 'recvonly', 'inactive'] satisfies Direction[]
const isDirection = (name: string): name is Direction => directions.includes(name)

/** As the one who wrote the description sees it; the stream's own attribute before that of the session. */
export function directionOf(description: SessionDescription, media: SdpMedia): Direction {
  for (const place of [media, description]) {
    const name = place.attributes.map((attribute) => attribute.name).find(isDirection)
    if (name) return name
  }
  return 'sendrecv'
}

/** Where its writer wants the stream; undefined when neither it nor the session has a c= line. */
export const connectionOf = (description: SessionDescription, media: SdpMedia): SdpConnection | undefined =>
  media.connection ?? description.connection

/** Where its writer wants the RTCP of the stream: a=rtcp-mux (RFC 5761), a=rtcp (RFC 3605), else the next port. */
export function rtcpAddressOf(
  description: SessionDescription,
  media: SdpMedia,
): { readonly address: string; readonly port: number } | undefined {
  const address = connectionOf(description, media)?.address
  if (address === undefined || media.port === 0) return undefined
  if (offersRtcpMux(media)) return { address, port: media.port }
  const match = /^(\d{1,5})(?:\s+IN\s+IP[46]\s+(\S+))?\s*$/.exec(attributeOf(media, 'rtcp') ?? '')
  const port = match ? Number(match[1]) : media.port + 1
  return port > 0 && port <= 65_535 ? { address: match?.[2] ?? address, port } : undefined
}

/** Whether RTCP may come to the port of RTP (RFC 5761); so it does when the answer says it too. */
export const offersRtcpMux = (media: SdpMedia): boolean => attributeOf(media, 'rtcp-mux') !== undefined

/** RFC 4574: how SIPREC metadata names a stream. */
export const labelOf = (media: SdpMedia): string | undefined => attributeOf(media, 'label')?.trim()

/** Whether its writer has put us on hold: it will not listen. RFC 3264 §8.4, and 0.0.0.0 of RFC 2543. */
export function isHold(description: SessionDescription, media: SdpMedia): boolean {
  const direction = directionOf(description, media)
  return direction === 'sendonly' || direction === 'inactive' || isWildcardIp(connectionOf(description, media)?.address)
}
