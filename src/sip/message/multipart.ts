/**
 * Bodies of several parts: SDP with recording metadata (SIPREC), with ISUP, with a location. RFC 2046 §5.1, RFC 5621.
 *
 * Written for what recording clients send: boundaries that need quotes and have none, LF line ends, a last boundary that
 * never comes, parts in any order, parts in parts. A message body says how long it is, so its end may close a part.
 */
import { randomHex } from '../../core/random.ts'
import { type ContentType, contentTypeOf, parseContentType } from './fields.ts'
import { viewOf } from './frame.ts'
import { Headers } from './headers.ts'
import { quote } from './scan.ts'
import type { SipHeaders, SipMessage } from './types.ts'

export interface BodyPart {
  /** Lower-case type and parameters; `text/plain` when the part does not say (RFC 2046 §5.2). */
  readonly contentType: ContentType
  readonly headers: SipHeaders
  /** Content-Transfer-Encoding already undone. */
  readonly body: Uint8Array
  /** Of a part that is multipart itself. */
  readonly parts?: readonly BodyPart[]
}

/** Bounds against bodies made to cost time: parts in all, and how deep they nest. */
export const multipartLimits = { parts: 64, depth: 5, headerLines: 32 } as const

const plainText: ContentType = { type: 'text/plain', params: new Map() }

/**
 * The parts of a multipart body in their order.
 *
 * @param contentType The value of Content-Type, as written.
 * @returns undefined when it is not multipart, lacks a boundary, or no boundary is found in the body.
 */
export function parseMultipart(contentType: string, body: Uint8Array): BodyPart[] | undefined {
  const type = parseContentType(contentType)
  if (!type?.type.startsWith('multipart/')) return undefined
  return parseParts(type.params.get('boundary'), body, { parts: 0 }, 1)
}

/** All parts that hold content, nested ones too, in order. */
export const leafParts = (parts: readonly BodyPart[]): BodyPart[] =>
  parts.flatMap((part) => (part.parts ? leafParts(part.parts) : [part]))

const sdpType = 'application/sdp'

/**
 * The session description a message carries, alone or as a part beside others: a location, ISUP (RFC 5621 §3.1).
 *
 * @returns undefined without a body, `none` when the body is something else.
 */
export function sessionDescriptionOf(message: SipMessage): { readonly sdp: string } | 'none' | undefined {
  if (message.body.length === 0) return undefined
  const type = contentTypeOf(message)?.type
  if (type === sdpType) return { sdp: viewOf(message.body).toString() }
  if (!type?.startsWith('multipart/')) return 'none'
  const parts = leafParts(parseMultipart(message.headers.get('Content-Type') ?? '', message.body) ?? [])
  const part = parts.find(({ contentType }) => contentType.type === sdpType)
  return part ? { sdp: viewOf(part.body).toString() } : 'none'
}

function parseParts(
  boundary: string | null | undefined,
  body: Uint8Array,
  count: { parts: number },
  depth: number,
): BodyPart[] | undefined {
  if (!boundary || depth > multipartLimits.depth) return undefined
  // Latin-1 maps each byte to one character, so places in the text are places in the bytes.
  const bytes = viewOf(body)
  const text = bytes.toString('latin1')
  const delimiters = findDelimiters(text, `--${Buffer.from(boundary).toString('latin1')}`)
  if (delimiters.length === 0) return undefined
  const parts: BodyPart[] = []
  for (const [index, delimiter] of delimiters.entries()) {
    if (delimiter.closes || ++count.parts > multipartLimits.parts) break
    const end = delimiters[index + 1]?.start ?? withoutLastLineEnd(text)
    parts.push(parsePart(bytes.subarray(delimiter.end, Math.max(delimiter.end, end)), count, depth))
  }
  return parts
}

interface Delimiter {
  /** Where the line end before it starts: that line end belongs to the delimiter (RFC 2046 §5.1.1). */
  readonly start: number
  /** After its own line end. */
  readonly end: number
  /** `--boundary--`. */
  readonly closes: boolean
}

