/**
 * The small pieces of SIP grammar that many headers share: tokens, quoted strings, lists, parameters.
 *
 * All run in linear time and never throw on network text; malformed input gives undefined. RFC 3261 §25.1.
 */
import type { Params } from './types.ts'

const token = /^[A-Za-z0-9\-.!%*_+`'~]+$/
const parameterName = /^[^\s"<>,;=@]+$/
const quoted = /^"(?:[^"\\]|\\.)*"$/s

/** RFC 3261 §25.1 `token`: methods, option tags, header names. */
export const isToken = (text: string): boolean => token.test(text)

/**
 * The same text in memory of its own, for what is kept longer than the message it was cut from: V8 keeps the whole
 * message for each piece of it, and the pieces for each text joined from them, until something needs it in one piece.
 */
export const detached = (text: string): string => ` ${text}`.slice(1)

/** Space or tab, as a character code. */
export const isBlank = (code: number): boolean => code === 0x20 || code === 0x09

/** Only spaces and tabs go: what else JavaScript calls white space is content. */
export function trimBlanks(text: string): string {
  let start = 0
  while (isBlank(text.charCodeAt(start))) start++
  return text.slice(start, Math.max(start, endBeforeBlanks(text, text.length)))
}

/** Where the text before `end` stops when blanks at its end do not count. */
export function endBeforeBlanks(text: string, end: number): number {
  let last = end
  while (last > 0 && isBlank(text.charCodeAt(last - 1))) last--
  return last
}

/** Split at `separator` outside quoted strings and outside `<…>`; pieces come trimmed, empty ones are kept. */
export function splitOutside(text: string, separator: ',' | ';'): string[] {
  if (!text.includes(separator)) return [text.trim()]
  const pieces: string[] = []
  let start = 0
  for (let at = endOfPiece(text, 0, separator); at >= 0; at = endOfPiece(text, start, separator)) {
    pieces.push(text.slice(start, at).trim())
    start = at + 1
  }
  pieces.push(text.slice(start).trim())
  return pieces
}

/** Index of the next `separator` outside quotes and angle brackets at or after `from`, or -1. */
export function endOfPiece(text: string, from: number, separator: string): number {
  let inQuotes = false
  let inBrackets = false
  for (let i = from; i < text.length; i++) {
    const char = text[i]
    if (inQuotes) {
      if (char === '\\') i++
      else if (char === '"') inQuotes = false
    } else if (char === separator && !inBrackets) return i
    else if (char === '"') inQuotes = true
    else if (char === '<') inBrackets = true
    else if (char === '>') inBrackets = false
  }
  return -1
}

/** The content of a quoted string, escapes resolved; undefined when it is not one. */
export function unquote(text: string): string | undefined {
  if (!quoted.test(text)) return undefined
  const inner = text.slice(1, -1)
  return inner.includes('\\') ? inner.replaceAll(/\\(.)/gs, '$1') : inner
}

export const quote = (text: string): string => `"${text.replaceAll(/["\\]/g, '\\$&')}"`

/**
 * `;tag=1;lr` to a map. Quoted values come unquoted; of a name given twice the first counts.
 *
 * @param text Empty, or starting with a semicolon.
 */
export function parseParams(text: string): Params | undefined {
  const params = new Map<string, string | null>()
  const trimmed = text.trim()
  if (trimmed === '') return params
  if (!trimmed.startsWith(';')) return undefined
  for (const piece of splitOutside(trimmed.slice(1), ';')) {
    const equals = piece.indexOf('=')
    const name = (equals < 0 ? piece : piece.slice(0, equals)).trim().toLowerCase()
    if (!parameterName.test(name)) return undefined
    const value = equals < 0 ? null : parameterValue(piece.slice(equals + 1).trim())
    if (value === undefined) return undefined
    if (!params.has(name)) params.set(name, value)
  }
  return params
}

function parameterValue(text: string): string | undefined {
  if (text.startsWith('"')) return unquote(text)
  return text.includes('"') ? undefined : text
}

/** `;name=value` for each. Values that are no token, and those of feature tags (RFC 3840 §9), are quoted. */
export function printParams(params: Params): string {
  let text = ''
  for (const [name, value] of params) {
    if (value === null) text += `;${name}`
    else text += `;${name}=${plainValue.test(value) && !name.startsWith('+') ? value : quote(value)}`
  }
  return text
}

/** A token or a host: `[2001:db8::1]` stands in received and maddr without quotes. */
const plainValue = /^[A-Za-z0-9\-.!%*_+`'~[\]:]+$/
