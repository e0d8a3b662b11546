/**
 * RTCP of one port: when to report, what to say, what the peer's reports tell. RFC 3550 §6.2-§6.4, RFC 3611.
 *
 *   port  ── statistics ─▶  here  ── compound packet about every 5 s ─▶  port ─▶ peer
 *         ◀─ round trip,        ◀── the peer's reports ───────────────
 *            how it hears us
 *
 * Extended reports go to who asked for them. Who only receives learns the round trip by them (§4.4, §4.5): a receiver
 * report alone is not answered.
 * Departs from RFC 3550 §6.2 in taking no account of bandwidth: each side is one or two members, and five seconds, the
 * least interval of the RFC, is always enough.
 */
import type { ReceiveStatistics } from '../../rtp/receive-statistics.ts'
import {
  middleOfNtp,
  ntpTime,
  parseRtcp,
  printRtcp,
  type ReportBlock,
  type RtcpPacket,
  roundTripMs,
} from '../../rtp/rtcp.ts'
import type { VoipMetrics, XrBlock } from '../../rtp/rtcp-xr.ts'
import type { ExtendedReports } from '../types.ts'
import type { Outgoing } from './outgoing.ts'

/** RFC 3550 §6.2: five seconds, the first one half of that; §6.3.1: times 0.5..1.5, divided by e - 1.5. */
const intervalMs = 5000
const compensation = Math.E - 1.5

/** Round trips that tell the steady one. */
const steadyOf = 3

/** How the peer hears us, by its last report. */
export interface HeardByPeer {
  /** Of its last interval, 0 to 1. */
  readonly lossShare: number
  /** In ticks of our RTP clock. */
  readonly jitterTicks: number
}

/** A report of the peer's that ours refer to: middle of its NTP time, and when it came. */
interface Reference {
  readonly ssrc: number
  readonly middle: number
  readonly atMs: number
}

const noReference: Reference = { ssrc: 0, middle: 0, atMs: 0 }
const nothingExtended: ExtendedReports = { voipMetrics: false, receiverRoundTrip: false }

export class Reports {
  /** From the peer's last report about us. */
  roundTripMs: number | undefined
  #roundTrips: readonly number[] = []
  heard: HeardByPeer | undefined
  /** The same in words of RFC 3611, from peers that tell it. */
  heardMetrics: VoipMetrics | undefined
  readonly #cname: string
  readonly #random: () => number
  #dueAtMs: number
  #sentBefore = 0
  #sentBeforeThat = 0
  /** The last sender report of the peer. */
  #lastReport = noReference
  /** Its last receiver reference time (RFC 3611 §4.4). */
  #lastReference = noReference
  #extended = nothingExtended

  /** @param random 0..1, spreads the reports of many ports over time. */
  constructor(cname: string, nowMs: number, random: () => number) {
    this.#cname = cname
    this.#random = random
    this.#dueAtMs = nowMs + this.#interval(intervalMs / 2)
  }

  /** @param extended What the peer wants beyond plain reports. */
  describe(extended: ExtendedReports = nothingExtended): void {
    this.#extended = extended
  }

  /** A datagram of the peer's; hostile bytes change nothing. */
  receive(bytes: Uint8Array, ourSsrc: number, nowMs: number, wallMs: number): void {
    for (const packet of parseRtcp(bytes)) {
      if (packet.type === 'report') this.#takeReport(packet, ourSsrc, nowMs, wallMs)
      else if (packet.type === 'extended')
        for (const block of packet.blocks) this.#takeExtended(packet.ssrc, block, ourSsrc, nowMs, wallMs)
    }
  }

