/**
 * The ports of one worker: commands of the main thread in, answers and notices out, and one clock for all.
 *
 *   main.ts  ── Command ──────────▶  here  ── Port, Recorder, sockets
 *            ◀─ Answer, Notice ────
 */
import { createHistogram } from 'node:perf_hooks'
import type { Clock, Timer } from '../../core/clock.ts'
import type { Command, FromWorker, OpenPort, Order, Request, Requests, SendDigits, TakeDigit } from '../protocol.ts'
import type { DelayBounds, PortEvents } from '../types.ts'
import { FrameClock } from './frame-clock.ts'
import { Desk } from './graph/desk.ts'
import type { MediaIo } from './io/io.ts'
import { Port } from './port.ts'
import { BlockPool } from './recording/block-pool.ts'
import { RelayPort } from './relay-port.ts'

export interface MediaWorkerOptions {
  readonly clock: Clock
  readonly io: MediaIo
  readonly post: (message: FromWorker) => void
  readonly jitter: DelayBounds
  /** CPU time of this thread since it began. */
  readonly cpuMs: () => number
  /** Called while the loop turns, each `tickMs`. */
  readonly beat: () => void
}

/** How often each port is asked whether something is due, and the thread shows that it lives. */
const roundMs = 50
/** Of many ports some at a time, so that no packet waits for all of them: so often, ms, each in its turn once in `manyRoundMs`. */
const manyPorts = 100
const manyTickMs = 10
const manyRoundMs = 100
/** A thread whose ticks are so late reads packets late too, where nothing else tells when they came, ms. */
const lateFromMs = 25
/** The host's clock may be set: how far ours may differ from it before we follow, ms. */
const clockStepMs = 50

export class MediaWorker {
  readonly #options: MediaWorkerOptions
  readonly #ports = new Map<number, Port | RelayPort>()
  readonly #blocks = new BlockPool()
  readonly #frames: FrameClock
  readonly #desk: Desk
  /** Wall time at zero of the monotonic clock: the same for all legs of a call, whenever they began. */
  #wallOffsetMs: number
  #timer: Timer
  #tickDueMs: number
  #tickedAtMs: number
  /** Whose turn is next. */
  #turn: Iterator<Port | RelayPort> | undefined
  #lateAtMs = Number.NEGATIVE_INFINITY
  /** How late ticks were, µs: measured by them, for a timer of its own would wake an idle thread more often than all else. */
  readonly #late = createHistogram()
  /** Of ports that are closed. */
  #closed = { packetsReceived: 0, packetsSent: 0 }

