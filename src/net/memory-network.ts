/**
 * A network inside one process for tests: datagrams are lost, doubled and overtaken by seed, at a test's clock.
 *
 * Connections are reliable and in order, as TCP is. Every address exists. The same seed and the same traffic give the
 * same run.
 */
import type { Clock } from '../core/clock.ts'
import type { Endpoint, Failed, Network, StreamUser, TcpConnection, TcpListener, UdpSocket } from './network.ts'

export interface MemoryNetworkOptions {
  readonly clock: Clock
  readonly seed?: number
  /** Share of datagrams lost, 0..1. */
  readonly loss?: number
  /** Share of datagrams that arrive twice, 0..1. */
  readonly duplicates?: number
  /** Delay of each datagram, drawn evenly: a wide range reorders. */
  readonly delayMs?: readonly [min: number, max: number]
}

/** Numbers in 0..1 that a seed decides (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const keyOf = (at: Endpoint): string => `${at.ip} ${at.port}`

export class MemoryNetwork implements Network {
  /** Whether datagrams pass; a test pulls the plug here. */
  plugged = true
  readonly #clock: Clock
  readonly #random: () => number
  readonly #loss: number
  readonly #duplicates: number
  readonly #delayMs: readonly [number, number]
  readonly #sockets = new Map<string, (bytes: Buffer, from: Endpoint) => void>()
  readonly #listeners = new Map<string, (connection: TcpConnection) => void>()
  readonly #names = new Map<string, string[]>()
  readonly #connections = new Set<MemoryConnection>()
  #nextPort = 40_000

  constructor(options: MemoryNetworkOptions) {
    this.#clock = options.clock
    this.#random = seededRandom(options.seed ?? 1)
    this.#loss = options.loss ?? 0
    this.#duplicates = options.duplicates ?? 0
    this.#delayMs = options.delayMs ?? [1, 1]
  }

  /** Let a host name stand for addresses. */
  name(host: string, ...ips: string[]): void {
    this.#names.set(host, ips)
  }

  udp(at: Endpoint, received: (bytes: Buffer, from: Endpoint) => void): Promise<UdpSocket> {
    const local = this.#bind(at, this.#sockets)
    this.#sockets.set(keyOf(local), received)
    return Promise.resolve({
      local,
      send: (bytes: Uint8Array, to: Endpoint) => this.#carry(Buffer.from(bytes), local, to),
      close: () => {
        this.#sockets.delete(keyOf(local))
        return Promise.resolve()
      },
    })
  }

  listen(at: Endpoint, accepted: (connection: TcpConnection) => void): Promise<TcpListener> {
    const local = this.#bind(at, this.#listeners)
    this.#listeners.set(keyOf(local), accepted)
    return Promise.resolve({
      local,
      close: () => {
        this.#listeners.delete(keyOf(local))
        return Promise.resolve()
      },
    })
  }

  /** What is written at once arrives as one chunk here anyway. */
  listenWebSocket(at: Endpoint, accepted: (connection: TcpConnection) => void): Promise<TcpListener> {
    return this.listen(at, accepted)
  }

  connect(to: Endpoint): TcpConnection {
    const from = { ip: to.ip, port: this.#nextPort++ }
    const near = new MemoryConnection(from, to, this.#later)
    this.#later(() => {
      const accepted = this.#listeners.get(keyOf(to))
      if (!accepted) return near.fail(new Error('connection refused'))
      const far = new MemoryConnection(to, from, this.#later)
      this.#connections.add(near)
      near.join(far)
      far.join(near)
      accepted(far)
    })
    return near
  }

  connectWebSocket(to: Endpoint): TcpConnection {
    return this.connect(to)
  }

  /** Break all connections, as a router does that starts anew: both ends hear of it. */
  breakConnections(): void {
    for (const connection of this.#connections) connection.break()
    this.#connections.clear()
  }

  lookup(host: string): Promise<string[]> {
    const ips = this.#names.get(host)
    return ips ? Promise.resolve(ips) : Promise.reject(new Error(`no address for ${host}`))
  }

  addressTowards(remoteIp: string): string {
    return remoteIp
  }

  readonly #later = (fire: () => void): void => {
    this.#clock.after(1, fire)
  }

  #bind(at: Endpoint, taken: ReadonlyMap<string, unknown>): Endpoint {
    const local = { ip: at.ip, port: at.port === 0 ? this.#nextPort++ : at.port }
    if (taken.has(keyOf(local))) throw new Error(`${keyOf(local)} is taken`)
    return local
  }

  #carry(bytes: Buffer, from: Endpoint, to: Endpoint): void {
    if (!this.plugged || this.#random() < this.#loss) return
    const copies = this.#random() < this.#duplicates ? 2 : 1
    const [min, max] = this.#delayMs
    for (let copy = 0; copy < copies; copy++) {
      this.#clock.after(min + this.#random() * (max - min), () => this.#sockets.get(keyOf(to))?.(bytes, from))
    }
  }
}

class MemoryConnection implements TcpConnection {
  readonly local: Endpoint
  readonly remote: Endpoint
  readonly waitingBytes = 0
  readonly #later: (fire: () => void) => void
  #user: StreamUser | undefined
  #peer: MemoryConnection | undefined
  #closed = false
  #early: Buffer[] = []

  constructor(local: Endpoint, remote: Endpoint, later: (fire: () => void) => void) {
    this.local = local
    this.remote = remote
    this.#later = later
  }

  join(peer: MemoryConnection): void {
    this.#peer = peer
    this.#user?.connected?.()
    for (const bytes of this.#early.splice(0)) this.#deliver(bytes)
  }

  start(user: StreamUser): void {
    this.#user = user
  }

  write(bytes: Uint8Array, failed?: Failed): void {
    if (this.#closed) return queueMicrotask(() => failed?.(new Error('the connection is closed')))
    const copy = Buffer.from(bytes)
    if (this.#peer) this.#deliver(copy)
    else this.#early.push(copy)
  }

  destroy(): void {
    this.fail()
    const peer = this.#peer
    if (peer) this.#later(() => peer.fail())
  }

  break(): void {
    const error = new Error('connection reset')
    this.fail(error)
    this.#peer?.fail(error)
  }

  fail(error?: Error): void {
    if (this.#closed) return
    this.#closed = true
    this.#user?.closed(error)
  }

  #deliver(bytes: Buffer): void {
    const peer = this.#peer
    this.#later(() => {
      if (peer && !peer.#closed) peer.#user?.data(bytes)
    })
  }
}