  #takeReport(
    { ssrc, sender, blocks }: Extract<RtcpPacket, { type: 'report' }>,
    ourSsrc: number,
    nowMs: number,
    wallMs: number,
  ): void {
    if (sender) this.#lastReport = { ssrc, middle: middleOfNtp(sender.ntpSeconds, sender.ntpFraction), atMs: nowMs }
    for (const block of blocks) {
      if (block.ssrc !== ourSsrc) continue
      this.#measured(roundTripMs(block, wallMs))
      this.heard = { lossShare: block.fractionLost / 256, jitterTicks: block.jitter }
    }
  }

  #takeExtended(ssrc: number, block: XrBlock, ourSsrc: number, nowMs: number, wallMs: number): void {
    if (block.type === 'reference-time') {
      this.#lastReference = { ssrc, middle: middleOfNtp(block.ntpSeconds, block.ntpFraction), atMs: nowMs }
    } else if (block.type === 'voip-metrics') {
      if (block.metrics.ssrc === ourSsrc) this.heardMetrics = block.metrics
    } else {
      const ours = block.delays.find((delay) => delay.ssrc === ourSsrc)
      if (!ours) return
      const echo = { lastReport: ours.lastReference, delaySinceLastReport: ours.delay }
      this.#measured(roundTripMs(echo, wallMs))
    }
  }

  #measured(roundTripMs: number | undefined): void {
    if (roundTripMs === undefined) return
    this.roundTripMs = roundTripMs
    this.#roundTrips = [...this.#roundTrips.slice(1 - steadyOf), roundTripMs]
  }

  /** The least of the last round trips: without the moments in which one side was busy. */
  get steadyRoundTripMs(): number | undefined {
    return this.#roundTrips.length === 0 ? undefined : Math.min(...this.#roundTrips)
  }

  /** Whether a report is due. */
  due(nowMs: number): boolean {
    return nowMs >= this.#dueAtMs
  }

  /**
   * A compound packet; the next one is due an interval later.
   * @param metrics How we hear the peer, asked for only when it wants to know.
   */
  print(
    received: ReceiveStatistics,
    sent: Outgoing,
    nowMs: number,
    wallMs: number,
    { bye = false, metrics }: { readonly bye?: boolean; readonly metrics?: () => VoipMetrics | undefined } = {},
  ): Uint8Array {
    this.#dueAtMs = nowMs + this.#interval(intervalMs)
    // We are a sender as long as we sent since the report before the last (RFC 3550 §6.4).
    const sends = sent.packets > this.#sentBeforeThat
    this.#sentBeforeThat = this.#sentBefore
    this.#sentBefore = sent.packets
    const block = this.#block(received, nowMs)
    return printRtcp({
      ssrc: sent.ssrc,
      cname: this.#cname,
      bye,
      ...(block && { block }),
      ...(sends && {
        sender: {
          ...ntpTime(wallMs),
          rtpTimestamp: sent.timestampAt(nowMs),
          packets: sent.reported.packets >>> 0,
          bytes: sent.reported.bytes >>> 0,
        },
      }),
      extended: this.#extendedBlocks(nowMs, wallMs, sends, metrics),
    })
  }

  #extendedBlocks(
    nowMs: number,
    wallMs: number,
    sends: boolean,
    metrics: (() => VoipMetrics | undefined) | undefined,
  ): XrBlock[] {
    const { voipMetrics, receiverRoundTrip } = this.#extended
    const blocks: XrBlock[] = []
    if (receiverRoundTrip && !sends) blocks.push({ type: 'reference-time', ...ntpTime(wallMs) })
    // An answer to what the peer asked: it shows by asking that it understands the answer.
    const { ssrc, middle, atMs } = this.#lastReference
    if (middle !== 0)
      blocks.push({ type: 'delays', delays: [{ ssrc, lastReference: middle, delay: ntpUnits(nowMs - atMs) }] })
    const told = voipMetrics ? metrics?.() : undefined
    if (told) blocks.push({ type: 'voip-metrics', metrics: told })
    return blocks
  }

  #block(received: ReceiveStatistics, nowMs: number): ReportBlock | undefined {
    const reception = received.report()
    if (!reception) return undefined
    const { ssrc, middle, atMs } = this.#lastReport
    const known = ssrc === received.ssrc && middle !== 0
    return {
      ...reception,
      ssrc: received.ssrc,
      lastReport: known ? middle : 0,
      delaySinceLastReport: known ? ntpUnits(nowMs - atMs) : 0,
    }
  }

  #interval(meanMs: number): number {
    return (meanMs * (0.5 + this.#random())) / compensation
  }
}

/** Milliseconds as 1/65536 s. */
const ntpUnits = (ms: number): number => Math.round((ms * 65_536) / 1000) >>> 0
