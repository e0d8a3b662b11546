/**
 * A port that carries datagrams as they are: video, or fax by UDPTL, of a call whose audio has a Port of its own.
 *
 *   socket ─▶ decrypt ─▶ source locked? ─▶ the bridged relay port ─▶ encrypt ─▶ its socket
 *
 * Knows no payload. RTCP, and with it the requests for a whole picture, goes the same way by the socket that it came to.
 * Each side is encrypted for itself, or not at all (PortCrypto).
 * Missing: a packet that was lost behind us and is sent again under its old number (NACK without RFC 4588) does not pass an
 * encrypted side, which takes and sends each number once.
 */
import type { Clock } from '../../core/clock.ts'
import { endpointText } from '../../core/ip.ts'
import { datagramKind } from '../../rtp/demux.ts'
import { readUint32 } from '../../rtp/packet.ts'
import { noPackets, type PortDescription, type PortStats } from '../types.ts'
import type { Endpoint, PacketHandler, PortSockets } from './io/io.ts'
import { PortCrypto } from './port-crypto.ts'
import { SourceLock } from './source-lock.ts'

export class RelayPort implements PacketHandler {
  readonly #clock: Clock
  #lock = new SourceLock()
  #sockets: PortSockets | undefined
  #peer: RelayPort | undefined
  /** Undefined for what is in the clear. */
  #crypto: PortCrypto | undefined
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

  describe({ remote, srtp }: PortDescription): void {
    if (remote) this.#encrypt(srtp, this.#open)
    this.#open = remote !== undefined
    // The next stream here may come from anywhere: what was learned of this one is forgotten.
    if (!remote) this.#lock = new SourceLock()
    this.#lock.describe(remote, this.#clock.now())
  }

  /**
   * @param goesOn Nobody has left since the last description. Somebody else counts packets from the beginning, and is told
   *   from who comes back by our key.
   */
  #encrypt(srtp: PortDescription['srtp'], goesOn: boolean): void {
    // Without keys, for which others wait or shake hands, nothing passes.
    const keys = typeof srtp === 'object' && 'send' in srtp ? srtp : undefined
    const isSame = goesOn || (keys !== undefined && this.#crypto?.sendsWith(keys.send))
    if (!srtp) this.#crypto = undefined
    else if (!this.#crypto || !isSame) this.#crypto = new PortCrypto()
    this.#crypto?.describe(keys)
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
    const isReport = datagramKind(bytes) === 'rtcp'
    const clear = this.#open ? this.#decrypted(bytes, isReport) : undefined
    if (!clear || !this.#lock.accept(from, ssrcOf(clear, isReport), nowMs)) {
      this.#refused++
      return
    }
    this.packetsReceived++
    this.#bytesReceived += bytes.length
    this.#lastPacketAtMs = nowMs
    this.#peer?.send(clear, isReport)
  }

  /** @param isReport RTCP that shares the port (RFC 5761). */
  send(bytes: Uint8Array, isReport: boolean): void {
    const to = this.#lock.destination
    const sent = this.#open && to && this.#encrypted(bytes, isReport)
    if (!sent) return
    this.packetsSent++
    this.#sockets?.sendRtp(sent, 0, sent.length, to)
  }

  rtcp(bytes: Uint8Array, from: Endpoint): void {
    const isHis = this.#open && from.ip === this.#lock.destination?.ip
    const clear = isHis ? this.#decrypted(bytes, true) : undefined
    if (!clear) {
      this.#refused++
      return
    }
    this.#rtcpSource = from
    this.#peer?.sendRtcp(clear)
  }

  sendRtcp(bytes: Uint8Array): void {
    const { destination, remote } = this.#lock
    const sent = this.#open && destination && this.#encrypted(bytes, datagramKind(bytes) === 'rtcp')
    if (!sent) return
    const known = this.#rtcpSource?.ip === destination.ip ? this.#rtcpSource.port : undefined
    const told = remote?.ip === destination.ip ? remote.rtcpPort : destination.port + 1
    this.#sockets?.sendRtcp(sent, { ip: destination.ip, port: known ?? told })
  }

  /** Undefined for what is not authentic. */
  #decrypted(bytes: Uint8Array, isReport: boolean): Uint8Array | undefined {
    if (!this.#crypto) return bytes
    return isReport ? this.#crypto.openRtcp(bytes) : this.#crypto.openRtp(bytes)
  }

  /** Undefined for what cannot be encrypted, being neither RTP nor RTCP. */
  #encrypted(bytes: Uint8Array, isReport: boolean): Uint8Array | undefined {
    if (!this.#crypto) return bytes
    return isReport ? this.#crypto.sealRtcp(bytes) : this.#crypto.sealRtp(bytes, 0, bytes.length)
  }

  /** Nothing is due. */
  tick(): void {}

  /** Nothing waits. */
  drain(): void {}

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

/** Of an RTP or RTCP packet (RFC 3550 §5.1, §6.4); 0 for what is none. It helps to know a stream again behind NAT. */
const ssrcOf = (bytes: Uint8Array, isReport: boolean): number =>
  bytes.length >= 12 && (bytes[0] ?? 0) >> 6 === 2 ? readUint32(bytes, isReport ? 4 : 8) : 0
