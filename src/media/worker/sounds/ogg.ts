/**
 * Ogg pages (RFC 3533): found, checked, and cut into packets.
 *
 *   bytes ── readPage ─▶ OggPage ── packetsOf ─▶ ogg-opus.ts
 */

export interface OggPage {
  /** The first packet began on the page before. */
  readonly continued: boolean
  readonly first: boolean
  readonly last: boolean
  /** Where the last packet that ends here ends, in samples; -1 when none does. */
  readonly granule: number
  readonly serial: number
  /** Of the whole page. */
  readonly bytes: number
  /** Where the packets begin, and how long each piece is; a piece of 255 goes on in the next. */
  readonly bodyAt: number
  readonly lacing: Uint8Array
}

const headerBytes = 27
/** 27 + 255 + 255 * 255 (§6). */
export const mostPageBytes = 65_307

/** Polynomial 0x04c11db7, as it is, from zero (§6, field 7). */
const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte << 24
  for (let bit = 0; bit < 8; bit++) value = value & 0x8000_0000 ? (value << 1) ^ 0x04c1_1db7 : value << 1
  return value
})

/** The sum over a page, its own field counting as zero. */
export function pageChecksum(bytes: Uint8Array, from: number, count: number): number {
  let sum = 0
  for (let i = 0; i < count; i++) {
    const byte = i >= 22 && i < 26 ? 0 : (bytes[from + i] ?? 0)
    sum = (sum << 8) ^ (table[((sum >>> 24) ^ byte) & 0xff] ?? 0)
  }
  return sum >>> 0
}

/** The page that begins at `from`; undefined when none does, it is cut short, or damaged. */
export function readPage(bytes: Uint8Array, from: number): OggPage | undefined {
  if (from + headerBytes > bytes.length) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset + from, bytes.length - from)
  if (view.getUint32(0) !== 0x4f67_6753 || view.getUint8(4) !== 0) return undefined
  const flags = view.getUint8(5)
  const bodyAt = headerBytes + view.getUint8(26)
  if (bodyAt > view.byteLength) return undefined
  const lacing = bytes.subarray(from + headerBytes, from + bodyAt)
  const length = bodyAt + lacing.reduce((sum, piece) => sum + piece, 0)
  if (length > view.byteLength || pageChecksum(bytes, from, length) !== view.getUint32(22, true)) return undefined
  return {
    continued: (flags & 1) !== 0,
    first: (flags & 2) !== 0,
    last: (flags & 4) !== 0,
    granule: Number(view.getBigInt64(6, true)),
    serial: view.getUint32(14, true),
    bytes: length,
    bodyAt,
    lacing,
  }
}

/** The pieces of packets on a page, in order; the last one may be `whole: false`, and go on on the next page. */
export function* piecesOf(
  page: OggPage,
  bytes: Uint8Array,
  from: number,
): Generator<{ piece: Uint8Array; whole: boolean }> {
  let at = from + page.bodyAt
  let length = 0
  for (const lace of page.lacing) {
    length += lace
    if (lace === 255) continue
    yield { piece: bytes.subarray(at, at + length), whole: true }
    at += length
    length = 0
  }
  if (length > 0) yield { piece: bytes.subarray(at, at + length), whole: false }
}
