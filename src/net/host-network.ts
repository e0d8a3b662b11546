/** The host's network: node:dgram, node:net and the system resolver behind the `Network` interface. */
import { createSocket } from 'node:dgram'
import type { LookupOptions } from 'node:dns'
import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { isIPv6, mappedIp, plainIp } from '../core/ip.ts'
import { LocalAddresses } from './local-address.ts'
import type { Endpoint, Failed, Network, StreamUser, TcpConnection, TcpListener, UdpSocket } from './network.ts'

/** Room for a burst of signalling while the thread is busy; the kernel may grant less. */
const udpReceiveBufferBytes = 1 << 20

/** A connection that is not up by then never will be. */
const connectTimeoutMs = 10_000

/** Probe silent connections after this long, so that a peer that vanished is noticed. */
const keepAliveMs = 60_000

const addresses = new LocalAddresses()

export const hostNetwork: Network = {
  udp: openUdp,
  listen: openListener,
  connect: (to) => new HostConnection(openSocket(to), { ip: to.ip, port: to.port }, true),
  async lookup(host) {
    const found = await lookup(host, { all: true })
    return found.map((entry) => plainIp(entry.address))
  },
  addressTowards: (remoteIp) => addresses.towards(remoteIp),
}

async function openUdp(at: Endpoint, received: (bytes: Buffer, from: Endpoint) => void): Promise<UdpSocket> {
  const six = isIPv6(at.ip)
  const socket = createSocket({ type: six ? 'udp6' : 'udp4', recvBufferSize: udpReceiveBufferBytes, lookup: numeric })
  const listening = once(socket, 'listening') // before bind: it may come at once
  socket.bind({ address: at.ip, port: at.port, exclusive: true })
  await listening
  socket.on('error', () => {}) // refused datagrams are told to their sender through `failed`
  socket.on('message', (bytes, from) => received(bytes, { ip: plainIp(from.address), port: from.port }))
  const bound = socket.address()
  let open = true
  return {
    local: { ip: plainIp(bound.address), port: bound.port },
    send(bytes, to, failed) {
      if (!open || to.port === 0) {
        return queueMicrotask(() => failed?.(new Error(open ? 'port 0 cannot be sent to' : 'the socket is closed')))
      }
      socket.send(bytes, to.port, six ? mappedIp(to.ip) : to.ip, (error) => {
        if (error) failed?.(error)
      })
    },
    async close() {
      if (!open) return
      open = false
      await new Promise<void>((closed) => socket.close(closed))
    },
  }
}

/** Addresses are numeric here: without this each datagram waits a turn for the system's resolver to say the same. */
const numeric = (
  ip: string,
  _options: LookupOptions,
  found: (error: NodeJS.ErrnoException | null, address: string, family: number) => void,
): void => found(null, ip, isIPv6(ip) ? 6 : 4)

async function openListener(at: Endpoint, accepted: (connection: TcpConnection) => void): Promise<TcpListener> {
  const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveMs }, (socket) => {
    const { remoteAddress, remotePort } = socket
    if (remoteAddress === undefined || remotePort === undefined)
      socket.destroy() // gone before we looked
    else accepted(new HostConnection(socket, { ip: plainIp(remoteAddress), port: remotePort }, false))
  })
  server.listen({ host: at.ip, port: at.port, exclusive: true })
  await once(server, 'listening')
  server.on('error', () => {}) // running out of file descriptors passes; the next accept may work
  const bound = server.address()
  if (bound === null || typeof bound === 'string') throw new Error('the listener has no address')
  return {
    local: { ip: plainIp(bound.address), port: bound.port },
    close: () => new Promise((closed) => void server.close(() => closed())),
  }
}

function openSocket(to: Endpoint): Socket {
  return connect({ host: to.ip, port: to.port, noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveMs })
}

class HostConnection implements TcpConnection {
  readonly remote: Endpoint
  readonly #socket: Socket
  readonly #outgoing: boolean

  constructor(socket: Socket, remote: Endpoint, outgoing: boolean) {
    this.#socket = socket
    this.remote = remote
    this.#outgoing = outgoing
    socket.on('error', () => {}) // 'close' follows and is what counts
  }

  get local(): Endpoint {
    return { ip: plainIp(this.#socket.localAddress ?? '0.0.0.0'), port: this.#socket.localPort ?? 0 }
  }

  get waitingBytes(): number {
    return this.#socket.writableLength
  }

  start(user: StreamUser): void {
    const socket = this.#socket
    let failure: Error | undefined
    if (this.#outgoing) {
      socket.setTimeout(connectTimeoutMs, () => socket.destroy(new Error('connect timed out')))
      socket.once('connect', () => {
        socket.setTimeout(0)
        user.connected?.()
      })
    }
    socket.on('data', (chunk: Buffer) => user.data(chunk))
    socket.once('error', (error) => {
      failure = error
    })
    socket.once('close', () => user.closed(failure))
  }

  write(bytes: Uint8Array, failed?: Failed): void {
    this.#socket.write(bytes, (error) => {
      if (error) failed?.(error)
    })
  }

  destroy(): void {
    this.#socket.destroy()
  }
}
