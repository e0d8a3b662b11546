/**
 * MediaIo over node:dgram: two sockets a port.
 *
 * Costs about 4 µs a packet received and 4 µs a packet sent (docs/performance.md). The receive buffer holds five
 * seconds of a stream, so that a thread that stands still for a moment loses nothing.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import type { MediaIo, PacketHandler, PortSockets } from './io.ts'

const receiveBufferBytes = 256 * 1024

type Found = (error: null, address: string, family: number) => void

/** Addresses are numbers already; node's own lookup would cost a turn of the loop for each packet. */
const numericLookup =
  (family: number) =>
  (address: string, _options: unknown, found: Found): void =>
    found(null, address, family)

/** Of a numeric address; net.isIPv6 takes a long regular expression to say so, and this is asked for each packet. */
const familyOf = (ip: string): 4 | 6 => (ip.includes(':') ? 6 : 4)

const nothing = (): void => {}

export const dgramIo: MediaIo = {
  async open(bindIp, rtpPort, handler) {
    const rtp = newSocket(bindIp)
    const rtcp = newSocket(bindIp)
    try {
      await Promise.all([bind(rtp, bindIp, rtpPort), bind(rtcp, bindIp, rtpPort + 1)])
    } catch {
      await Promise.all([closeSocket(rtp), closeSocket(rtcp)])
      return undefined
    }
    return portSockets(rtp, rtcp, familyOf(bindIp), handler)
  },
}

function newSocket(bindIp: string): Socket {
  const family = familyOf(bindIp)
  const socket = createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
    ipv6Only: family === 6,
    recvBufferSize: receiveBufferBytes,
    lookup: numericLookup(family),
  })
  socket.on('error', nothing) // an unreachable peer is no reason to die
  return socket
}

function bind(socket: Socket, ip: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.bind({ address: ip, port, exclusive: true }, () => {
      socket.off('error', reject)
      resolve()
    })
  })
}

function closeSocket(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.close(() => resolve()))
}

function portSockets(rtp: Socket, rtcp: Socket, family: 4 | 6, handler: PacketHandler): PortSockets {
  rtp.on('message', (bytes: Uint8Array, from: RemoteInfo) => handler.rtp(bytes, from.address, from.port))
  rtcp.on('message', (bytes: Uint8Array, from: RemoteInfo) => handler.rtcp(bytes, from.address, from.port))
  let open = true
  const reachable = (ip: string): boolean => open && familyOf(ip) === family
  return {
    sendRtp(bytes, from, length, ip, port) {
      if (reachable(ip)) rtp.send(bytes, from, length, port, ip, nothing)
    },
    sendRtcp(bytes, ip, port) {
      if (reachable(ip)) rtcp.send(bytes, port, ip, nothing)
    },
    async close() {
      open = false
      await Promise.all([closeSocket(rtp), closeSocket(rtcp)])
    },
  }
}
