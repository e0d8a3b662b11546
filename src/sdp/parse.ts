/**
 * Text to session description. Reads what the field sends (bare LF, no t=, no s=, blank lines at the end) and keeps every
 * line it does not interpret. What a description means is decided in media.ts and offer-answer.ts. RFC 8866 §5.
 */
import { type SdpCode, sdpFailures } from './failures.ts'
import type { SdpAttribute, SdpConnection, SdpMedia, SdpOrigin, SessionDescription } from './types.ts'

/** Bounds on what a stranger may send; a WebRTC offer with ten streams has some 400 lines. */
export const sdpLimits = { lines: 2_000, media: 64 } as const

export interface SdpProblem {
  readonly code: SdpCode
  readonly text: string
  /** From 1. */
  readonly line: number
}

export type SdpResult =
  | { readonly ok: true; readonly description: SessionDescription }
  | { readonly ok: false; readonly problem: SdpProblem }

/** A stream that still gets lines. */
interface OpenMedia extends SdpMedia {
  connection?: SdpConnection
  readonly attributes: SdpAttribute[]
  readonly otherLines: string[]
}

/** Takes the lines of one description in their order. */
class Reader {
  origin: SdpOrigin | undefined
  name = '-'
  connection: SdpConnection | undefined
  readonly attributes: SdpAttribute[] = []
  readonly otherLines: string[] = []
  readonly media: OpenMedia[] = []

  take(letter: string, value: string): SdpCode | undefined {
    const place = this.media.at(-1) ?? this
    if (letter === 'a') place.attributes.push(parseAttribute(value))
    else if (letter === 'm') return this.#takeMedia(value)
    else if (letter === 'c') return takeConnection(place, value)
    else if (letter === 'o' && place === this) this.origin = parseOrigin(value)
    else if (letter === 's' && place === this) this.name = value
    else if (letter !== 'v' || place !== this) place.otherLines.push(`${letter}=${value}`)
    return undefined
  }

  #takeMedia(value: string): SdpCode | undefined {
    if (this.media.length === sdpLimits.media) return 'sdp.too-large'
    const media = parseMediaLine(value)
    if (!media) return 'sdp.media'
    this.media.push(media)
    return undefined
  }
}

/** @param body As it came in a message: UTF-8, or text. */
export function parseSdp(body: string | Uint8Array): SdpResult {
  const text = typeof body === 'string' ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString()
  const lines = text.split(/\r\n|\n|\r/)
  if (lines.length > sdpLimits.lines) return refuse('sdp.too-large', lines.length)
  const first = lines.findIndex((line) => line !== '')
  if (lines[first]?.trimEnd() !== 'v=0') return refuse('sdp.version', Math.max(first, 0) + 1)
  const reader = new Reader()
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '') continue
    const problem = /^[a-z]=/i.test(line) ? reader.take(line[0] ?? '', line.slice(2)) : 'sdp.line'
    if (problem) return refuse(problem, index + 1)
  }
  const { origin, name, connection, attributes, otherLines, media } = reader
  if (!origin) return refuse('sdp.origin', 2)
  return { ok: true, description: { origin, name, connection, attributes, otherLines, media } }
}

const refuse = (code: SdpCode, line: number): SdpResult => ({
  ok: false,
  problem: { code, text: sdpFailures[code].text, line },
})

/** A second c= of a stream (layered multicast) is kept but not used. */
function takeConnection(place: Reader | OpenMedia, value: string): SdpCode | undefined {
  const connection = parseConnection(value)
  if (!connection) return 'sdp.connection'
  if (place.connection) place.otherLines.push(`c=${value}`)
  else place.connection = connection
  return undefined
}

function parseOrigin(value: string): SdpOrigin | undefined {
  const [username, sessionId, sessionVersion, netType, addressType, address, ...more] = value.trim().split(/ +/)
  if (!username || !sessionId || !sessionVersion || !netType || !address || more.length > 0) return undefined
  return isAddressType(addressType) ? { username, sessionId, sessionVersion, netType, addressType, address } : undefined
}

function parseConnection(value: string): SdpConnection | undefined {
  const [netType, addressType, address, ...more] = value.trim().split(/ +/)
  return netType === 'IN' && isAddressType(addressType) && address && more.length === 0
    ? { addressType, address }
    : undefined
}

const isAddressType = (text: string | undefined): text is 'IP4' | 'IP6' => text === 'IP4' || text === 'IP6'

function parseAttribute(value: string): SdpAttribute {
  const colon = value.indexOf(':')
  return colon < 0 ? { name: value.trimEnd() } : { name: value.slice(0, colon), value: value.slice(colon + 1) }
}

function parseMediaLine(value: string): OpenMedia | undefined {
  const [type, ports = '', protocol, ...formats] = value.trim().split(/ +/)
  const match = /^(\d{1,5})(?:\/(\d{1,5}))?$/.exec(ports)
  const port = Number(match?.[1] ?? Number.NaN)
  if (!type || !protocol || formats.length === 0 || !(port <= 65_535)) return undefined
  const portCount = match?.[2] === undefined ? {} : { portCount: Number(match[2]) }
  return { type, port, ...portCount, protocol, formats, attributes: [], otherLines: [] }
}
