/**
 * A port that carries datagrams as they are: video, or fax by UDPTL, of a call whose audio has a Port of its own.
 *
 *   socket ─▶ source locked? ─▶ the bridged relay port ─▶ its socket
 *
 * Knows no payload. RTCP, and with it the requests for a whole picture, goes the same way by the second socket.
 */
import type { Clock } from '../../core/clock.ts'
import { endpointText } from '../../core/ip.ts'
import { noPackets, type PortDescription, type PortStats } from '../types.ts'
import type { Endpoint, PacketHandler, PortSockets } from './io.ts'
import { SourceLock } from './source-lock.ts'

export class RelayPort implements PacketHandler {
  readonly #clock: Clock
  #lock = new SourceLock()
  #sockets: PortSockets | undefined
  #peer: RelayPort | undefined
  /** The peer has said where it is. */
  #open = false
  #rtcpSource: Endpoint | undefined
  packetsReceived = 0
  packetsSent = 0
  #bytesReceived = 0
  #refused = 0
  #lastPacketAtMs: number | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  attach(sockets: PortSockets): void {
    this.#sockets = sockets
  }

  describe({ remote }: PortDescription): void {
    this.#open = remote !== undefined
    // The next stream here may come from anywhere: what was learned of this one is forgotten.
    if (!remote) this.#lock = new SourceLock()
    this.#lock.describe(remote, this.#clock.now())
  }

  /** Each port forgets the one it was bridged with. */
  bridge(peer: RelayPort): void {
    this.#unbridge()
    peer.#unbridge()
    this.#peer = peer
    peer.#peer = this
  }

  #unbridge(): void {
    if (this.#peer) this.#peer.#peer = undefined
    this.#peer = undefined
  }

  rtp(bytes: Uint8Array, from: Endpoint): void {
    const nowMs = this.#clock.now()
    if (!this.#open || !this.#lock.accept(from, ssrcOf(bytes), nowMs)) {
      this.#refused++
      return
    }
    this.packetsReceived++
    this.#bytesReceived += bytes.length
    this.#lastPacketAtMs = nowMs
    this.#peer?.send(bytes)
  }

  send(bytes: Uint8Array): void {
    const to = this.#lock.destination
    if (!this.#open || !to) return
    this.packetsSent++
    this.#sockets?.sendRtp(bytes, 0, bytes.length, to)
  }

  rtcp(bytes: Uint8Array, from: Endpoint): void {
    if (!this.#open || from.ip !== this.#lock.destination?.ip) {
      this.#refused++
      return
    }
    this.#rtcpSource = from
    this.#peer?.sendRtcp(bytes)
  }

  sendRtcp(bytes: Uint8Array): void {
    const { destination, remote } = this.#lock
    if (!this.#open || !destination) return
    const known = this.#rtcpSource?.ip === destination.ip ? this.#rtcpSource.port : undefined
    const told = remote?.ip === destination.ip ? remote.rtcpPort : destination.port + 1
    this.#sockets?.sendRtcp(bytes, { ip: destination.ip, port: known ?? told })
  }

  /** Nothing is due. */
  tick(): void {}

  stats(): PortStats {
    const source = this.#lock.source
    return {
      ...noPackets,
      packetsReceived: this.packetsReceived,
      bytesReceived: this.#bytesReceived,
      packetsSent: this.packetsSent,
      packetsRefused: this.#refused,
      ...(source && { source: endpointText(source.ip, source.port) }),
      ...(this.#lastPacketAtMs !== undefined && { idleMs: this.#clock.now() - this.#lastPacketAtMs }),
    }
  }

  /** Call once. */
  async close(): Promise<PortStats> {
    const stats = this.stats()
    this.#unbridge()
    await this.#sockets?.close()
    return stats
  }
}

/** Of an RTP packet (RFC 3550 §5.1); 0 for what is none. It helps to know a stream again behind NAT. */
const ssrcOf = (bytes: Uint8Array): number =>
  bytes.length >= 12 && (bytes[0] ?? 0) >> 6 === 2
    ? new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(8)
    : 0
