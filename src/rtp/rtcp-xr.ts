/**
 * Extended reports of RTCP: how a call sounds at the other end, and the round trip of who only listens. RFC 3611.
 *
 *   port  ── XrBlock[] ─▶  printXr     ── bytes ─▶  peer
 *         ◀─ XrBlock[] ──  parseXr     ◀─ bytes ──  (by rtcp.ts)
 *
 * Blocks: receiver reference time (§4.4), delay since it (§4.5), VoIP metrics (§4.7). Others are stepped over: loss and
 * duplicate runs, packet receipt times, statistics summary, and those of later RFCs.
 */
import { readUint16, readUint32, writeUint16, writeUint32 } from './packet.ts'

/** RFC 3611 §2. */
export const extendedReport = 207

/** What one party hears of one stream, as §4.7 counts. Undefined: not available. */
export interface VoipMetrics {
  /** Whose packets this is about. */
  readonly ssrc: number
  /** Shares, 0 to 1; sent in 1/256. */
  readonly lossShare: number
  readonly discardShare: number
  readonly burstDensity: number
  readonly gapDensity: number
  /** Means, ms. */
  readonly burstMs: number
  readonly gapMs: number
  /** 0 when none is known (§4.7.3). */
  readonly roundTripMs: number
  /** Jitter buffer, decoding and sending of who reports. */
  readonly endSystemMs: number
  /** dBm0, -127 to 126. */
  readonly signalDbm0?: number
  readonly noiseDbm0?: number
  /** 0 to 100; more than 94 is better than the telephone. */
  readonly rFactor?: number
  /** 1.0 to 5.0, without and with delay. */
  readonly mosListening?: number
  readonly mosConversational?: number
  /** Losses are concealed; the jitter buffer adapts. */
  readonly concealed: boolean
  readonly adaptive: boolean
  /** Depth of the jitter buffer, ms: now, at most at present, at most ever. */
  readonly bufferMs: number
  readonly bufferMaxMs: number
  readonly bufferAbsoluteMaxMs: number
}

/** Since when a receiver waits for an answer to its reference time; both in 1/65536 s. */
export interface DelaySince {
  readonly ssrc: number
  /** Middle 32 bits of the reference time; 0 when none came. */
  readonly lastReference: number
  readonly delay: number
}

export type XrBlock =
  | { readonly type: 'reference-time'; readonly ntpSeconds: number; readonly ntpFraction: number }
  | { readonly type: 'delays'; readonly delays: readonly DelaySince[] }
  | { readonly type: 'voip-metrics'; readonly metrics: VoipMetrics }

/** Block types, RFC 3611 §4. */
const referenceTime = 4
const delaySince = 5
const voipMetrics = 7

/** §4.7: levels, R factors and scores that are not known; return loss too. */
const unavailable = 127
/** §4.7.2 */
const gmin = 16
/** The longest that a field of 16 bits holds, ms. */
const longestMs = 0xffff
/** §4.7.6: the two bits of packet loss concealment, of the jitter buffer. */
const plc = { off: 0b01, standard: 0b11 }
const buffer = { fixed: 0b10, adaptive: 0b11 }

/** A whole XR packet; `blocks` are few. */
export function printXr(ssrc: number, blocks: readonly XrBlock[]): Uint8Array {
  const parts = blocks.map(printBlock)
  const head = new Uint8Array(8)
  head[0] = 0x80
  head[1] = extendedReport
  const length = parts.reduce((sum, part) => sum + part.length, head.length)
  writeUint16(head, 2, length / 4 - 1)
  writeUint32(head, 4, ssrc)
  return Buffer.concat([head, ...parts])
}

function block(type: number, words: number): Uint8Array {
  const bytes = new Uint8Array(4 + words * 4)
  bytes[0] = type
  writeUint16(bytes, 2, words)
  return bytes
}

function printBlock(xr: XrBlock): Uint8Array {
  if (xr.type === 'voip-metrics') return printMetrics(xr.metrics)
  if (xr.type === 'reference-time') {
    const bytes = block(referenceTime, 2)
    writeUint32(bytes, 4, xr.ntpSeconds)
    writeUint32(bytes, 8, xr.ntpFraction)
    return bytes
  }
  const bytes = block(delaySince, xr.delays.length * 3)
  for (const [i, { ssrc, lastReference, delay }] of xr.delays.entries()) {
    writeUint32(bytes, 4 + i * 12, ssrc)
    writeUint32(bytes, 8 + i * 12, lastReference)
    writeUint32(bytes, 12 + i * 12, delay)
  }
  return bytes
}

