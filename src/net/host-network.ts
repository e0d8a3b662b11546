/** The host's network: node:dgram, node:net, node:tls and the system resolver behind the `Network` interface. */
import { createSocket } from 'node:dgram'
import type { LookupOptions } from 'node:dns'
import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { isIPv6, mappedIp, plainIp } from '../core/ip.ts'
import { HostConnection } from './host-connection.ts'
import { listenAt } from './host-listener.ts'
import { LocalAddresses } from './local-address.ts'
import type { Endpoint, Network, TcpConnection, TcpListener, UdpSocket } from './network.ts'
import type { TlsIdentity } from './tls-identity.ts'
import { keepAliveMs, openSocket, withHandshake } from './tls-socket.ts'
import { connectWebSocket, listenWebSocket } from './web-socket.ts'

/** Room for a burst of signalling while the thread is busy; the kernel may grant less. */
const udpReceiveBufferBytes = 1 << 20

const addresses = new LocalAddresses()

export const hostNetwork: Network = {
  udp: openUdp,
  listen: openListener,
  listenWebSocket,
  connectWebSocket,
  connect: (to, tls) => new HostConnection(openSocket(to, tls), { ip: to.ip, port: to.port }, tls ? 'tls' : 'tcp'),
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

async function openListener(
  at: Endpoint,
  accepted: (connection: TcpConnection) => void,
  tls?: TlsIdentity,
): Promise<TcpListener> {
  const accept = (socket: Socket): void => {
    const { remoteAddress, remotePort } = socket
    if (remoteAddress === undefined || remotePort === undefined)
      socket.destroy() // gone before we looked
    else accepted(new HostConnection(socket, { ip: plainIp(remoteAddress), port: remotePort }))
  }
  const secured = tls && withHandshake(tls, accept)
  const options = { noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveMs }
  return listenAt(createServer(options, secured?.begin ?? accept), at, () => secured?.close())
}
