/**
 * The headers of one message: names and values in their order, as they were written.
 *
 * A name is found in any case and by its compact form (RFC 3261 §7.3.3). Values of list headers may share a line; they
 * are split when asked for and kept together when nobody asks.
 */
import { endOfPiece, splitOutside, trimBlanks } from './scan.ts'
import type { SipHeaders } from './types.ts'

/** Compact forms: RFC 3261 §20, RFC 3515, 3841, 3892, 4028, 4474, 6665. */
const compactForms: Readonly<Record<string, string>> = {
  a: 'Accept-Contact',
  b: 'Referred-By',
  c: 'Content-Type',
  d: 'Request-Disposition',
  e: 'Content-Encoding',
  f: 'From',
  i: 'Call-ID',
  j: 'Reject-Contact',
  k: 'Supported',
  l: 'Content-Length',
  m: 'Contact',
  n: 'Identity-Info',
  o: 'Event',
  r: 'Refer-To',
  s: 'Subject',
  t: 'To',
  u: 'Allow-Events',
  v: 'Via',
  x: 'Session-Expires',
  y: 'Identity',
}

/** Headers whose grammar is a comma list, so that several values on one line equal several lines. */
const listHeaders = [
  'Accept',
  'Accept-Contact',
  'Accept-Encoding',
  'Accept-Language',
  'Accept-Resource-Priority',
  'Alert-Info',
  'Allow',
  'Allow-Events',
  'Call-Info',
  'Contact',
  'Content-Encoding',
  'Content-Language',
  'Diversion',
  'Error-Info',
  'Feature-Caps',
  'Geolocation',
  'History-Info',
  'In-Reply-To',
  'P-Asserted-Identity',
  'P-Associated-URI',
  'P-Early-Media',
  'P-Preferred-Identity',
  'P-Visited-Network-ID',
  'Path',
  'Proxy-Require',
  'Reason',
  'Record-Route',
  'Recv-Info',
  'Reject-Contact',
  'Remote-Party-ID',
  'Request-Disposition',
  'Require',
  'Resource-Priority',
  'Route',
  'Security-Client',
  'Security-Server',
  'Security-Verify',
  'Service-Route',
  'Supported',
  'Unsupported',
  'User-to-User',
  'Via',
  'Warning',
]
const isList = new Set(listHeaders.map((name) => name.toLowerCase()))

/** Spellings seen most, to the key they are compared by: saves lower-casing each line of each message. */
const keys = new Map<string, string>()
for (const [short, long] of Object.entries(compactForms)) {
  for (const spelling of [short, short.toUpperCase(), long]) keys.set(spelling, long.toLowerCase())
}
for (const name of [...listHeaders, 'CSeq', 'Max-Forwards', 'Expires', 'User-Agent', 'Server', 'Authorization']) {
  keys.set(name, name.toLowerCase())
}

function keyOf(name: string): string {
  const known = keys.get(name)
  if (known !== undefined) return known
  const lower = name.toLowerCase()
  return keys.get(lower) ?? lower
}

/** A value must not start a line of its own, whoever wrote it. */
const oneLine = (value: string): string =>
  value.includes('\n') || value.includes('\r') ? trimBlanks(value.replaceAll(/[\r\n]+[ \t]*/g, ' ')) : value

export class Headers implements SipHeaders {
  readonly #names: string[] = []
  readonly #keys: string[] = []
  readonly #values: string[] = []
  #read: Map<string, { readonly text: string; readonly value: unknown }> | undefined

  constructor(entries: Iterable<readonly [name: string, value: string]> = []) {
    for (const [name, value] of entries) this.push(name, value)
  }

  /** How many lines there are. */
  get size(): number {
    return this.#names.length
  }

  /** The same as `all(name)[0]`: of a list header its first value, not its first line. */
  get(name: string): string | undefined {
    const key = keyOf(name)
    const at = this.#keys.indexOf(key)
    const value = this.#values[at]
    if (value === undefined || !isList.has(key) || !value.includes(',')) return value
    const end = endOfPiece(value, 0, ',')
    return end < 0 ? value : value.slice(0, end).trim()
  }

  all(name: string): string[] {
    const key = keyOf(name)
    const found = this.lines(name)
    return isList.has(key) ? found.flatMap((value) => splitOutside(value, ',')) : found
  }

  /** The values of that name line by line, lists not split. */
  lines(name: string): string[] {
    const key = keyOf(name)
    const found: string[] = []
    for (let at = this.#keys.indexOf(key); at >= 0; at = this.#keys.indexOf(key, at + 1))
      found.push(this.#values[at] ?? '')
    return found
  }

  /** How many lines of that name there are. */
  count(name: string): number {
    const key = keyOf(name)
    let lines = 0
    for (const each of this.#keys) if (each === key) lines++
    return lines
  }

  /**
   * The first value of that name, read by `parse` and kept until its text changes.
   *
   * @param parse Always the same function for one name.
   */
  read<Value>(name: string, parse: (text: string) => Value | undefined): Value | undefined {
    const text = this.get(name)
    if (text === undefined) return undefined
    const known = this.#read?.get(name)
    if (known?.text === text) return known.value as Value | undefined
    const value = parse(text)
    this.#read ??= new Map()
    this.#read.set(name, { text, value })
    return value
  }

  has(name: string): boolean {
    return this.#keys.includes(keyOf(name))
  }

  set(name: string, ...values: string[]): void {
    const first = this.#keys.indexOf(keyOf(name))
    this.remove(name)
    let at = first < 0 ? this.#names.length : first
    for (const value of values) this.#insert(at++, name, value)
  }

  /** Add at the end, whatever stands where. */
  push(name: string, value: string): void {
    this.#names.push(name)
    this.#keys.push(keyOf(name))
    this.#values.push(oneLine(value))
  }

  append(name: string, value: string): void {
    const last = this.#keys.lastIndexOf(keyOf(name))
    if (last < 0) this.push(name, value)
    else this.#insert(last + 1, name, value)
  }

  prepend(name: string, value: string): void {
    const first = this.#keys.indexOf(keyOf(name))
    this.#insert(Math.max(first, 0), name, value)
  }

  remove(name: string): void {
    const key = keyOf(name)
    for (let at = this.#keys.indexOf(key); at >= 0; at = this.#keys.indexOf(key, at)) this.#delete(at)
  }

  removeFirst(name: string): void {
    const key = keyOf(name)
    const at = this.#keys.indexOf(key)
    const value = this.#values[at]
    if (value === undefined) return
    const end = isList.has(key) ? endOfPiece(value, 0, ',') : -1
    if (end < 0) this.#delete(at)
    else this.#values[at] = value.slice(end + 1).trim()
  }

  *entries(): Generator<readonly [name: string, value: string]> {
    for (let at = 0; at < this.#names.length; at++) yield [this.#names[at] ?? '', this.#values[at] ?? '']
  }

  clone(): Headers {
    const copy = new Headers()
    copy.#names.push(...this.#names)
    copy.#keys.push(...this.#keys)
    copy.#values.push(...this.#values)
    return copy
  }

  #insert(at: number, name: string, value: string): void {
    this.#names.splice(at, 0, name)
    this.#keys.splice(at, 0, keyOf(name))
    this.#values.splice(at, 0, oneLine(value))
  }

  #delete(at: number): void {
    this.#names.splice(at, 1)
    this.#keys.splice(at, 1)
    this.#values.splice(at, 1)
  }
}
