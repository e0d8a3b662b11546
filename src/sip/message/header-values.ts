/**
 * Any header of SIP as values, read when asked for: `readHeader(request.headers, 'Event')?.value`.
 *
 * One table says which grammar a header has and whether it is a list. What transactions and dialogs read all the time
 * stands in fields.ts. Values are printed by `printValue` and `printNameAddr`; a header nobody changes needs neither.
 * The RFC of each: docs/sip.md.
 */
import { parseNameAddr } from './name-addr.ts'
import { endOfPiece, isToken, parseParams, printParams, splitOutside, unquote } from './scan.ts'
import type { Params, SipHeaders } from './types.ts'

/** `presence;id=1`, `<http://example.com/ring>;info=x`, `SIP;cause=200`: a value, as written, and its parameters. */
export interface HeaderValue {
  readonly value: string
  readonly params: Params
}

/** `399 example.com "No such codec"` (RFC 3261 §20.43). */
export interface Warning {
  readonly code: number
  readonly agent: string
  readonly text: string
}

/** The response that a PRACK acknowledges (RFC 3262 §7.2). */
export interface RAck {
  readonly rseq: number
  readonly cseq: number
  readonly method: string
}

/** A dialog as another one names it (RFC 3891 §6.1, RFC 3911 §7.1, RFC 4538 §7). */
export interface DialogName {
  readonly callId: string
  /** `to-tag`, or `local-tag` of a Target-Dialog. */
  readonly localTag: string
  readonly remoteTag: string
  /** Replaces only: the dialog must still be early. */
  readonly earlyOnly: boolean
}

/** What stands before the first parameter: one word, a quoted string, or a URI in angle brackets. */
function parseValue(text: string): HeaderValue | undefined {
  const semicolon = endOfPiece(text, 0, ';')
  const end = semicolon < 0 ? text.length : semicolon
  const value = text.slice(0, end).trim()
  const params = parseParams(text.slice(end))
  return params && (/^\S+$/.test(value) || unquote(value) !== undefined) ? { value, params } : undefined
}

/** With blanks around slashes taken out: `text / plain`. */
const parseRange = (text: string): HeaderValue | undefined => {
  const slash = text.indexOf('/')
  const joined = slash < 0 ? text : `${text.slice(0, slash).trimEnd()}/${text.slice(slash + 1).trimStart()}`
  const value = parseValue(joined)
  return value && { ...value, value: value.value.toLowerCase() }
}

/** `120 (in a meeting);duration=60`: the comment is for people (RFC 3261 §20.33). */
function parseSeconds(text: string): { readonly seconds: number; readonly params: Params } | undefined {
  const [, digits, rest = ''] = /^(\d{1,10})\s*(?:\([^()]*\)\s*)?(;.*)?$/s.exec(text) ?? []
  const params = parseParams(rest)
  const seconds = Number(digits)
  return digits !== undefined && seconds < 2 ** 32 && params ? { seconds, params } : undefined
}

const parseInteger = (text: string): number | undefined =>
  /^\d{1,10}$/.test(text) && Number(text) < 2 ** 32 ? Number(text) : undefined

const parseText = (text: string): string | undefined => text || undefined

const parseToken = (text: string): string | undefined => (isToken(text) ? text : undefined)

/** `id;critical`: levels in lower case (RFC 3323 §4.2). Some peers write commas. */
function parsePrivacy(text: string): readonly string[] | undefined {
  const levels = text
    .toLowerCase()
    .split(/[;,]/)
    .map((level) => level.trim())
  return levels.every(isToken) ? levels : undefined
}

function parseWarning(text: string): Warning | undefined {
  const [, code, agent, quoted] = /^(\d{3})\s+(\S+)\s+(".*")$/s.exec(text) ?? []
  const said = unquote(quoted ?? '')
  return agent === undefined || said === undefined ? undefined : { code: Number(code), agent, text: said }
}

function parseRAck(text: string): RAck | undefined {
  const [rseqText = '', cseqText = '', method = '', ...more] = text.split(/\s+/)
  const [rseq, cseq] = [parseInteger(rseqText), parseInteger(cseqText)]
  if (rseq === undefined || cseq === undefined || !isToken(method) || more.length > 0) return undefined
  return { rseq, cseq, method }
}

const parseDialogName =
  (local: string, remote: string) =>
  (text: string): DialogName | undefined => {
    const named = parseValue(text)
    const [localTag, remoteTag] = [named?.params.get(local), named?.params.get(remote)]
    if (!named || !localTag || !remoteTag) return undefined
    return { callId: named.value, localTag, remoteTag, earlyOnly: named.params.has('early-only') }
  }

