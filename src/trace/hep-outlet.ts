/** How HEP packets reach the collector: as datagrams, or by one connection that is opened again when it breaks. */
import type { Clock } from '../core/clock.ts'
import { isIPv6 } from '../core/ip.ts'
import type { Endpoint, Network, TcpConnection } from '../net/network.ts'

export interface HepOutlet {
  /** False when it cannot be sent now; `failed` hears later that it was not. */
  readonly send: (packet: Buffer, failed: () => void) => boolean
  readonly close: () => Promise<void>
}

/** A collector that reads slower than we write is not waited for. */
const maxUnsentBytes = 4 << 20
const connectAgainMs = 5_000
/** How long the last packets may take to leave. */
const lastWordMs = 1_000

export async function udpOutlet(network: Network, to: Endpoint): Promise<HepOutlet> {
  const socket = await network.udp({ ip: isIPv6(to.ip) ? '::' : '0.0.0.0', port: 0 }, () => {})
  return {
    send(packet, failed) {
      socket.send(packet, to, failed)
      return true
    },
    close: () => socket.close(),
  }
}

export function tcpOutlet(network: Pick<Network, 'connect'>, to: Endpoint, clock: Clock): HepOutlet {
  let connection: TcpConnection | undefined
  let brokenMs = -Infinity
  const open = (): TcpConnection => {
    const opened = network.connect(to)
    opened.start({
      data: () => {},
      closed() {
        if (connection !== opened) return
        connection = undefined
        brokenMs = clock.now()
      },
    })
    return opened
  }
  return {
    send(packet, failed) {
      if (!connection && clock.now() - brokenMs < connectAgainMs) return false
      connection ??= open()
      if (connection.waitingBytes > maxUnsentBytes) return false
      connection.write(packet, failed)
      return true
    },
    close() {
      const last = connection
      connection = undefined
      return last ? closeWhenSent(last, clock) : Promise.resolve()
    },
  }
}

function closeWhenSent(connection: TcpConnection, clock: Clock): Promise<void> {
  const untilMs = clock.now() + lastWordMs
  const { promise, resolve } = Promise.withResolvers<void>()
  const look = (): void => {
    if (connection.waitingBytes > 0 && clock.now() < untilMs) return void clock.after(20, look)
    connection.destroy()
    resolve()
  }
  look()
  return promise
}
