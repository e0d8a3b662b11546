/**
 * RTCP: compound packets parsed and printed. RFC 3550 §6.
 *
 *   port  ── CompoundReport ─▶  printRtcp  ── bytes ─▶  peer
 *         ◀─ RtcpPacket[] ────  parseRtcp  ◀─ bytes ──
 *
 * Parsed: SR, RR, BYE and XR (rtcp-xr.ts); other types are stepped over. A datagram may begin with any of them
 * (reduced size, RFC 5506). Bytes are hostile: a length beyond the datagram ends the parse.
 * Missing: feedback messages (RFC 4585).
 */
import { readUint16, readUint32, writeUint16, writeUint32 } from './packet.ts'
import type { Reception } from './receive-statistics.ts'
import { extendedReport, parseXr, printXr, type XrBlock } from './rtcp-xr.ts'

/** What a sender says of its clock and its output (RFC 3550 §6.4.1). */
export interface SenderInfo {
  /** NTP time: seconds since 1900 and 2^-32 fractions, each uint32. */
  readonly ntpSeconds: number
  readonly ntpFraction: number
  /** The same moment in ticks of its RTP clock. */
  readonly rtpTimestamp: number
  readonly packets: number
  readonly bytes: number
}

export interface ReportBlock extends Reception {
  /** Whose packets this is about. */
  readonly ssrc: number
  /** Middle 32 bits of the NTP time of the last sender report from it; 0 when none came. */
  readonly lastReport: number
  /** Since then, in 1/65536 s. */
  readonly delaySinceLastReport: number
}

export type RtcpPacket =
  | {
      readonly type: 'report'
      readonly ssrc: number
      readonly sender?: SenderInfo
      readonly blocks: readonly ReportBlock[]
    }
  | { readonly type: 'bye'; readonly ssrcs: readonly number[] }
  | { readonly type: 'extended'; readonly ssrc: number; readonly blocks: readonly XrBlock[] }

/** Packet types, RFC 3550 §12.1. */
const senderReport = 200
const receiverReport = 201
const sourceDescription = 202
const goodbye = 203

/** Seconds from 1900 (NTP) to 1970. */
const ntpOffset = 2_208_988_800

/** Wall time as NTP time. */
export function ntpTime(wallMs: number): { ntpSeconds: number; ntpFraction: number } {
  const seconds = Math.floor(wallMs / 1000)
  const ntpFraction = Math.floor(((wallMs - seconds * 1000) / 1000) * 2 ** 32)
  return { ntpSeconds: (seconds + ntpOffset) >>> 0, ntpFraction: ntpFraction >>> 0 }
}

/** The middle 32 bits of an NTP time: 1/65536 s, wraps every 18 hours. */
export const middleOfNtp = (ntpSeconds: number, ntpFraction: number): number =>
  ((ntpSeconds << 16) | (ntpFraction >>> 16)) >>> 0

/**
 * Round trip from a report about our own stream, ms (RFC 3550 §6.4.1: A - LSR - DLSR).
 * Undefined when the peer had no sender report of ours, or its figures cannot be.
 */
export function roundTripMs(
  block: Pick<ReportBlock, 'lastReport' | 'delaySinceLastReport'>,
  arrivedWallMs: number,
): number | undefined {
  if (block.lastReport === 0) return undefined
  const { ntpSeconds, ntpFraction } = ntpTime(arrivedWallMs)
  const units = (middleOfNtp(ntpSeconds, ntpFraction) - block.lastReport - block.delaySinceLastReport) | 0
  // Clocks read a little apart may give a hair less than zero; a minute is nobody's round trip.
  if (units < -65_536 || units > 60 * 65_536) return undefined
  return Math.max(0, (units * 1000) / 65_536)
}

/** Parse a compound packet as far as it is sound; an unsound one gives what stood before the fault. */
export function parseRtcp(bytes: Uint8Array): RtcpPacket[] {
  const packets: RtcpPacket[] = []
  for (let at = 0; at + 4 <= bytes.length; ) {
    const end = at + 4 + readUint16(bytes, at + 2) * 4
    if ((bytes[at] ?? 0) >> 6 !== 2 || end > bytes.length) break
    const packet = parseOne(bytes, at, end)
    if (packet) packets.push(packet)
    at = end
  }
  return packets
}

