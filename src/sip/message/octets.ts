/**
 * The head of a message as text and back, with no octet lost.
 *
 * SIP is UTF-8 (RFC 3261 §7). Old phones write names in Latin-1; each octet that is not UTF-8 is kept as a lone low
 * surrogate, U+DC80 to U+DCFF, which no valid text holds, and printed as the octet it was.
 */
import { isUtf8 } from 'node:buffer'

const replacement = '\uFFFD'
const keptAt = 0xdc00

export function decodeHead(bytes: Buffer): string {
  const text = bytes.toString('utf8')
  return text.includes(replacement) && !isUtf8(bytes) ? keepOctets(bytes) : text
}

function keepOctets(bytes: Buffer): string {
  let text = ''
  let good = 0
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes[at] ?? 0)
    if (length > 0 && isUtf8(bytes.subarray(at, at + length))) {
      at += length
      continue
    }
    text += bytes.toString('utf8', good, at) + String.fromCharCode(keptAt + (bytes[at] ?? 0))
    good = ++at
  }
  return text + bytes.toString('utf8', good)
}

/** By its first octet (RFC 3629 §3); 0 when no sequence starts so. */
function sequenceLength(octet: number): number {
  if (octet < 0x80) return 1
  if (octet < 0xc2 || octet > 0xf4) return 0
  return octet < 0xe0 ? 2 : octet < 0xf0 ? 3 : 4
}

export const encodeHead = (text: string): Buffer =>
  Buffer.concat(
    // The first alternative takes whole pairs, so that the second meets lone surrogates only.
    Array.from(text.matchAll(/(?:[\ud800-\udbff][\udc00-\udfff]|[^\udc80-\udcff])+|[\udc80-\udcff]/g), ([piece]) =>
      isKept(piece) ? Buffer.of(piece.charCodeAt(0) - keptAt) : Buffer.from(piece),
    ),
  )

const isKept = (piece: string): boolean => /^[\udc80-\udcff]$/.test(piece)
