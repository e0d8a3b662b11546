/**
 * One connection that carries SIP (TCP, TLS, WebSocket): frames what comes, answers pings, closes what is slow or idle.
 *
 *   socket  ── chunks ─▶  here  ── whole messages ─▶  transport
 *
 * A connection that never brings a whole message is closed after `firstMessageMs`; a message begun must be whole within
 * `messageMs` (slow senders, RFC 3261 §26.1.5); a silent connection lives `idleMs`.
 */
import type { Clock, Timer } from '../../core/clock.ts'
import { randomHex } from '../../core/random.ts'
import type { ClientCertificate, Failed, TcpConnection } from '../../net/network.ts'
import type { Address, TransportName } from '../stack.types.ts'
import type { WireFlow } from './flow.ts'
import { type Cutter, type FramingProblem, inStream, wholeMessages } from './framer.ts'

export interface ConnectionLimits {
  /** A new connection must bring its first whole message within this time. */
  readonly firstMessageMs: number
  /** From the first byte of a message to its last. */
  readonly messageMs: number
  /** Without a message or a ping. Registered phones hold theirs open for the life of a registration. */
  readonly idleMs: number
  /** Bytes a peer may leave unread before it is given up. */
  readonly unsentBytes: number
}

export interface TcpFlowOptions {
  readonly connection: TcpConnection
  readonly transport: TransportName
  /** True when the peer connected to us: it has to prove itself by a message. */
  readonly accepted: boolean
  readonly clock: Clock
  readonly limits: ConnectionLimits
}

export interface TcpFlowUser {
  message(bytes: Buffer, flow: TcpFlow): void
  unframed(problem: FramingProblem, head: Buffer | undefined, flow: TcpFlow): void
  closed(flow: TcpFlow): void
}

const ping = Buffer.from('\r\n\r\n')
const pong = Buffer.from('\r\n')
const isPongs = (chunk: Buffer, most: number): boolean =>
  chunk.length <= most * pong.length && chunk.equals(Buffer.alloc(chunk.length, pong))

export class TcpFlow implements WireFlow {
  readonly transport: TransportName
  readonly reliable = true
  readonly id: string
  readonly remote: Address
  /** The peer connected to us. */
  readonly accepted: boolean
  readonly #connection: TcpConnection
  readonly #clock: Clock
  readonly #limits: ConnectionLimits
  readonly #user: TcpFlowUser
  readonly #framer: Cutter
  readonly #listeners = new Set<() => void>()
  #open = true
  #watch: Timer | undefined
  readonly #openedMs: number
  #lastHeardMs: number
  #unfinishedSinceMs: number | undefined
  #proven: boolean
  /** Those who wait for a sign of life: several registrations may share a connection. */
  #pinged: (() => void)[] = []

  constructor({ connection, transport, accepted, clock, limits }: TcpFlowOptions, user: TcpFlowUser) {
    this.transport = transport
    this.#connection = connection
    this.#clock = clock
    this.#limits = limits
    this.#user = user
    this.accepted = accepted
    this.#proven = !accepted
    this.remote = connection.remote
    this.id = `${transport} ${connection.remote.ip} ${connection.remote.port} ${randomHex(4)}`
    this.#openedMs = clock.now()
    this.#lastHeardMs = this.#openedMs
    const cut = transport === 'ws' || transport === 'wss' ? wholeMessages : inStream
    this.#framer = cut({
      message: (bytes) => {
        this.#proven = true
        this.#unfinishedSinceMs = undefined
        if (this.#open) user.message(bytes, this)
      },
      ping: () => this.send(pong),
      failed: (problem, head) => {
        user.unframed(problem, head, this)
        this.close()
      },
    })
    connection.start({ data: (chunk) => this.#data(chunk), closed: () => this.#closed() })
    this.#watchAgain()
  }

  get local(): Address {
    return this.#connection.local
  }

  get certificate(): ClientCertificate | undefined {
    return this.#connection.certificate
  }

  get open(): boolean {
    return this.#open
  }

  send(bytes: Uint8Array, failed?: Failed): void {
    if (!this.#open) return queueMicrotask(() => failed?.(new Error('the connection is closed')))
    this.#connection.write(bytes, failed)
    if (this.#connection.waitingBytes > this.#limits.unsentBytes) queueMicrotask(() => this.close())
  }

  onClose(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** CRLF CRLF; `alive` hears of the next thing that comes, a pong or whatever it is (RFC 5626 §4.4.1). */
  ping(alive?: () => void): void {
    if (alive) this.#pinged.push(alive)
    this.send(ping)
  }

  close(): void {
    this.#connection.destroy()
    this.#closed()
  }

  #data(chunk: Buffer): void {
    if (!this.#open) return
    this.#lastHeardMs = this.#clock.now()
    const pinged = this.#pinged
    this.#pinged = []
    for (const alive of pinged) alive()
    // Kept from the framer, to which two pongs would be a ping.
    if (pinged.length > 0 && isPongs(chunk, pinged.length) && !this.#framer.unfinished) return
    this.#framer.push(chunk)
    if (!this.#framer.unfinished) this.#unfinishedSinceMs = undefined
    else this.#unfinishedSinceMs ??= this.#lastHeardMs
  }

  #watchAgain(): void {
    const { firstMessageMs, messageMs, idleMs } = this.#limits
    const lookEveryMs = Math.min(firstMessageMs, messageMs, idleMs)
    this.#watch = this.#clock.after(lookEveryMs, () => {
      const nowMs = this.#clock.now()
      const slow = this.#unfinishedSinceMs !== undefined && nowMs - this.#unfinishedSinceMs >= messageMs
      const idle = nowMs - this.#lastHeardMs >= idleMs
      const mute = !this.#proven && nowMs - this.#openedMs >= firstMessageMs
      if (slow || idle || mute) this.close()
      else this.#watchAgain()
    })
  }

  #closed(): void {
    if (!this.#open) return
    this.#open = false
    this.#watch?.cancel()
    this.#user.closed(this)
    for (const listener of Array.from(this.#listeners)) listener()
    this.#listeners.clear()
  }
}
