/**
 * Bytes to a SIP message.
 *
 *   transport ── one datagram, or one framed piece of a stream ──▶  here  ──▶  SipMessage, or what is wrong with it
 *
 * Time grows with the length of the input only. The head is read as UTF-8 (RFC 3261 §7); headers that routing and
 * transactions need are checked here, all others when somebody asks. Bodies are views of the input, not copies.
 */
import type { ParseCode } from './failures.ts'
import { parseFailures } from './failures.ts'
import { cseqOf, fromOf, maxForwardsOf, toOf, vias } from './fields.ts'
import { findHeadEnd, limits, parseLength, skipBlankLines, viewOf } from './frame.ts'
import { Headers } from './headers.ts'
import { decodeHead } from './octets.ts'
import { endBeforeBlanks, isBlank, isToken, trimBlanks } from './scan.ts'
import type { SipMessage, SipRequest, SipResponse } from './types.ts'
import { parseUri } from './uri.ts'

export interface ParseProblem {
  readonly code: ParseCode
  /** What to answer, when it can be answered. */
  readonly status: number
  readonly reason: string
  /** A request that can be answered: it has a Via. */
  readonly partial?: SipRequest
}

export type ParseResult =
  | { readonly ok: true; readonly message: SipMessage }
  | { readonly ok: false; readonly problem: ParseProblem }

type StartLine =
  | { readonly kind: 'request'; readonly method: string; readonly uri: string }
  | { readonly kind: 'response'; readonly status: number; readonly reason: string }

const nothing = new Uint8Array(0)

export function parseMessage(bytes: Uint8Array): ParseResult {
  if (bytes.length > limits.messageBytes) return refuse('sip.too-large')
  const start = skipBlankLines(bytes, 0)
  const headEnd = findHeadEnd(bytes, start)
  const text = decodeHead(viewOf(bytes).subarray(start, headEnd < 0 ? bytes.length : headEnd))
  const lineEnd = endOfLine(text, 0)
  const firstLine = withoutLineEnd(text.slice(0, lineEnd))
  if (firstLine.length > limits.lineChars) return refuse('sip.line-too-long')
  const startLine = parseStartLine(firstLine)
  if (!startLine.line) return refuse(startLine.problem ?? 'sip.start-line')
  const headers = new Headers()
  const headerProblem = readHeaders(text, lineEnd, headers)
  const message = assemble(startLine.line, headers, nothing)
  const problem =
    startLine.problem ??
    headerProblem ??
    (headEnd < 0 ? 'sip.head-unfinished' : undefined) ??
    checkHeaders(message, headers)
  if (problem) return refuse(problem, message)
  return withBody(startLine.line, headers, bytes, headEnd)
}

/** A datagram may say nothing about its body's length or carry more than it says, never less (RFC 3261 §18.3). */
function withBody(startLine: StartLine, headers: Headers, bytes: Uint8Array, headEnd: number): ParseResult {
  const given = headers.get('Content-Length')
  const length = given === undefined ? bytes.length - headEnd : parseLength(given)
  if (length === undefined) return refuse('sip.content-length', assemble(startLine, headers, nothing))
  if (headEnd + length > bytes.length) return refuse('sip.body-short', assemble(startLine, headers, nothing))
  return { ok: true, message: assemble(startLine, headers, bytes.subarray(headEnd, headEnd + length)) }
}

function assemble(startLine: StartLine, headers: Headers, body: Uint8Array): SipMessage {
  if (startLine.kind === 'request') {
    return { kind: 'request', method: startLine.method, uri: startLine.uri, headers, body } satisfies SipRequest
  }
  return { kind: 'response', status: startLine.status, reason: startLine.reason, headers, body } satisfies SipResponse
}

function refuse(code: ParseCode, message?: SipMessage): ParseResult {
  const { sip: status, text: reason } = parseFailures[code]
  // A Via that cannot be read is copied into the answer all the same, which goes to where the request came from.
  const canAnswer = message?.kind === 'request' && message.headers.has('Via')
  return { ok: false, problem: canAnswer ? { code, status, reason, partial: message } : { code, status, reason } }
}

/** The line if it can be told what it wants to be, and what is wrong with it. */
interface ReadStartLine {
  readonly line?: StartLine
  readonly problem?: ParseCode
}