  constructor(options: MediaWorkerOptions) {
    this.#options = options
    this.#frames = new FrameClock(options.clock, () => options.io.flush())
    this.#desk = new Desk({
      clock: this.#frames,
      portOf: (number) => {
        const port = this.#ports.get(number)
        return port instanceof Port ? port : undefined
      },
      tell: (id, told) => options.post({ type: 'graph', id, told }),
    })
    this.#wallOffsetMs = options.clock.wallMs() - options.clock.now()
    this.#tickedAtMs = options.clock.now()
    this.#tickDueMs = this.#tickedAtMs + roundMs
    this.#timer = options.clock.after(roundMs, () => this.#tick())
    options.beat()
  }

  /** Take a command; what is asked for is answered by `post`. */
  command(command: Command): void {
    if ('port' in command) this.#ports.get(command.port)?.drain()
    if ('request' in command) {
      // A request that throws is a fault of ours: it ends the thread, and the main thread replaces it.
      void this.#answer(command).then((value) =>
        this.#options.post({ type: 'answer', request: command.request, value }),
      )
    } else this.#obey(command)
  }

  #obey(order: Order): void {
    if (order.type === 'bridge') {
      const [a, b] = [this.#ports.get(order.a), this.#ports.get(order.b)]
      a?.drain()
      b?.drain()
      if (a instanceof Port && b instanceof Port) a.bridge(b)
      if (a instanceof RelayPort && b instanceof RelayPort) a.bridge(b)
      return
    }
    if (order.type === 'copy') return this.#copy(order.port, order.of)
    if (order.type === 'graph') return this.#desk.obey(order.order)
    const port = this.#ports.get(order.port)
    if (order.type === 'describe') port?.describe(order.description)
    else if (!(port instanceof Port)) return
    else if (order.type === 'identify') port.identify(order.identity)
    else if (order.type === 'record') port.record(order.path, order.seal)
    else if (order.type === 'pause-recording') port.pauseRecording(order.on)
    else if (order.type === 'process') port.process(order.wanted)
    else port.hearTones(order.on)
  }

  #copy(by: number, of: number | undefined): void {
    const source = of === undefined ? undefined : this.#ports.get(of)
    const port = this.#ports.get(by)
    source?.drain()
    if (port instanceof Port) port.sendCopyOf(source instanceof Port ? source : undefined)
  }

  async #answer(request: Request): Promise<Requests[Request['type']]['answer']> {
    switch (request.type) {
      case 'open-port':
        return this.#open(request)
      case 'stop-recording':
        return this.#stopRecording(request.port)
      case 'send-digits':
        return this.#sendDigits(request)
      case 'take-digit':
        return this.#takeDigit(request)
      case 'port-stats':
        return this.#ports.get(request.port)?.stats()
      case 'close-port':
        return this.#close(request.port)
      case 'worker-stats':
        return this.#stats()
      default:
        return this.#shutdown()
    }
  }

  async #stopRecording(id: number) {
    const port = this.#ports.get(id)
    return port instanceof Port ? port.stopRecording() : undefined
  }

  #sendDigits({ port: id, digits, toneMs, pauseMs }: SendDigits): Promise<'sent' | 'impossible' | 'cut'> {
    const port = this.#ports.get(id)
    return new Promise((resolve) => {
      const done = (complete: boolean): void => resolve(complete ? 'sent' : 'cut')
      if (!(port instanceof Port && port.sendDigits(digits, toneMs, pauseMs, done))) resolve('impossible')
    })
  }

  #takeDigit({ port: id, digit, durationMs }: TakeDigit): Promise<boolean> {
    const port = this.#ports.get(id)
    return new Promise((resolve) => {
      if (port instanceof Port) port.takeDigit(digit, durationMs, resolve)
      else resolve(false)
    })
  }

  async #shutdown(): Promise<undefined> {
    await Promise.all(Array.from(this.#ports.keys(), (id) => this.#close(id)))
    this.#timer.cancel() // until then it is seen to live: a slow disk takes its time
  }

  async #open(ask: OpenPort): Promise<'open' | 'in-use'> {
    const port = ask.relay ? new RelayPort(this.#options.clock) : this.#audioPort(ask)
    const sockets = await this.#options.io.open(ask.bindIp, ask.rtpPort, port, ask.muxed)
    if (!sockets) return 'in-use'
    port.attach(sockets)
    this.#ports.set(ask.port, port)
    return 'open'
  }

  #audioPort(ask: OpenPort): Port {
    const { clock, post } = this.#options
    return new Port({
      cname: ask.cname,
      inactiveAfterMs: ask.inactiveAfterMs,
      recordedLater: ask.recordedLater,
      qualityEveryMs: ask.qualityEveryMs,
      clock,
      wallAt: (nowMs) => this.#wallOffsetMs + nowMs,
      blocks: this.#blocks,
      frames: this.#frames,
      jitter: this.#options.jitter,
      tell: (name, event) => {
        post({ type: 'event', port: ask.port, name, event } as FromWorker)
        if (name === 'digit') this.#desk.digit(ask.port, (event as PortEvents['digit']).digit)
      },
    })
  }

  async #close(id: number) {
    const port = this.#ports.get(id)
    if (!port) return undefined
    this.#ports.delete(id)
    this.#desk.portClosed(id)
    port.drain()
    const stats = await port.close()
    this.#closed.packetsReceived += stats.packetsReceived
    this.#closed.packetsSent += stats.packetsSent
    return stats
  }

  #stats(): Requests['worker-stats']['answer'] {
    let { packetsReceived, packetsSent } = this.#closed
    for (const port of this.#ports.values()) {
      packetsReceived += port.packetsReceived
      packetsSent += port.packetsSent
    }
    const loopDelayP99Ms = this.#late.percentile(99) / 1000
    this.#late.reset()
    const frameDelayP99Ms = this.#frames.takeLateP99Ms()
    return {
      ports: this.#ports.size,
      packetsReceived,
      packetsSent,
      cpuMs: this.#options.cpuMs(),
      loopDelayP99Ms,
      frameDelayP99Ms,
      framesSkipped: this.#frames.skipped,
      lost: this.#options.io.lost(),
    }
  }

  #tick(): void {
    const { clock } = this.#options
    const many = this.#ports.size > manyPorts
    const tickMs = many ? manyTickMs : roundMs
    this.#timer = clock.after(tickMs, () => this.#tick())
    const nowMs = clock.now()
    const turns = many ? Math.ceil((this.#ports.size * (nowMs - this.#tickedAtMs)) / manyRoundMs) : this.#ports.size
    this.#tickedAtMs = nowMs
    this.#late.record(1 + Math.round(Math.max(0, nowMs - this.#tickDueMs) * 1000)) // it counts from 1
    if (nowMs - this.#tickDueMs > lateFromMs) this.#lateAtMs = nowMs
    this.#tickDueMs = nowMs + tickMs
    const wallOffsetMs = clock.wallMs() - nowMs
    if (Math.abs(wallOffsetMs - this.#wallOffsetMs) > clockStepMs) this.#wallOffsetMs = wallOffsetMs
    const readsLate = !this.#options.io.stamps && nowMs - this.#lateAtMs <= 2 * manyRoundMs
    for (let i = Math.min(turns, this.#ports.size); i > 0; i--) this.#next()?.tick(nowMs, readsLate)
    this.#options.io.flush()
    this.#options.beat()
  }

  /** The port whose turn it is. */
  #next(): Port | RelayPort | undefined {
    const turn = this.#turn?.next()
    if (turn && !turn.done) return turn.value
    this.#turn = this.#ports.values()
    return this.#turn.next().value
  }
}