/** `nextnonce="…",qop=auth`: what a server adds to a digest (RFC 7616 §3.5). */
const parseDigestInfo = (text: string): Params | undefined => parseParams(`;${splitOutside(text, ',').join(';')}`)

interface Grammar<Value> {
  readonly list: boolean
  readonly parse: (text: string) => Value | undefined
}
const one = <Value>(parse: Grammar<Value>['parse']) => ({ list: false, parse }) as const
const many = <Value>(parse: Grammar<Value>['parse']) => ({ list: true, parse }) as const

/** Name to grammar. Of a header that is no list the first line counts. */
export const grammars = {
  Accept: many(parseRange),
  'Accept-Contact': many(parseValue),
  'Accept-Encoding': many(parseRange),
  'Accept-Language': many(parseRange),
  'Alert-Info': many(parseValue),
  Allow: many(parseToken),
  'Allow-Events': many(parseToken),
  'Authentication-Info': one(parseDigestInfo),
  'Call-Info': many(parseValue),
  'Content-Disposition': one(parseRange),
  Diversion: many(parseNameAddr),
  'Error-Info': many(parseValue),
  Event: one(parseValue),
  'Flow-Timer': one(parseInteger),
  Geolocation: many(parseValue),
  'History-Info': many(parseNameAddr),
  Identity: one(parseValue),
  'Info-Package': one(parseValue),
  Join: one(parseDialogName('to-tag', 'from-tag')),
  'Min-Expires': one(parseInteger),
  'Min-SE': one(parseSeconds),
  'P-Asserted-Identity': many(parseNameAddr),
  'P-Preferred-Identity': many(parseNameAddr),
  Path: many(parseNameAddr),
  Privacy: one(parsePrivacy),
  'Proxy-Require': many(parseToken),
  RAck: one(parseRAck),
  RSeq: one(parseInteger),
  Reason: many(parseValue),
  'Recv-Info': many(parseValue),
  'Refer-Sub': one(parseValue),
  'Refer-To': one(parseNameAddr),
  'Referred-By': one(parseNameAddr),
  'Reject-Contact': many(parseValue),
  'Remote-Party-ID': many(parseNameAddr),
  Replaces: one(parseDialogName('to-tag', 'from-tag')),
  'Request-Disposition': many(parseToken),
  Require: many(parseToken),
  'Retry-After': one(parseSeconds),
  'SIP-ETag': one(parseToken),
  'SIP-If-Match': one(parseToken),
  'Security-Client': many(parseValue),
  'Security-Server': many(parseValue),
  'Security-Verify': many(parseValue),
  'Service-Route': many(parseNameAddr),
  'Session-Expires': one(parseSeconds),
  Subject: one(parseText),
  'Subscription-State': one(parseValue),
  Supported: many(parseToken),
  'Target-Dialog': one(parseDialogName('local-tag', 'remote-tag')),
  Unsupported: many(parseToken),
  'User-to-User': many(parseValue),
  Warning: many(parseWarning),
} as const satisfies Readonly<Record<string, Grammar<unknown>>>

export type KnownHeader = keyof typeof grammars
type Parsed<Name extends KnownHeader> = NonNullable<ReturnType<(typeof grammars)[Name]['parse']>>
/** A list for list headers, else one value. */
export type ValueOf<Name extends KnownHeader> = (typeof grammars)[Name]['list'] extends true
  ? readonly Parsed<Name>[]
  : Parsed<Name>

/**
 * A header as value or values.
 *
 * @returns undefined when it is malformed, a value of a list among it; when it is missing, undefined or an empty list.
 */
export function readHeader<Name extends KnownHeader>(headers: SipHeaders, name: Name): ValueOf<Name> | undefined {
  const { list, parse }: Grammar<unknown> = grammars[name]
  if (!list) return parse(headers.get(name) ?? '') as ValueOf<Name> | undefined
  const values: unknown[] = []
  for (const text of headers.all(name)) {
    // An empty header, or an empty place in a list, says nothing: `Supported:` (RFC 3261 §20.37).
    if (text === '') continue
    const value = parse(text)
    if (value === undefined) return undefined
    values.push(value)
  }
  return values as unknown as ValueOf<Name>
}

export const printValue = ({ value, params }: HeaderValue): string => `${value}${printParams(params)}`
