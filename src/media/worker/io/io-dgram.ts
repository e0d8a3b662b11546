/**
 * MediaIo over node:dgram: two sockets a port.
 *
 * Costs about 4 µs a packet received and 4 µs a packet sent (docs/performance.md). The receive buffer holds five
 * seconds of a stream, so that a thread that stands still for a moment loses nothing.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { type Endpoint, type MediaIo, maxDatagramBytes, type PacketHandler, type PortSockets } from './io.ts'

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

/** Of all sockets of this thread. */
const lost = { oversized: 0, unsent: 0 }
const countUnsent = (error: Error | null): void => {
  if (error) lost.unsent++
}

/** A socket bound to `::` carries IPv4 too, in this form. */
const mapped = '::ffff:'
const plain = (ip: string): string => (ip.startsWith(mapped) ? ip.slice(mapped.length) : ip)

export const dgramIo: MediaIo = {
  stamps: false,
  async open(bindIp, rtpPort, handler, muxed = false) {
    const bound = await Promise.all([
      boundSocket(bindIp, rtpPort),
      muxed ? undefined : boundSocket(bindIp, rtpPort + 1),
    ])
    const [rtp, rtcp] = bound
    if (rtp && (rtcp || muxed)) return portSockets(rtp, rtcp, bindIp, rtpPort, handler)
    await Promise.all(bound.map(async (socket) => socket && closeSocket(socket)))
    return undefined
  },
  /** Each packet leaves when it is sent. */
  flush: nothing,
  /** Node takes packets when it does. */
  drain: nothing,
  lost: () => ({ ...lost, dropped: 0 }),
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

/** Undefined when the port cannot be had. */
async function boundSocket(ip: string, port: number): Promise<Socket | undefined> {
  const socket = newSocket(ip)
  try {
    await bind(socket, ip, port)
    return socket
  } catch {
    await closeSocket(socket)
    return undefined
  }
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

/** What the handler was lent: dgram made it for this one message, so that it may be sent without a copy. */
let lent: ArrayBufferLike | undefined

/** Hand on what a socket receives. */
function listen(socket: Socket, handle: (bytes: Uint8Array, from: Endpoint) => void): void {
  let from: Endpoint = { ip: '', port: 0 }
  let address = ''
  socket.on('message', (bytes: Uint8Array, remote: RemoteInfo) => {
    if (bytes.length > maxDatagramBytes) {
      lost.oversized++
      return
    }
    if (remote.port !== from.port || remote.address !== address) {
      address = remote.address
      from = { ip: plain(address), port: remote.port }
    }
    lent = bytes.buffer
    handle(bytes, from)
    lent = undefined
  })
}

/** Part of `bytes` that stays as it is until it has left. */
function kept(bytes: Uint8Array, start: number, length: number): Uint8Array {
  const part = bytes.subarray(start, start + length)
  return bytes.buffer === lent ? part : Buffer.from(part)
}

function portSockets(
  rtp: Socket,
  separate: Socket | undefined,
  bindIp: string,
  rtpPort: number,
  handler: PacketHandler,
): PortSockets {
  let rtcp = separate
  listen(rtp, (bytes, from) => handler.rtp(bytes, from))
  const listenRtcp = (socket: Socket): void => listen(socket, (bytes, from) => handler.rtcp(bytes, from))
  if (rtcp) listenRtcp(rtcp)
  let open = true
  const family = familyOf(bindIp)
  /** As the socket takes it; undefined when it does not reach that, or nobody can be there. */
  const reachable = ({ ip, port }: Endpoint): string | undefined => {
    if (!open || port < 1 || port > 0xffff) return undefined
    if (familyOf(ip) === family) return ip
    return bindIp === '::' ? mapped + ip : undefined
  }
  const send = (socket: Socket, bytes: Uint8Array, start: number, length: number, to: Endpoint): void => {
    const ip = reachable(to)
    if (ip !== undefined) socket.send(kept(bytes, start, length), to.port, ip, countUnsent)
  }
  return {
    sendRtp: (bytes, start, length, to) => send(rtp, bytes, start, length, to),
    sendRtcp: (bytes, to) => send(rtcp ?? rtp, bytes, 0, bytes.length, to),
    /** Nothing waits here, and nothing is passed on. */
    ease: nothing,
    pass: nothing,
    canPass: false,
    drain: nothing,
    async separate() {
      const socket = open && !rtcp ? await boundSocket(bindIp, rtpPort + 1) : undefined
      if (!socket) return
      if (!open || rtcp) return closeSocket(socket)
      rtcp = socket
      listenRtcp(socket)
    },
    async close() {
      if (!open) return
      open = false
      await Promise.all([closeSocket(rtp), ...(rtcp ? [closeSocket(rtcp)] : [])])
    },
  }
}