/** §4.7: the fields in their order. */
function printMetrics(metrics: VoipMetrics): Uint8Array {
  const bytes = block(voipMetrics, 8)
  writeUint32(bytes, 4, metrics.ssrc)
  bytes[8] = fraction(metrics.lossShare)
  bytes[9] = fraction(metrics.discardShare)
  bytes[10] = fraction(metrics.burstDensity)
  bytes[11] = fraction(metrics.gapDensity)
  writeMs(bytes, 12, metrics.burstMs)
  writeMs(bytes, 14, metrics.gapMs)
  writeMs(bytes, 16, metrics.roundTripMs)
  writeMs(bytes, 18, metrics.endSystemMs)
  bytes[20] = level(metrics.signalDbm0)
  bytes[21] = level(metrics.noiseDbm0)
  bytes[22] = unavailable // residual echo return loss
  bytes[23] = gmin
  bytes[24] = whole(metrics.rFactor, 0, 100)
  bytes[25] = unavailable // of a network beyond us
  bytes[26] = score(metrics.mosListening)
  bytes[27] = score(metrics.mosConversational)
  bytes[28] =
    ((metrics.concealed ? plc.standard : plc.off) << 6) | ((metrics.adaptive ? buffer.adaptive : buffer.fixed) << 4)
  writeMs(bytes, 30, metrics.bufferMs)
  writeMs(bytes, 32, metrics.bufferMaxMs)
  writeMs(bytes, 34, metrics.bufferAbsoluteMaxMs)
  return bytes
}

const fraction = (share: number): number => Math.min(255, Math.max(0, Math.floor(share * 256)))
const whole = (value: number | undefined, least: number, most: number): number =>
  value === undefined ? unavailable : Math.min(most, Math.max(least, Math.round(value)))
const level = (dbm0: number | undefined): number => whole(dbm0, -127, 126) & 0xff
const score = (mos: number | undefined): number => whole(mos === undefined ? undefined : mos * 10, 10, 50)
const writeMs = (bytes: Uint8Array, at: number, ms: number): void =>
  writeUint16(bytes, at, Math.min(longestMs, Math.max(0, Math.round(ms))))

/** The blocks between `at` and `end`, which lie in `bytes`; what is unsound ends the list. */
export function parseXr(bytes: Uint8Array, at: number, end: number): XrBlock[] {
  const blocks: XrBlock[] = []
  for (let from = at; from + 4 <= end; ) {
    const words = readUint16(bytes, from + 2)
    const to = from + 4 + words * 4
    if (to > end) break
    const parsed = parseBlock(bytes, from, bytes[from] ?? 0, words)
    if (parsed) blocks.push(parsed)
    from = to
  }
  return blocks
}

function parseBlock(bytes: Uint8Array, at: number, type: number, words: number): XrBlock | undefined {
  if (type === voipMetrics && words >= 8) return { type: 'voip-metrics', metrics: parseMetrics(bytes, at) }
  if (type === referenceTime && words >= 2)
    return { type: 'reference-time', ntpSeconds: readUint32(bytes, at + 4), ntpFraction: readUint32(bytes, at + 8) }
  if (type !== delaySince) return undefined
  const delays = Array.from({ length: Math.floor(words / 3) }, (_, i) => ({
    ssrc: readUint32(bytes, at + 4 + i * 12),
    lastReference: readUint32(bytes, at + 8 + i * 12),
    delay: readUint32(bytes, at + 12 + i * 12),
  }))
  return { type: 'delays', delays }
}

function parseMetrics(bytes: Uint8Array, at: number): VoipMetrics {
  const byte = (offset: number): number => bytes[at + offset] ?? 0
  const share = (offset: number): number => byte(offset) / 256
  const known = (offset: number): number | undefined => (byte(offset) === unavailable ? undefined : byte(offset))
  const signed = (offset: number): number | undefined =>
    byte(offset) === unavailable ? undefined : (byte(offset) << 24) >> 24
  const tenths = (offset: number): number | undefined => {
    const value = known(offset)
    return value === undefined || value < 10 || value > 50 ? undefined : value / 10
  }
  const [signalDbm0, noiseDbm0, mosListening, mosConversational] = [signed(20), signed(21), tenths(26), tenths(27)]
  const rFactor = byte(24) <= 100 ? byte(24) : undefined
  return {
    ssrc: readUint32(bytes, at + 4),
    lossShare: share(8),
    discardShare: share(9),
    burstDensity: share(10),
    gapDensity: share(11),
    burstMs: readUint16(bytes, at + 12),
    gapMs: readUint16(bytes, at + 14),
    roundTripMs: readUint16(bytes, at + 16),
    endSystemMs: readUint16(bytes, at + 18),
    ...(signalDbm0 !== undefined && { signalDbm0 }),
    ...(noiseDbm0 !== undefined && { noiseDbm0 }),
    ...(rFactor !== undefined && { rFactor }),
    ...(mosListening !== undefined && { mosListening }),
    ...(mosConversational !== undefined && { mosConversational }),
    concealed: byte(28) >> 6 === plc.standard,
    adaptive: ((byte(28) >> 4) & 0b11) === buffer.adaptive,
    bufferMs: readUint16(bytes, at + 30),
    bufferMaxMs: readUint16(bytes, at + 32),
    bufferAbsoluteMaxMs: readUint16(bytes, at + 34),
  }
}