function parseOne(bytes: Uint8Array, at: number, end: number): RtcpPacket | undefined {
  const count = (bytes[at] ?? 0) & 0x1f
  const type = bytes[at + 1] ?? 0
  if (type === goodbye) {
    const fits = Math.min(count, (end - at - 4) >> 2)
    return { type: 'bye', ssrcs: Array.from({ length: fits }, (_, i) => readUint32(bytes, at + 4 + i * 4)) }
  }
  if (type === extendedReport && at + 8 <= end)
    return { type: 'extended', ssrc: readUint32(bytes, at + 4), blocks: parseXr(bytes, at + 8, end) }
  if (type !== senderReport && type !== receiverReport) return undefined
  const blocksAt = at + 8 + (type === senderReport ? 20 : 0)
  if (blocksAt + count * 24 > end) return undefined
  const blocks = Array.from({ length: count }, (_, i) => parseBlock(bytes, blocksAt + i * 24))
  const ssrc = readUint32(bytes, at + 4)
  if (type === receiverReport) return { type: 'report', ssrc, blocks }
  const sender = {
    ntpSeconds: readUint32(bytes, at + 8),
    ntpFraction: readUint32(bytes, at + 12),
    rtpTimestamp: readUint32(bytes, at + 16),
    packets: readUint32(bytes, at + 20),
    bytes: readUint32(bytes, at + 24),
  }
  return { type: 'report', ssrc, sender, blocks }
}

function parseBlock(bytes: Uint8Array, at: number): ReportBlock {
  return {
    ssrc: readUint32(bytes, at),
    fractionLost: bytes[at + 4] ?? 0,
    cumulativeLost: (readUint32(bytes, at + 4) << 8) >> 8, // 24 bits, signed
    highestSequence: readUint32(bytes, at + 8),
    jitter: readUint32(bytes, at + 12),
    lastReport: readUint32(bytes, at + 16),
    delaySinceLastReport: readUint32(bytes, at + 20),
  }
}

export interface CompoundReport {
  /** Our own. */
  readonly ssrc: number
  /** Our canonical name, the same for all streams of a call, at most 255 bytes (RFC 3550 §6.5.1, RFC 7022). */
  readonly cname: string
  /** Present when we sent packets since the last report but one. */
  readonly sender?: SenderInfo
  readonly block?: ReportBlock
  /** Extended reports (RFC 3611); none, when empty. */
  readonly extended?: readonly XrBlock[]
  /** We leave. */
  readonly bye?: boolean
}

/** SR or RR, then SDES with CNAME, then XR, then BYE when leaving (RFC 3550 §6.1). */
export function printRtcp(report: CompoundReport): Uint8Array {
  const parts = [printReport(report), printCname(report.ssrc, report.cname)]
  if (report.extended && report.extended.length > 0) parts.push(printXr(report.ssrc, report.extended))
  if (report.bye) parts.push(printBye(report.ssrc))
  return Buffer.concat(parts)
}

function header(bytes: Uint8Array, count: number, type: number): void {
  bytes[0] = 0x80 | count
  bytes[1] = type
  writeUint16(bytes, 2, bytes.length / 4 - 1)
}

function printReport({ ssrc, sender, block }: CompoundReport): Uint8Array {
  const blockAt = sender ? 28 : 8
  const bytes = new Uint8Array(blockAt + (block ? 24 : 0))
  header(bytes, block ? 1 : 0, sender ? senderReport : receiverReport)
  writeUint32(bytes, 4, ssrc)
  if (sender) {
    writeUint32(bytes, 8, sender.ntpSeconds)
    writeUint32(bytes, 12, sender.ntpFraction)
    writeUint32(bytes, 16, sender.rtpTimestamp)
    writeUint32(bytes, 20, sender.packets)
    writeUint32(bytes, 24, sender.bytes)
  }
  if (block) printBlock(bytes, blockAt, block)
  return bytes
}

function printBlock(bytes: Uint8Array, at: number, block: ReportBlock): void {
  const lost = Math.max(-0x80_0000, Math.min(0x7f_ffff, block.cumulativeLost))
  writeUint32(bytes, at, block.ssrc)
  writeUint32(bytes, at + 4, lost & 0xff_ffff)
  bytes[at + 4] = block.fractionLost
  writeUint32(bytes, at + 8, block.highestSequence)
  writeUint32(bytes, at + 12, block.jitter)
  writeUint32(bytes, at + 16, block.lastReport)
  writeUint32(bytes, at + 20, block.delaySinceLastReport)
}

function printCname(ssrc: number, cname: string): Uint8Array {
  const text = Buffer.from(cname, 'utf8').subarray(0, 255)
  // The list of items ends with at least one zero byte, up to the next word.
  const bytes = new Uint8Array(8 + Math.ceil((2 + text.length + 1) / 4) * 4)
  header(bytes, 1, sourceDescription)
  writeUint32(bytes, 4, ssrc)
  bytes[8] = 1
  bytes[9] = text.length
  bytes.set(text, 10)
  return bytes
}

function printBye(ssrc: number): Uint8Array {
  const bytes = new Uint8Array(8)
  header(bytes, 1, goodbye)
  writeUint32(bytes, 4, ssrc)
  return bytes
}
