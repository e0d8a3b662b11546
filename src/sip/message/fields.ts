/**
 * Headers of a message as values: From as a name and address, CSeq as number and method.
 *
 * Each returns undefined for what is missing or malformed and never throws on network text. What a transaction and a
 * dialog ask for again and again is kept per message until the header's text changes.
 */
import { Headers } from './headers.ts'
import { parseNameAddr } from './name-addr.ts'
import { isToken, parseParams } from './scan.ts'
import type { CSeq, NameAddr, Params, SipMessage, SipRequest, SipUri, Via } from './types.ts'
import { parseUri } from './uri.ts'
import { parseVia } from './via.ts'

const remembered =
  <Value>(name: string, parse: (text: string) => Value | undefined) =>
  ({ headers }: SipMessage): Value | undefined => {
    if (headers instanceof Headers) return headers.read(name, parse)
    const text = headers.get(name)
    return text === undefined ? undefined : parse(text)
  }

export const topVia: (message: SipMessage) => Via | undefined = remembered('Via', parseVia)
export const fromOf: (message: SipMessage) => NameAddr | undefined = remembered('From', parseNameAddr)
export const toOf: (message: SipMessage) => NameAddr | undefined = remembered('To', parseNameAddr)
export const cseqOf: (message: SipMessage) => CSeq | undefined = remembered('CSeq', parseCSeq)

/** All Via values from the top; undefined when one of them is malformed, or there is none. */
export function vias(message: SipMessage): Via[] | undefined {
  const top = topVia(message)
  const others = top && every(message.headers.all('Via').slice(1), parseVia)
  return others && [top, ...others]
}

export const callIdOf = (message: SipMessage): string | undefined => message.headers.get('Call-ID') || undefined

export const fromTag = (message: SipMessage): string | undefined => fromOf(message)?.params.get('tag') ?? undefined
export const toTag = (message: SipMessage): string | undefined => toOf(message)?.params.get('tag') ?? undefined

/** The Request-URI as a value. */
export const requestUriOf = (request: SipRequest): SipUri | undefined => parseUri(request.uri)

/** `*` is the Contact of a REGISTER that removes all (RFC 3261 §10.2.2). Without a Contact: an empty list. */
export function contactsOf(message: SipMessage): NameAddr[] | '*' | undefined {
  const values = message.headers.all('Contact')
  return values.length === 1 && values[0] === '*' ? '*' : every(values, parseNameAddr)
}

/** 0..255 (RFC 3261 §20.22). */
export const maxForwardsOf = (message: SipMessage): number | undefined =>
  integer(message.headers.get('Max-Forwards'), 255)

/** Seconds, 0..2^32-1 (RFC 3261 §20.19). */
export const expiresOf = (message: SipMessage): number | undefined =>
  integer(message.headers.get('Expires'), 2 ** 32 - 1)

export interface ContentType {
  /** Lower case: `application/sdp`. */
  readonly type: string
  readonly params: Params
}

export function contentTypeOf(message: SipMessage): ContentType | undefined {
  const text = message.headers.get('Content-Type')
  return text === undefined ? undefined : parseContentType(text)
}

export function parseContentType(text: string): ContentType | undefined {
  const semicolon = text.indexOf(';')
  const type = (semicolon < 0 ? text : text.slice(0, semicolon)).replaceAll(/\s/g, '').toLowerCase()
  const [main = '', sub = '', ...more] = type.split('/')
  const params = parseParams(semicolon < 0 ? '' : text.slice(semicolon).replace(/;\s*$/, ''))
  return isToken(main) && isToken(sub) && more.length === 0 && params ? { type, params } : undefined
}

/** Supported, Require, Allow, … : tokens of a list, in lower case; an empty header gives none. */
export const optionTags = (message: SipMessage, name: string): string[] =>
  message.headers
    .all(name)
    .filter((value) => value !== '')
    .map((value) => value.toLowerCase())

function parseCSeq(text: string): CSeq | undefined {
  const [digits = '', method = '', ...more] = text.split(/\s+/)
  // RFC 3261 §8.1.1.5: less than 2^31.
  const seq = integer(digits, 2 ** 31 - 1)
  return seq !== undefined && isToken(method) && more.length === 0 ? { seq, method } : undefined
}

function integer(text: string | undefined, max: number): number | undefined {
  if (text === undefined || !/^\d{1,16}$/.test(text)) return undefined
  const value = Number(text)
  return value <= max ? value : undefined
}

function every<Value>(texts: readonly string[], parse: (text: string) => Value | undefined): Value[] | undefined {
  const values: Value[] = []
  for (const text of texts) {
    const value = parse(text)
    if (value === undefined) return undefined
    values.push(value)
  }
  return values
}
