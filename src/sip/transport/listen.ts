/** Binds the addresses to listen on. UDP and TCP with port 0 on one IP share one number, as SIP clients expect. */
import type { Endpoint, Network, TcpConnection, TcpListener, UdpSocket } from '../../net/network.ts'
import type { TlsIdentity } from '../../net/tls-identity.ts'
import type { TransportName } from '../stack.types.ts'

/** Transports with connections. */
export type StreamTransport = Exclude<TransportName, 'udp'>

export interface ListenAddress {
  readonly transport: TransportName
  readonly ip: string
  /** 0 picks a free one. */
  readonly port: number
}

export type Bound =
  | { readonly transport: 'udp'; readonly local: Endpoint; readonly socket: UdpSocket }
  | { readonly transport: StreamTransport; readonly local: Endpoint; readonly listener: TcpListener }

export interface ListenUser {
  datagram(bytes: Buffer, from: Endpoint, socket: () => UdpSocket): void
  accepted(connection: TcpConnection, transport: StreamTransport): void
}

/** How often a free UDP number may turn out to be taken for TCP. */
const attempts = 20

export interface ListenOptions {
  readonly network: Network
  readonly listen: readonly ListenAddress[]
  /** Needed for TLS and secure WebSocket. */
  readonly tls?: TlsIdentity
}

/** Bind all or none. Rejects with the host's error: EADDRINUSE, EACCES, EADDRNOTAVAIL. */
export async function bindAll(options: ListenOptions, user: ListenUser): Promise<Bound[]> {
  const { listen: wanted } = options
  for (let attempt = 1; ; attempt++) {
    const bound: Bound[] = []
    try {
      for (const address of wanted) bound.push(await bind(options, withSharedPort(address, bound), user))
      return bound
    } catch (error) {
      await Promise.all(bound.map(unbind))
      const maySucceedLater = wanted.some((address) => address.port === 0)
      if (!maySucceedLater || attempt === attempts) throw error
    }
  }
}

export const unbind = (bound: Bound): Promise<void> =>
  bound.transport === 'udp' ? bound.socket.close() : bound.listener.close()

function withSharedPort(address: ListenAddress, bound: readonly Bound[]): ListenAddress {
  if (address.port !== 0 || (address.transport !== 'udp' && address.transport !== 'tcp')) return address
  const wanted = address.transport === 'udp' ? 'tcp' : 'udp'
  const sibling = bound.find((other) => other.local.ip === address.ip && other.transport === wanted)
  return sibling ? { ...address, port: sibling.local.port } : address
}

async function bind({ network, tls }: ListenOptions, address: ListenAddress, user: ListenUser): Promise<Bound> {
  const { transport } = address
  if (transport === 'udp') {
    const socket: UdpSocket = await network.udp(address, (bytes, from) => user.datagram(bytes, from, () => socket))
    return { transport, local: socket.local, socket }
  }
  const secure = transport === 'tls' || transport === 'wss'
  if (secure && !tls) throw new Error(`a listener for ${transport} needs a certificate`)
  const accepted = (connection: TcpConnection) => user.accepted(connection, transport)
  const identity = secure ? tls : undefined
  const listener =
    transport === 'ws' || transport === 'wss'
      ? await network.listenWebSocket(address, accepted, identity)
      : await network.listen(address, accepted, identity)
  return { transport, local: listener.local, listener }
}
