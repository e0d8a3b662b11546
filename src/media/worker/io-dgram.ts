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

/** A socket bound to `::` carries IPv4 too, in this form. */
const mapped = '::ffff:'
const plain = (ip: string): string => (ip.startsWith(mapped) ? ip.slice(mapped.length) : ip)

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
    return portSockets(rtp, rtcp, bindIp, handler)
  },
}

function newSocket(bindIp: string): Socket {
  const family = familyOf(bindIp)
  const socket = createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
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

function portSockets(rtp: Socket, rtcp: Socket, bindIp: string, handler: PacketHandler): PortSockets {
  rtp.on('message', (bytes: Uint8Array, from: RemoteInfo) => handler.rtp(bytes, plain(from.address), from.port))
  rtcp.on('message', (bytes: Uint8Array, from: RemoteInfo) => handler.rtcp(bytes, plain(from.address), from.port))
  let open = true
  const family = familyOf(bindIp)
  /** As the socket takes it; undefined when it does not reach that. */
  const reachable = (ip: string): string | undefined => {
    if (!open) return undefined
    if (familyOf(ip) === family) return ip
    return bindIp === '::' ? mapped + ip : undefined
  }
  return {
    sendRtp(bytes, from, length, ip, port) {
      const to = reachable(ip)
      if (to !== undefined) rtp.send(bytes, from, length, port, to, nothing)
    },
    sendRtcp(bytes, ip, port) {
      const to = reachable(ip)
      if (to !== undefined) rtcp.send(bytes, port, to, nothing)
    },
    async close() {
      open = false
      await Promise.all([closeSocket(rtp), closeSocket(rtcp)])
    },
  }
}
