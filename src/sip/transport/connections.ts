/**
 * The connections of a stack: opened and accepted, counted, bounded, and found again by where they lead.
 *
 *   network  ── accepted ─▶  here  ── messages ─▶  transport
 *            ◀── connect ──        ◀─── to(hop) ──
 *
 * One connection serves both directions: what a peer opened carries our requests to it too, for the address it came
 * from, and for the one it named with `alias` (RFC 5923). Departs from RFC 5923 §8.2: what is compared with the alias is
 * the address the connection came from, not the names of a certificate; over TLS a valid certificate is asked for besides.
 */
import type { Clock } from '../../core/clock.ts'
import { placeOf, sameIp } from '../../core/ip.ts'
import { Tally } from '../../core/tally.ts'
import type { Network, TcpConnection } from '../../net/network.ts'
import type { TlsIdentity } from '../../net/tls-identity.ts'
import { topVia } from '../message/fields.ts'
import type { SipRequest } from '../message/types.ts'
import type { Screen } from '../stack.types.ts'
import type { SipCounters } from './counters.ts'
import type { StreamTransport } from './listen.ts'
import type { Hop } from './locate.ts'
import { type ConnectionLimits, TcpFlow, type TcpFlowUser } from './tcp-flow.ts'

export interface TransportLimits extends ConnectionLimits {
  readonly connections: number
  readonly connectionsPerSource: number
}

/** Judgement, not measurement: roomy for an office behind one NAT, tight for a flood. */
export const defaultLimits: TransportLimits = {
  connections: 5_000,
  connectionsPerSource: 250,
  firstMessageMs: 15_000,
  messageMs: 10_000,
  idleMs: 3_900_000, // longer than the usual hour of a registration
  unsentBytes: 1 << 20,
}

export interface ConnectionsOptions {
  readonly clock: Clock
  readonly network: Network
  readonly tls?: TlsIdentity
  readonly limits: TransportLimits
  readonly screen?: Screen
  /** Of the URL of WebSockets that we open; `/` unless given. */
  readonly webSocketPath?: string
  readonly counters: SipCounters
}

/** One address a connection is reused for besides its own: more would let a peer fill memory. */
interface Known {
  readonly key: string
  alias?: string
}

export class Connections {
  readonly #options: ConnectionsOptions
  readonly #user: Omit<TcpFlowUser, 'closed'>
  readonly #known = new Map<TcpFlow, Known>()
  readonly #byRemote = new Map<string, TcpFlow>()
  readonly #perSource = new Tally()
  /** Accepted, and nothing they sent was let in yet; oldest first. */
  readonly #strangers = new Set<TcpFlow>()
  #closed = false

  constructor(options: ConnectionsOptions, user: Omit<TcpFlowUser, 'closed'>) {
    this.#options = options
    this.#user = user
  }

  get count(): number {
    return this.#known.size
  }

  /** The open connection to that address, or a new one. */
  to(hop: Hop, transport: StreamTransport): TcpFlow {
    const known = this.#byRemote.get(hopKey(hop))
    if (known) return known
    const { network, tls, webSocketPath = '/' } = this.#options
    const secure = transport === 'tls' || transport === 'wss'
    const towards = secure ? { identity: tls, serverName: hop.serverName } : undefined
    const connection =
      transport === 'ws' || transport === 'wss'
        ? network.connectWebSocket(hop, webSocketPath, towards)
        : network.connect(hop, towards)
    return this.#add(connection, hop, false)
  }

  accept(connection: TcpConnection, transport: StreamTransport): void {
    const { ip } = connection.remote
    if (this.#closed || this.#options.screen?.mayConnect(ip) === false || !this.#makeRoom(ip)) {
      this.#options.counters.connectionsRefused++
      connection.start({ data: () => {}, closed: () => {} })
      connection.destroy()
      return
    }
    this.#strangers.add(this.#add(connection, { transport, ...connection.remote }, true))
  }

  /** A request that came by it was let in: it is not closed to make room for others. */
  letIn(flow: TcpFlow): void {
    this.#strangers.delete(flow)
  }

  /**
   * RFC 5923 §8.2: requests to the address that the topmost Via names may take the connection this one came by. Only for
   * a request that was let in: a stranger must not have the calls of another who shares its address.
   */
  alias(request: SipRequest, flow: TcpFlow): void {
    const via = topVia(request)
    const known = this.#known.get(flow)
    if (!known || !via?.params.has('alias') || !sameIp(via.host, flow.remote.ip)) return
    const { transport, remote } = flow
    if (transport === 'tls' && this.#options.tls?.clientAuth !== 'require') return
    const key = hopKey({ transport, ip: remote.ip, port: via.port ?? (transport === 'tls' ? 5061 : 5060) })
    if (this.#byRemote.has(key)) return // the first to prove itself keeps it
    if (known.alias !== undefined) this.#byRemote.delete(known.alias)
    known.alias = key
    this.#byRemote.set(key, flow)
  }

  /** Close all, take no more. */
  close(): void {
    this.#closed = true
    for (const flow of Array.from(this.#known.keys())) flow.close()
  }

  /**
   * Where there is none, whoever came first and was not let in since makes room: connections that only stand there must
   * not keep phones out. False when all were let in.
   */
  #makeRoom(ip: string): boolean {
    const { screen, limits } = this.#options
    const place = placeOf(ip)
    const hasManyThere = this.#perSource.of(place) >= limits.connectionsPerSource
    const isFull = this.count >= limits.connections
    if (!isFull && (!hasManyThere || screen?.isTrusted(ip) === true)) return true
    for (const flow of this.#strangers) {
      if (hasManyThere && placeOf(flow.remote.ip) !== place) continue
      flow.close()
      return true
    }
    return false
  }

  #add(connection: TcpConnection, hop: Hop, accepted: boolean): TcpFlow {
    const { clock, limits } = this.#options
    const key = hopKey(hop)
    const options = { connection, transport: hop.transport, accepted, clock, limits }
    const flow = new TcpFlow(options, { ...this.#user, closed: (gone) => this.#forget(gone) })
    this.#known.set(flow, { key })
    this.#byRemote.set(key, flow)
    this.#perSource.add(placeOf(flow.remote.ip))
    return flow
  }

  #forget(flow: TcpFlow): void {
    const { key, alias } = this.#known.get(flow) ?? {}
    this.#known.delete(flow)
    this.#strangers.delete(flow)
    for (const name of [key, alias])
      if (name !== undefined && this.#byRemote.get(name) === flow) this.#byRemote.delete(name)
    this.#perSource.remove(placeOf(flow.remote.ip))
  }
}

/** Connections that may be shared: one whose certificate was checked for another name may not (RFC 5923 §8). */
export const hopKey = ({ transport, ip, port, serverName = '' }: Hop): string =>
  `${transport} ${ip} ${port} ${transport === 'tls' || transport === 'wss' ? serverName : ''}`
