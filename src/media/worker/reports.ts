/**
 * RTCP of one port: when to report, what to say, what the peer's reports tell. RFC 3550 §6.2-§6.4.
 *
 *   port  ── statistics ─▶  here  ── compound packet about every 5 s ─▶  port ─▶ peer
 *         ◀─ round trip ──        ◀── the peer's reports ───────────────
 *
 * Departs from RFC 3550 §6.2 in taking no account of bandwidth: each side is one or two members, and five seconds, the
 * least interval of the RFC, is always enough.
 */
import type { ReceiveStatistics } from '../../rtp/receive-statistics.ts'
import { middleOfNtp, ntpTime, parseRtcp, printRtcp, type ReportBlock, roundTripMs } from '../../rtp/rtcp.ts'
import type { Outgoing } from './outgoing.ts'

/** RFC 3550 §6.2: five seconds, the first one half of that; §6.3.1: times 0.5..1.5, divided by e - 1.5. */
const intervalMs = 5000
const compensation = Math.E - 1.5

export class Reports {
  /** From the peer's last report about us. */
  roundTripMs: number | undefined
  readonly #cname: string
  readonly #random: () => number
  #dueAtMs: number
  #sentBefore = 0
  #sentBeforeThat = 0
  /** The last sender report of the peer: middle of its NTP time, and when it came. */
  #lastReport = { ssrc: 0, middle: 0, atMs: 0 }

  /** @param random 0..1, spreads the reports of many ports over time. */
  constructor(cname: string, nowMs: number, random: () => number) {
    this.#cname = cname
    this.#random = random
    this.#dueAtMs = nowMs + this.#interval(intervalMs / 2)
  }

  /** A datagram of the peer's; hostile bytes change nothing. */
  receive(bytes: Uint8Array, ourSsrc: number, nowMs: number, wallMs: number): void {
    for (const packet of parseRtcp(bytes)) {
      if (packet.type !== 'report') continue
      const { sender } = packet
      if (sender) {
        this.#lastReport = {
          ssrc: packet.ssrc,
          middle: middleOfNtp(sender.ntpSeconds, sender.ntpFraction),
          atMs: nowMs,
        }
      }
      for (const block of packet.blocks) {
        if (block.ssrc === ourSsrc) this.roundTripMs = roundTripMs(block, wallMs) ?? this.roundTripMs
      }
    }
  }

  /** Whether a report is due. */
  due(nowMs: number): boolean {
    return nowMs >= this.#dueAtMs
  }

  /** A compound packet; the next one is due an interval later. */
  print(received: ReceiveStatistics, sent: Outgoing, nowMs: number, wallMs: number, bye = false): Uint8Array {
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
          packets: sent.packets >>> 0,
          bytes: sent.bytes >>> 0,
        },
      }),
    })
  }

  #block(received: ReceiveStatistics, nowMs: number): ReportBlock | undefined {
    const reception = received.report()
    if (!reception) return undefined
    const known = this.#lastReport.ssrc === received.ssrc && this.#lastReport.middle !== 0
    const delay = known ? Math.round(((nowMs - this.#lastReport.atMs) * 65_536) / 1000) >>> 0 : 0
    const lastReport = known ? this.#lastReport.middle : 0
    return { ...reception, ssrc: received.ssrc, lastReport, delaySinceLastReport: delay }
  }

  #interval(meanMs: number): number {
    return (meanMs * (0.5 + this.#random())) / compensation
  }
}
