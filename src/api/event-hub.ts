/**
 * Facts to everybody who listens on `/api/events`.
 *
 *   FactBus ── fact ──▶ here ── one JSON text for all ──▶ sockets
 *
 * A fact is printed once, whoever listens. A reader that does not keep up is dropped when too much waits for it: it
 * reads the lists anew and loses nothing. Every `pingMs` each reader must answer, and its right to listen is asked
 * again.
 */
import type { WebSocket } from 'ws'
import type { Clock, Timer } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { FactBus } from '../events/bus.ts'
import type { Fact } from '../events/catalogue.ts'
import type { Identity } from './access.ts'
import { eventsCloseCodes, type FactKind, subscribeSchema } from './schemas/events.ts'

/** Some seconds of a busy server's facts. */
const maxWaitingBytes = 1_048_576
const pingMs = 30_000
const maxReaders = 500
/** How long a reader may take to answer the server's goodbye: the stop waits for it. */
const goodbyeMs = 1_000
/** RFC 6455 §7.4.1: try again later (registered with IANA). */
const tryLater = 1013

/** What a reader's socket has to be able to do; `ws` has it. */
export type Socket = Pick<WebSocket, 'bufferedAmount' | 'close' | 'on' | 'ping' | 'send' | 'terminate'>

/** `call` of `call.started`: a new family of facts wants its place in `factKinds`. */
type KindOf<Name extends string> = Name extends `${infer Kind}.${string}` ? Kind : never

interface Reader {
  readonly socket: Socket
  readonly identity: Identity
  /** Undefined: all. */
  kinds: ReadonlySet<FactKind> | undefined
  answered: boolean
}

export interface EventHubOptions {
  readonly bus: FactBus
  readonly clock: Clock
  readonly log: Logger
}

export class EventHub {
  readonly #clock: Clock
  readonly #log: Logger
  readonly #readers = new Set<Reader>()
  readonly #stopListening: () => void
  #pings: Timer | undefined

  constructor({ bus, clock, log }: EventHubOptions) {
    this.#clock = clock
    this.#log = log
    this.#stopListening = bus.onAny((fact) => this.#tell(fact))
  }

  get size(): number {
    return this.#readers.size
  }

  add(socket: Socket, identity: Identity, kinds: readonly FactKind[] | undefined): void {
    if (this.#readers.size >= maxReaders) return socket.close(tryLater, 'too many readers')
    const reader: Reader = { socket, identity, kinds: kinds && new Set(kinds), answered: true }
    this.#readers.add(reader)
    this.#pings ??= this.#nextPing()
    socket.on('pong', () => {
      reader.answered = true
    })
    socket.on('message', (data: Buffer) => this.#subscribe(reader, data))
    socket.on('close', () => this.#readers.delete(reader))
    socket.on('error', () => this.#readers.delete(reader))
  }

  /** The server stops. Twice is fine. */
  close(): void {
    this.#stopListening()
    this.#pings?.cancel()
    for (const { socket } of this.#readers) {
      socket.close(eventsCloseCodes.goingAway, 'the server stops')
      this.#clock.after(goodbyeMs, () => socket.terminate())
    }
    this.#readers.clear()
  }

  #tell(fact: Fact): void {
    if (fact.name === 'call.traced' || this.#readers.size === 0) return
    const kind = fact.name.slice(0, fact.name.indexOf('.')) as KindOf<Fact['name']>
    let text: string | undefined
    for (const reader of this.#readers) {
      if (reader.kinds && !reader.kinds.has(kind)) continue
      if (reader.socket.bufferedAmount > maxWaitingBytes) {
        this.#drop(reader, eventsCloseCodes.tooSlow, 'too slow')
        continue
      }
      text ??= JSON.stringify(fact)
      reader.socket.send(text)
    }
  }

  #subscribe(reader: Reader, data: Buffer): void {
    const message = subscribeSchema.safeParse(parseJson(data))
    if (message.success) reader.kinds = new Set(message.data.kinds)
    else this.#drop(reader, eventsCloseCodes.badMessage, 'send {"type":"subscribe","kinds":[…]}')
  }

  /** The close goes behind what waits already; a reader that never takes it is cut off at the next ping. */
  #drop(reader: Reader, code: number, why: string): void {
    this.#readers.delete(reader)
    this.#log.info('An events reader was dropped', { code, why })
    reader.socket.close(code, why)
    this.#clock.after(pingMs, () => reader.socket.terminate())
  }

  #nextPing(): Timer {
    return this.#clock.after(pingMs, () => {
      this.#pings = this.#readers.size > 0 ? this.#nextPing() : undefined
      for (const reader of this.#readers) void this.#ping(reader)
    })
  }

  async #ping(reader: Reader): Promise<void> {
    if (!reader.answered) {
      this.#readers.delete(reader)
      return reader.socket.terminate()
    }
    reader.answered = false
    reader.socket.ping()
    const holds = await reader.identity.holds().catch(() => true)
    if (!holds) this.#drop(reader, eventsCloseCodes.signedOut, 'signed out')
  }
}

function parseJson(data: Buffer): unknown {
  try {
    return JSON.parse(data.toString('utf8'))
  } catch {
    return undefined
  }
}
