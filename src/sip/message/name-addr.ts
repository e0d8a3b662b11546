/**
 * `"Alice" <sip:alice@example.com>;tag=1`: the value of From, To, Contact, Route and their kin. RFC 3261 §20.10.
 */
import { endOfPiece, parseParams, printParams, quote, unquote } from './scan.ts'
import type { NameAddr } from './types.ts'
import { parseUri, printUri } from './uri.ts'

/**
 * Without `<…>` the parameters belong to the header, not to the URI (RFC 3261 §20).
 *
 * Departs from RFC 3261 §25.1 in what phones in the field get wrong: blanks inside `<…>`, a display name that should
 * be quoted, and a `>` that is missing at the end (Metaswitch).
 */
export function parseNameAddr(text: string): NameAddr | undefined {
  const open = endOfPiece(text, 0, '<')
  if (open < 0) return parseAddrSpec(text)
  const close = text.indexOf('>', open)
  const uri = parseUri(text.slice(open + 1, close < 0 ? text.length : close).trim())
  const params = parseParams(close < 0 ? '' : text.slice(close + 1))
  const displayName = parseDisplayName(text.slice(0, open).trim())
  if (!uri || !params || displayName === undefined) return undefined
  return displayName === '' ? { uri, params } : { displayName, uri, params }
}

function parseAddrSpec(text: string): NameAddr | undefined {
  const semicolon = text.indexOf(';')
  const uri = parseUri((semicolon < 0 ? text : text.slice(0, semicolon)).trim())
  const params = parseParams(semicolon < 0 ? '' : text.slice(semicolon))
  return uri && params ? { uri, params } : undefined
}

const parseDisplayName = (text: string): string | undefined => (text.includes('"') ? unquote(text) : text)

const plainName = /^[A-Za-z0-9\-.!%*_+`'~]+(?: [A-Za-z0-9\-.!%*_+`'~]+)*$/

export function printNameAddr(value: NameAddr): string {
  const { displayName, uri, params } = value
  const name = displayName === undefined ? '' : `${plainName.test(displayName) ? displayName : quote(displayName)} `
  return `${name}<${printUri(uri)}>${printParams(params)}`
}
