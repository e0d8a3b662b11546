/**
 * The RTCP of a port: what comes in is read, reports go out when they are due, to where the peer's come from.
 *
 *   port ── datagram, time ─▶ here ── reports.ts ─▶ encrypt ─▶ socket
 *
 * With rtcp-mux (RFC 5761) they go by the socket of RTP. Behind NAT the peer's own reports show where it takes ours.
 */
import type { ReceiveStatistics } from '../../rtp/receive-statistics.ts'
import type { VoipMetrics } from '../../rtp/rtcp-xr.ts'
import type { Endpoint } from './io/io.ts'
import type { Outgoing } from './outgoing.ts'
import type { PortCrypto } from './port-crypto.ts'
import type { Reports } from './reports.ts'
import type { SourceLock } from './source-lock.ts'

/** The port, as its reports see it. */
export interface Reporting {
  readonly reports: Reports
  readonly received: ReceiveStatistics
  readonly sent: Outgoing
  readonly lock: SourceLock
  readonly wallAt: (nowMs: number) => number
  readonly metrics: () => VoipMetrics | undefined
  /** Undefined for plain RTP. */
  crypto(): PortCrypto | undefined
  /** The peer tells how much it loses of what we send, 0 to 1. */
  heard(lossShare: number): void
  sendRtp(bytes: Uint8Array, to: Endpoint): void
  sendRtcp(bytes: Uint8Array, to: Endpoint): void
}

export class PortRtcp {
  readonly #port: Reporting
  /** Where the peer's came from. */
  #source: Endpoint | undefined

  constructor(port: Reporting) {
    this.#port = port
  }

  /** A datagram of the peer's; false when it is none, or somebody else's. */
  take(bytes: Uint8Array, from: Endpoint, nowMs: number): boolean {
    const { reports, sent, lock, wallAt } = this.#port
    const crypto = this.#port.crypto()
    const clear = crypto ? crypto.openRtcp(bytes) : bytes
    if (!clear || from.ip !== lock.destination?.ip) return false
    this.#source = from
    const before = reports.heard
    reports.receive(clear, sent.ssrc, nowMs, wallAt(nowMs))
    if (reports.heard && reports.heard !== before) this.#port.heard(reports.heard.lossShare)
    return true
  }

  /** Report if it is time for it. */
  tick(nowMs: number): void {
    if (this.#port.reports.due(nowMs)) this.report(nowMs)
  }

  /** @param bye The stream is over. */
  report(nowMs: number, bye = false): void {
    const { reports, received, sent, lock, wallAt, metrics } = this.#port
    const report = reports.print(received, sent, nowMs, wallAt(nowMs), { bye, metrics })
    const crypto = this.#port.crypto()
    const bytes = crypto ? crypto.sealRtcp(report) : report
    const { destination, remote } = lock
    if (!destination || !bytes) return
    if (remote && remote.rtcpPort === remote.rtpPort) return this.#port.sendRtp(bytes, destination)
    const known = this.#source?.ip === destination.ip ? this.#source.port : undefined
    const told = remote?.ip === destination.ip ? remote.rtcpPort : destination.port + 1
    this.#port.sendRtcp(bytes, { ip: destination.ip, port: known ?? told })
  }
}
