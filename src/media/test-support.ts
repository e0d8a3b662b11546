/** Stands in for the media plane in tests: what its users want is kept, what it would tell is told by the test. */
import { Emitter } from '../core/emitter.ts'
import type { VoiceProcessing } from '../core/voice-processing.ts'
import type { Seal } from '../sealing/container/sealer.ts'
import { MediaError, type MediaFailure } from './failures.ts'
import { GraphLink, type Told } from './graph/graph-link.ts'
import { PortSoundHandle } from './graph/port-sound.ts'
import type { GraphOrder } from './graph/protocol.ts'
import { MixerHandle, SupervisionHandle } from './graph/rooms.ts'
import {
  type DigitTiming,
  type MediaPlane,
  type MediaPort,
  type MediaSession,
  noPackets,
  type OpenPortOptions,
  type PortDescription,
  type PortEvents,
  type PortPoolStats,
  type PortStats,
  type RecordedFile,
  type SessionEvents,
  type StreamQuality,
} from './types.ts'

/** As if one packet had come. */
const stats: PortStats = { ...noPackets, packetsReceived: 1, bytesReceived: 1 }

/** A stream that nothing is wrong with. */
export const goodQuality: StreamQuality = {
  mos: 4.38,
  rating: 92,
  scale: 'narrowband',
  lossShare: 0,
  discardShare: 0,
  burstRatio: 1,
  bursts: 0,
  burstDensity: 0,
  burstMs: 0,
  gapDensity: 0,
  gapMs: 0,
  jitterMs: 1,
  bufferMs: 40,
  delayMs: 60,
  verdicts: [],
}

/** Keeps what it was told; records nothing. */
export class FakePort extends Emitter<PortEvents> implements MediaPort {
  readonly id: string
  readonly address: MediaPort['address']
  readonly fingerprint = { hash: 'sha-256', value: 'AB:CD' }
  readonly options: OpenPortOptions
  readonly descriptions: PortDescription[] = []
  processed: VoiceProcessing | undefined
  hearsTones = false
  /** With the length of each, ms. */
  readonly digitsSent: string[] = []
  /** Why it sends none. */
  sendsNoDigits: MediaFailure | undefined
  /** Those that come by signalling come as events too. */
  hearsTwice = false
  recording: string | undefined
  seal: Seal | undefined
  recordingPaused = false
  /** What is wanted of the graph. A test tells how it went by `things`. */
  readonly orders: GraphOrder[] = []
  readonly things = new Map<number, Told>()
  readonly graph = new GraphLink((order) => this.orders.push(order), this.things)
  readonly sound: PortSoundHandle
  closed = false
  idleMs: number | undefined

  constructor(rtpPort: number, options: OpenPortOptions = {}) {
    super()
    this.options = options
    this.id = `port-${rtpPort}`
    this.sound = new PortSoundHandle(this.graph, rtpPort)
    this.address = { ip: '192.0.2.1', rtpPort, rtcpPort: rtpPort + 1 }
  }

  describe(description: PortDescription): void {
    this.descriptions.push(description)
  }

  process(wanted: VoiceProcessing): void {
    this.processed = wanted
  }

  record(path: string, seal?: Seal): void {
    this.recording = path
    this.seal = seal
  }

  pauseRecording(on: boolean): void {
    this.recordingPaused = on
  }

  stopRecording(): Promise<RecordedFile | undefined> {
    return Promise.resolve(undefined)
  }

  hearTones(on: boolean): void {
    this.hearsTones = on
  }

  takeDigit(digit: string, durationMs: number): Promise<boolean> {
    if (!this.hearsTwice) this.emit('digit', { digit, durationMs })
    return Promise.resolve(!this.hearsTwice)
  }

  sendDigits(digits: string, { toneMs = 100 }: DigitTiming = {}): Promise<void> {
    if (this.sendsNoDigits) return Promise.reject(new MediaError(this.sendsNoDigits))
    this.digitsSent.push(`${digits} ${toneMs}`)
    return Promise.resolve()
  }

  stats(): Promise<PortStats> {
    return Promise.resolve(this.idleMs === undefined ? stats : { ...stats, idleMs: this.idleMs })
  }

  close(): Promise<PortStats> {
    this.closed = true
    return Promise.resolve(stats)
  }
}

const numberOf = (port: MediaPort): number => port.address.rtpPort

/** A media plane without sockets: its ports are those of all sessions, in the order they were opened. */
export class FakeMedia implements MediaPlane {
  readonly io = 'dgram'
  readonly ports: FakePort[] = []
  /** What is wanted of the graphs of sessions. */
  readonly orders: GraphOrder[] = []
  /** Which port sends what another receives, as it was ordered. */
  readonly copies: string[] = []
  /** Ports that can be open; more are refused. */
  limit = Number.POSITIVE_INFINITY
  readonly #lost = new Emitter<SessionEvents>()

  portStats(): PortPoolStats {
    const inUse = this.ports.filter(({ closed }) => !closed).length
    return { pairs: inUse, inUse, free: 0, resting: 0, takenEarly: 0, exhausted: 0 }
  }

  openSession(id: string): MediaSession {
    const own: FakePort[] = []
    const graph = new GraphLink((order) => this.orders.push(order), new Map())
    return {
      id,
      on: (name, listener) => this.#lost.on(name, listener),
      openPort: (options) => {
        if (this.ports.length >= this.limit) return Promise.reject(new Error('no port'))
        const port = new FakePort(20_000 + this.ports.length * 2, options)
        this.ports.push(port)
        own.push(port)
        return Promise.resolve(port)
      },
      bridge: () => undefined,
      copy: (of, by) => this.copies.push(`${of?.id ?? 'nothing'} by ${by.id}`),
      openMixer: (wishes) => new MixerHandle(graph, wishes, numberOf),
      supervise: (listener, parties) => new SupervisionHandle(graph, listener, parties, numberOf),
      together: (work) => work(),
      async close() {
        for (const port of own) await port.close()
      },
    }
  }

  loseWorker(): void {
    this.#lost.emit('lost', { worker: 0 })
  }

  workers(): [] {
    return []
  }

  stats(): Promise<[]> {
    return Promise.resolve([])
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}
