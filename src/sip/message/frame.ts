/**
 * Where a message ends, without reading it: for streams (RFC 3261 §18.3), and for the parser.
 */

/** Bounds on what a stranger may send. The largest UDP payload is 65,507 bytes. */
export const limits = {
  messageBytes: 65_536,
  headerLines: 256,
  /** Characters of one header line after unfolding, and of the start line. */
  lineChars: 8_192,
} as const

const LF = 0x0a
const CR = 0x0d

/**
 * Index just after the empty line that ends the head, or -1 while it has not come. Bare LF counts as a line end.
 *
 * @param from Where to look from. After more bytes came, three bytes before the old end are enough.
 */
export function findHeadEnd(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(LF, from); at >= 0; at = bytes.indexOf(LF, at + 1)) {
    if (bytes[at + 1] === LF) return at + 2
    if (bytes[at + 1] === CR && bytes[at + 2] === LF) return at + 3
  }
  return -1
}

/** Index of the first byte that is no CR or LF: keep-alives and blank lines before a message (RFC 3261 §7.5). */
export function skipBlankLines(bytes: Uint8Array, from: number): number {
  let at = from
  while (bytes[at] === CR || bytes[at] === LF) at++
  return at
}

/** At the start of a line, which here only a line feed makes: the flag `m` would take a bare CR for one. */
const contentLengthLine = /(?<![^\n])(?:content-length|l)[ \t]*:((?:[^\n]|\n[ \t])*)/gi

/**
 * What the head says about the body's length, in bytes.
 *
 * The same rule as the parser's, so that a stream is never cut elsewhere than the parser thinks: given twice is
 * malformed even when both agree.
 */
export function contentLength(head: Uint8Array): number | 'absent' | 'malformed' {
  const text = viewOf(head).toString('latin1')
  const found = Array.from(text.matchAll(contentLengthLine))
  if (found.length === 0) return 'absent'
  return found.length === 1 ? (parseLength(found[0]?.[1] ?? '') ?? 'malformed') : 'malformed'
}

/** Digits with blanks around, no sign, no more than nine figures. */
export const parseLength = (text: string): number | undefined =>
  /^[ \t\r\n]*\d{1,9}[ \t\r\n]*$/.test(text) ? Number(text) : undefined

/** The same bytes as a Buffer, for what only a Buffer can do. */
export const viewOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