function parseStartLine(text: string): ReadStartLine {
  if (/^SIP\//i.test(text)) return parseStatusLine(text)
  return parseUsualRequestLine(text) ?? parseRequestLine(text)
}

/** Without fault, as nearly all are: read without taking it to pieces. */
function parseUsualRequestLine(text: string): ReadStartLine | undefined {
  const space = text.indexOf(' ')
  if (!text.endsWith(version)) return undefined
  const method = text.slice(0, space)
  const uri = text.slice(space + 1, -version.length)
  return isToken(method) && parseUri(uri) ? { line: { kind: 'request', method, uri } } : undefined
}

const version = ' SIP/2.0'

function parseRequestLine(text: string): ReadStartLine {
  const [method = '', ...rest] = text.trim().split(/\s+/)
  const spoken = rest.pop() ?? ''
  const uri = rest.join(' ')
  if (!isToken(method) || uri === '' || !/^SIP\/\d{1,9}\.\d{1,9}$/i.test(spoken)) return { problem: 'sip.start-line' }
  const line = { kind: 'request', method, uri } as const
  if (spoken.toUpperCase() !== 'SIP/2.0') return { line, problem: 'sip.version' }
  // RFC 4475 §3.1.2.9, §3.1.2.10: exactly one space each, and nothing after the version.
  if (text.length !== method.length + uri.length + spoken.length + 2) return { line, problem: 'sip.start-line' }
  return parseUri(uri) ? { line } : { line, problem: 'sip.request-uri' }
}

function parseStatusLine(text: string): ReadStartLine {
  const match = /^SIP\/(\d{1,9}\.\d{1,9}) ([1-6]\d\d)(?: (.*))?$/is.exec(text)
  if (!match) return { problem: 'sip.start-line' }
  if (match[1] !== '2.0') return { problem: 'sip.version' }
  return { line: { kind: 'response', status: Number(match[2]), reason: match[3] ?? '' } }
}

/** Read header lines into `headers`, past bad ones: what can be read is needed for the answer. */
function readHeaders(text: string, from: number, headers: Headers): ParseCode | undefined {
  let problem: ParseCode | undefined
  let at = from
  while (at < text.length) {
    let line = withoutLineEnd(text.slice(at, (at = endOfLine(text, at))))
    if (line === '') break
    // A line that starts with a blank continues the one before it (RFC 3261 §7.3.1).
    while (line.length <= limits.lineChars && isBlank(text.charCodeAt(at))) {
      line += ` ${trimBlanks(withoutLineEnd(text.slice(at, (at = endOfLine(text, at)))))}`
    }
    if (line.length > limits.lineChars) return 'sip.line-too-long'
    if (headers.size === limits.headerLines) return 'sip.too-many-headers'
    const colon = line.indexOf(':')
    const name = line.slice(0, endBeforeBlanks(line, Math.max(colon, 0)))
    if (isToken(name)) headers.push(name, trimBlanks(line.slice(colon + 1)))
    else problem = 'sip.header-line'
  }
  return problem
}

function endOfLine(text: string, from: number): number {
  const lineFeed = text.indexOf('\n', from)
  return lineFeed < 0 ? text.length : lineFeed + 1
}

function withoutLineEnd(line: string): string {
  if (line.endsWith('\r\n')) return line.slice(0, -2)
  return line.endsWith('\n') ? line.slice(0, -1) : line
}

/** RFC 3261 §8.1.1 and §20: what each message has exactly once. */
const once = ['From', 'To', 'Call-ID', 'CSeq'] as const
/** Content-Type is not here: an IMS core sends it twice alike, and the first counts. */
const atMostOnce = [...once, 'Content-Length', 'Max-Forwards'] as const

function checkHeaders(message: SipMessage, headers: Headers): ParseCode | undefined {
  if (!headers.has('Via') || once.some((name) => !headers.get(name))) return 'sip.header-missing'
  if (atMostOnce.some((name) => headers.count(name) > 1)) return 'sip.header-repeated'
  const cseq = cseqOf(message)
  const readable = vias(message) && fromOf(message) && toOf(message) && cseq
  if (!readable) return 'sip.header-malformed'
  if (headers.has('Max-Forwards') && maxForwardsOf(message) === undefined) return 'sip.header-malformed'
  return message.kind === 'request' && cseq.method !== message.method ? 'sip.cseq-method' : undefined
}
