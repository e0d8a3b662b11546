/** Binds the addresses to listen on. Entries with port 0 on one IP share one number, as SIP clients expect. */
import type { Endpoint, Network, TcpConnection, TcpListener, UdpSocket } from '../../net/network.ts'

export interface ListenAddress {
  readonly transport: 'udp' | 'tcp'
  readonly ip: string
  /** 0 picks a free one. */
  readonly port: number
}

export type Bound =
  | { readonly transport: 'udp'; readonly local: Endpoint; readonly socket: UdpSocket }
  | { readonly transport: 'tcp'; readonly local: Endpoint; readonly listener: TcpListener }

export interface ListenUser {
  datagram(bytes: Buffer, from: Endpoint, socket: () => UdpSocket): void
  accepted(connection: TcpConnection): void
}

/** How often a free UDP number may turn out to be taken for TCP. */
const attempts = 20

/** Bind all or none. Rejects with the host's error: EADDRINUSE, EACCES, EADDRNOTAVAIL. */
export async function bindAll(network: Network, wanted: readonly ListenAddress[], user: ListenUser): Promise<Bound[]> {
  for (let attempt = 1; ; attempt++) {
    const bound: Bound[] = []
    try {
      for (const address of wanted) bound.push(await bind(network, withSharedPort(address, bound), user))
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
  if (address.port !== 0) return address
  const sibling = bound.find((other) => other.local.ip === address.ip && other.transport !== address.transport)
  return sibling ? { ...address, port: sibling.local.port } : address
}

async function bind(network: Network, address: ListenAddress, user: ListenUser): Promise<Bound> {
  if (address.transport === 'tcp') {
    const listener = await network.listen(address, (connection) => user.accepted(connection))
    return { transport: 'tcp', local: listener.local, listener }
  }
  const socket: UdpSocket = await network.udp(address, (bytes, from) => user.datagram(bytes, from, () => socket))
  return { transport: 'udp', local: socket.local, socket }
}
