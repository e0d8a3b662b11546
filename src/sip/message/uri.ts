/**
 * SIP, SIPS and tel URIs: parse, print, compare. Other schemes are kept whole. RFC 3261 §19.1, RFC 3966.
 *
 * Parts are held unescaped and escaped again when printed, so that `%61lice` and `alice` are one user.
 */
import { isDeepStrictEqual } from 'node:util'
import { endpointText, hostText, isIPv6, sameIp } from '../../core/ip.ts'
import { sameTel } from './tel.ts'
import type { Params, SipUri } from './types.ts'

const schemeAndRest = /^([A-Za-z][A-Za-z0-9+\-.]*):(.+)$/s
const badEscape = /%(?![0-9A-Fa-f]{2})/
const hostName = /^[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_.])?$/
const noParams: Params = new Map()
const noHeaders: ReadonlyMap<string, string> = new Map()

/** @returns undefined when the text is no URI, or a SIP URI with a malformed host, port or escape. */
export function parseUri(text: string): SipUri | undefined {
  if (/[\s<>"]/.test(text)) return undefined
  if (text.startsWith('sip:') && text.length > 4) return parseSip('sip', text.slice(4), text)
  const match = schemeAndRest.exec(text)
  if (!match?.[1] || !match[2]) return undefined
  const scheme = match[1].toLowerCase()
  if (scheme === 'sip' || scheme === 'sips') return parseSip(scheme, match[2], text)
  if (scheme === 'tel') return parseTel(match[2], text)
  return { scheme, host: match[2], params: noParams, headers: noHeaders, text }
}

function parseSip(scheme: string, rest: string, text: string): SipUri | undefined {
  if (badEscape.test(rest)) return undefined
  // By the grammar only the end of the user part is an `@`; the user part may hold `;` and `?`.
  const at = rest.indexOf('@')
  const afterUser = rest.slice(at + 1)
  const question = afterUser.indexOf('?')
  const beforeHeaders = question < 0 ? afterUser : afterUser.slice(0, question)
  const semicolon = beforeHeaders.indexOf(';')
  const hostPort = parseHostPort(semicolon < 0 ? beforeHeaders : beforeHeaders.slice(0, semicolon))
  if (!hostPort || at === 0) return undefined
  const params = semicolon < 0 ? noParams : parseUriParams(beforeHeaders.slice(semicolon + 1))
  if (!params) return undefined
  const headers = question < 0 ? noHeaders : parseUriHeaders(afterUser.slice(question + 1))
  // Filled in one by one: a spread costs more than all the rest of the parsing.
  const uri: { -readonly [Key in keyof SipUri]: SipUri[Key] } = { scheme, host: hostPort.host, params, headers, text }
  if (hostPort.port !== undefined) uri.port = hostPort.port
  if (at < 0) return uri
  const userInfo = rest.slice(0, at)
  const colon = userInfo.indexOf(':')
  if (colon === 0) return undefined // a password and nobody whose it is
  uri.user = unescapeUri(colon < 0 ? userInfo : userInfo.slice(0, colon))
  if (colon > 0) uri.password = unescapeUri(userInfo.slice(colon + 1))
  return uri
}

function parseTel(rest: string, text: string): SipUri | undefined {
  const semicolon = rest.indexOf(';')
  const params = semicolon < 0 ? noParams : parseUriParams(rest.slice(semicolon + 1))
  const number = semicolon < 0 ? rest : rest.slice(0, semicolon)
  if (!params || number === '') return undefined
  return { scheme: 'tel', user: number, host: '', params, headers: noHeaders, text }
}

/** `example.com:5060`, `[2001:db8::1]:5060`: host in lower case and without brackets. */
export function parseHostPort(text: string): { host: string; port?: number } | undefined {
  const lower = text.toLowerCase()
  const close = lower.startsWith('[') ? lower.indexOf(']') : -1
  const colon = lower.indexOf(':', close < 0 ? 0 : close)
  const hostText = colon < 0 ? lower : lower.slice(0, colon)
  // The grammar of RFC 3261 has a colon too many before an IPv4 address (RFC 5118 §4.10).
  const host = close < 0 ? hostText : hostText.slice(1, -1).replace(/:::(?=\d+\.[\d.]+$)/, '::')
  const isHost = close < 0 ? hostName.test(host) : hostText.endsWith(']') && isIPv6(host)
  if (!isHost) return undefined
  if (colon < 0) return { host }
  const digits = lower.slice(colon + 1)
  const port = Number(digits)
  return /^\d{1,5}$/.test(digits) && port <= 65_535 ? { host, port } : undefined
}

export const printHostPort = (host: string, port?: number): string =>
  port === undefined ? hostText(host) : endpointText(host, port)

function parseUriParams(text: string): Params | undefined {
  const params = new Map<string, string | null>()
  for (const piece of text.split(';')) {
    const equals = piece.indexOf('=')
    const name = unescapeUri(equals < 0 ? piece : piece.slice(0, equals)).toLowerCase()
    if (name === '') return undefined
    if (!params.has(name)) params.set(name, equals < 0 ? null : unescapeUri(piece.slice(equals + 1)))
  }
  return params
}

function parseUriHeaders(text: string): ReadonlyMap<string, string> {
  const headers = new Map<string, string>()
  for (const piece of text.split('&')) {
    const equals = piece.indexOf('=')
    const name = unescapeUri(equals < 0 ? piece : piece.slice(0, equals))
    if (name !== '') headers.set(name, equals < 0 ? '' : unescapeUri(piece.slice(equals + 1)))
  }
  return headers
}

/** Octets that are not UTF-8 become U+FFFD: no user or name here is written so. */
function unescapeUri(text: string): string {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return text.replaceAll(/(?:%[0-9A-Fa-f]{2})+/g, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString())
  }
}

/** encodeURIComponent with what it escapes in vain given back: RFC 3261 §25.1 says what may stand where. */
const escaper = (notAllowed: RegExp) => (text: string) =>
  notAllowed.test(text) ? Array.from(text, (char) => (notAllowed.test(char) ? percent(char) : char)).join('') : text
const percent = (char: string): string =>
  Array.from(Buffer.from(char), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('')

const escapeUser = escaper(/[^A-Za-z0-9\-_.!~*'()&=+$,;?/]/)
const escapePassword = escaper(/[^A-Za-z0-9\-_.!~*'()&=+$,]/)
const escapeParam = escaper(/[^A-Za-z0-9\-_.!~*'()[\]/:&+$]/)
const escapeHeader = escaper(/[^A-Za-z0-9\-_.!~*'()[\]/?:+$]/)

/** `sip:USER@HOST` */
export const sipUri = (user: string, host: string): SipUri => ({
  scheme: 'sip',
  user,
  host,
  params: new Map(),
  headers: new Map(),
})

export function printUri(uri: SipUri): string {
  if (uri.scheme === 'tel') return `tel:${uri.user ?? ''}${printUriParams(uri.params)}`
  if (uri.scheme !== 'sip' && uri.scheme !== 'sips') return `${uri.scheme}:${uri.host}`
  const password = uri.password === undefined ? '' : `:${escapePassword(uri.password)}`
  const userInfo = uri.user === undefined ? '' : `${escapeUser(uri.user)}${password}@`
  const headers = Array.from(uri.headers, ([name, value]) => `${escapeHeader(name)}=${escapeHeader(value)}`).join('&')
  const question = headers === '' ? '' : '?'
  return `${uri.scheme}:${userInfo}${printHostPort(uri.host, uri.port)}${printUriParams(uri.params)}${question}${headers}`
}

function printUriParams(params: Params): string {
  let text = ''
  for (const [name, value] of params) {
    text += value === null ? `;${escapeParam(name)}` : `;${escapeParam(name)}=${escapeParam(value)}`
  }
  return text
}

/** The URI as its writer wrote it: RFC 3261 §12.2.1.1 has a Contact come back as Request-URI, not a likeness of it. */
export const writtenUri = (uri: SipUri): string => uri.text ?? printUri(uri)

/** A URI as a Request-URI: without the headers that a Contact may ask for, which have no place there (RFC 3261 §19.1.1, table 1). */
export function asRequestUri(text: string): string {
  const question = text.indexOf('?', text.indexOf('@') + 1)
  return question > 0 && /^sips?:/i.test(text) ? text.slice(0, question) : text
}

/** Parameters that make two URIs differ when only one of them has it (RFC 3261 §19.1.4). */
const decisive = ['user', 'ttl', 'method', 'maddr', 'transport']

/**
 * RFC 3261 §19.1.4: an absent port is not the default port; unknown parameters count only when both have them. tel URIs
 * by RFC 3966 §4.
 */
export function sameUri(a: SipUri, b: SipUri): boolean {
  if (a.scheme !== b.scheme) return false
  if (a.scheme === 'tel') return sameTel(a, b)
  if (a.port !== b.port || !sameIp(a.host, b.host) || a.user !== b.user || a.password !== b.password) return false
  if (hasEscapes(a, b) && reservedOf(a) !== reservedOf(b)) return false
  for (const [name, value] of a.params) {
    const other = b.params.get(name)
    if (other === undefined ? decisive.includes(name) : !sameText(value, other)) return false
  }
  if (decisive.some((name) => b.params.has(name) && !a.params.has(name))) return false
  return sameHeaders(a.headers, b.headers)
}

const sameText = (a: string | null, b: string | null): boolean => (a ?? '').toLowerCase() === (b ?? '').toLowerCase()

/** Header names have no case (RFC 3261 §7.3.1); their order does not matter. */
function sameHeaders(a: SipUri['headers'], b: SipUri['headers']): boolean {
  if (a.size !== b.size) return false
  return a.size === 0 || isDeepStrictEqual(sortedHeaders(a), sortedHeaders(b))
}

const sortedHeaders = (headers: SipUri['headers']): string[] =>
  Array.from(headers, ([name, value]) => `${name.toLowerCase()}=${value}`).sort()

const hasEscapes = (a: SipUri, b: SipUri): boolean =>
  (a.text?.includes('%') ?? false) || (b.text?.includes('%') ?? false)

/** The reserved characters of user and password in order, as written: `%3B` is not `;`, though `%61` is `a` (§19.1.4). */
function reservedOf(uri: SipUri): string {
  const text = writtenUri(uri)
  const at = text.indexOf('@')
  const userInfo = at < 0 ? '' : text.slice(text.indexOf(':') + 1, at)
  return (userInfo.match(reserved) ?? []).join('').toUpperCase()
}
const reserved = /[;/?:@&=+$,]|%(?:3[ABDF]|2[46BCF]|40)/gi