/** Lines that are the boundary and nothing else but blanks; inside a line it is content. */
function findDelimiters(text: string, dashBoundary: string): Delimiter[] {
  const found: Delimiter[] = []
  for (let at = text.indexOf(dashBoundary); at >= 0; at = text.indexOf(dashBoundary, at + 1)) {
    if (at > 0 && text[at - 1] !== '\n') continue
    const after = at + dashBoundary.length
    const lineFeed = text.indexOf('\n', after)
    const line = text.slice(after, lineFeed < 0 ? text.length : lineFeed).trim()
    if (line !== '' && line !== '--') continue
    const start = at === 0 ? 0 : at - (text[at - 2] === '\r' ? 2 : 1)
    found.push({ start, end: lineFeed < 0 ? text.length : lineFeed + 1, closes: line === '--' })
    if (line === '--') break
  }
  return found
}

/** A body cut before its last boundary: the line end at its end is taken for the one before that boundary. */
function withoutLastLineEnd(text: string): number {
  if (text.endsWith('\r\n')) return text.length - 2
  return text.endsWith('\n') ? text.length - 1 : text.length
}

function parsePart(bytes: Buffer, count: { parts: number }, depth: number): BodyPart {
  const headers = new Headers()
  const bodyStart = readPartHeaders(bytes, headers)
  const contentType = parseContentType(headers.get('Content-Type') ?? '') ?? plainText
  const body = decode(headers.get('Content-Transfer-Encoding'), bytes.subarray(bodyStart))
  const parts = contentType.type.startsWith('multipart/')
    ? parseParts(contentType.params.get('boundary'), body, count, depth + 1)
    : undefined
  return parts ? { contentType, headers, body, parts } : { contentType, headers, body }
}

/** @returns Where the content starts. A part may have no headers: then it starts with the empty line. */
function readPartHeaders(bytes: Buffer, headers: Headers): number {
  let at = 0
  let previous: [name: string, value: string] | undefined
  const keep = () => {
    if (previous) headers.push(...previous)
    previous = undefined
  }
  for (let lines = 0; lines <= multipartLimits.headerLines; lines++) {
    const lineFeed = bytes.indexOf(0x0a, at)
    const end = lineFeed < 0 ? bytes.length : lineFeed + 1
    const line = bytes.toString('utf8', at, end).replace(/\r?\n$/, '')
    at = end
    if (line === '' || end === bytes.length) {
      keep()
      return at
    }
    const colon = line.indexOf(':')
    if (/^[ \t]/.test(line)) {
      if (previous) previous[1] += ` ${line.trim()}`
    } else if (colon > 0) {
      keep()
      previous = [line.slice(0, colon).trim(), line.slice(colon + 1).trim()]
    }
  }
  keep()
  return at
}

/** RFC 2045 §6. SIP is binary by nature, so of the encodings only base64 is met; others stay as they are. */
const decode = (encoding: string | undefined, body: Buffer): Buffer =>
  encoding?.toLowerCase() === 'base64' ? Buffer.from(body.toString('latin1'), 'base64') : body

export interface PartToPrint {
  readonly contentType: string
  /** Content-Disposition and the like. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
}

/** A multipart/mixed body and the Content-Type that goes with it. */
export function printMultipart(
  parts: readonly PartToPrint[],
  boundary: string = `pb-${randomHex(12)}`,
): { readonly contentType: string; readonly body: Buffer } {
  const pieces: Uint8Array[] = []
  for (const part of parts) {
    const more = Object.entries(part.headers ?? {}).map(([name, value]) => `${name}: ${value}\r\n`)
    pieces.push(Buffer.from(`--${boundary}\r\nContent-Type: ${part.contentType}\r\n${more.join('')}\r\n`))
    pieces.push(Buffer.from(part.body), Buffer.from('\r\n'))
  }
  pieces.push(Buffer.from(`--${boundary}--\r\n`))
  const value = /^[A-Za-z0-9\-_.]+$/.test(boundary) ? boundary : quote(boundary)
  return { contentType: `multipart/mixed;boundary=${value}`, body: Buffer.concat(pieces) }
}
