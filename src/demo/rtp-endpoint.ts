/**
 * A pair of UDP sockets for one RTP stream each way: packets out to where the peer said, packets in to a Listener.
 *
 * RTP on an even port, RTCP on the next (RFC 3550 §11). RTCP is taken and thrown away: a simulated phone needs none.
 */
import { createSocket, type Socket } from 'node:dgram'
import type { Address } from '../sip/stack.types.ts'

const attempts = 50

export class RtpEndpoint {
  readonly #rtp: Socket
  readonly #rtcp: Socket
  readonly address: Address
  /** Told of each datagram on the RTP port. */
  onPacket: (packet: Uint8Array) => void = () => {}
  #remote: Address | undefined
  #closed = false

  /** Bind a free even port and the next one on this address. */
  static async open(ip: string): Promise<RtpEndpoint> {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const rtp = await bind(ip, 0)
      const port = rtp?.address().port ?? 0
      const rtcp = port % 2 === 0 ? await bind(ip, port + 1) : undefined
      if (rtp && rtcp) return new RtpEndpoint(rtp, rtcp, { ip, port })
      rtp?.close()
    }
    throw new Error(`no free pair of UDP ports on ${ip}`)
  }

  private constructor(rtp: Socket, rtcp: Socket, address: Address) {
    this.#rtp = rtp
    this.#rtcp = rtcp
    this.address = address
    rtp.on('message', (packet) => this.onPacket(packet))
    // The peer's port may be closed already when the last packets leave.
    for (const socket of [rtp, rtcp]) socket.on('error', () => {})
  }

  sendTo(remote: Address): void {
    this.#remote = remote
  }

  send(packet: Uint8Array): void {
    if (this.#remote && !this.#closed) this.#rtp.send(packet, this.#remote.port, this.#remote.ip)
  }

  /** Twice is fine. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#rtp.close()
    this.#rtcp.close()
  }
}

function bind(ip: string, port: number): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(ip.includes(':') ? 'udp6' : 'udp4')
    socket.once('error', () => resolve(undefined))
    socket.bind(port, ip, () => {
      socket.removeAllListeners('error')
      resolve(socket)
    })
  })
}
