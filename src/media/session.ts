/**
 * The media of one call on the main thread: handles whose wishes become messages to the call's worker.
 *
 *   call/  ── MediaSession, MediaPort ─▶  here  ── link.ts ─▶  worker
 */
import type { Fingerprint } from '../core/dtls.ts'
import { Emitter } from '../core/emitter.ts'
import { newId } from '../core/random.ts'
import type { VoiceProcessing } from '../core/voice-processing.ts'
import { type DtlsIdentity, fingerprintOf } from '../dtls/identity.ts'
import type { Seal } from '../sealing/container/sealer.ts'
import { MediaError } from './failures.ts'
import { GraphLink, type Told } from './graph/graph-link.ts'
import { PortSoundHandle } from './graph/port-sound.ts'
import { MixerHandle, SupervisionHandle } from './graph/rooms.ts'
import type { Mixer, MixerWishes, PortSound, Supervision } from './graph/types.ts'
import type { WorkerLink } from './link.ts'
import type { PortPool } from './port-pool.ts'
import {
  type DigitTiming,
  type MediaAddress,
  type MediaPlaneSettings,
  type MediaPort,
  type MediaSession,
  noPackets,
  type OpenPortOptions,
  type PortDescription,
  type PortEvents,
  type PortStats,
  type RecordedFile,
  type SessionEvents,
} from './types.ts'

/** What sessions share: the plane. */
export interface SessionOwner {
  readonly settings: MediaPlaneSettings
  readonly pool: PortPool
  readonly ports: Map<number, Port>
  /** Who hears of things in the graphs of workers, by their number. */
  readonly things: Map<number, Told>
  forget(session: Session): void
  newIdentity(): DtlsIdentity
}

/** How often a pair that somebody else on this host uses is put back and another one tried. */
const maxTries = 50

/** Length of a digit and of the pause after it. */
const usualDigitMs = 100

let nextPortNumber = 1

export class Session implements MediaSession {
  readonly id: string
  readonly #link: WorkerLink
  readonly #owner: SessionOwner
  readonly #ports = new Set<Port>()
  readonly #graph: GraphLink
  readonly #events = new Emitter<SessionEvents>()
  /** One canonical name for all ports of a call (RFC 7022: random, tells nothing). */
  readonly #cname = newId()
  #state: 'open' | 'closed' | 'lost' = 'open'

  constructor(id: string, link: WorkerLink, owner: SessionOwner) {
    this.id = id
    this.#link = link
    this.#owner = owner
    this.#graph = new GraphLink((order, transfer) => link.order({ type: 'graph', order }, transfer), owner.things)
  }

  on<Name extends keyof SessionEvents>(name: Name, listener: (event: SessionEvents[Name]) => void): () => void {
    return this.#events.on(name, listener)
  }

  async openPort(options: OpenPortOptions = {}): Promise<MediaPort> {
    const { settings, pool, ports } = this.#owner
    const wanted = options.rtpPort
    const take = () => (wanted === undefined ? pool.take() : pool.takeThis(wanted) ? wanted : undefined)
    for (let tries = 0; tries < (wanted === undefined ? maxTries : 1); tries++) {
      this.#mustBeOpen()
      const rtpPort = take()
      if (rtpPort === undefined) break
      const port = nextPortNumber++
      const { inactiveAfterMs = 0, recordedLater = false, relay = false, muxed = false, callId } = options
      const { bindIp, qualityEveryMs = 0 } = settings
      const cname = this.#cname
      const ask = { port, bindIp, rtpPort, cname, inactiveAfterMs, recordedLater, qualityEveryMs, relay, muxed }
      const answer = await this.#link.ask('open-port', ask).catch((error: unknown) => {
        pool.giveBack(rtpPort)
        throw error
      })
      if (answer === 'open') {
        this.#link.ports++
        const sound = new PortSoundHandle(this.#graph, port)
        const address = { ip: settings.bindIp, rtpPort, rtcpPort: rtpPort + 1 }
        const handle = new Port(
          port,
          { address, newIdentity: () => this.#owner.newIdentity(), sound, link: this.#link, callId },
          () => {
            pool.giveBack(rtpPort)
            ports.delete(port)
            this.#ports.delete(handle)
            this.#link.ports--
          },
        )
        this.#ports.add(handle)
        ports.set(port, handle)
        if (settings.voice && !relay) handle.process(settings.voice)
        if (this.#state === 'open') return handle
        await handle.close() // the session was closed while the worker bound the sockets
      } else pool.giveBack(rtpPort)
    }
    throw new MediaError('media.no-port')
  }

  /** Of the calls whose media these are. */
  callIds(): readonly string[] {
    const ofPorts = new Set(Array.from(this.#ports, ({ callId }) => callId ?? this.id))
    return ofPorts.size > 0 ? [...ofPorts] : [this.id]
  }

  #mustBeOpen(): void {
    if (this.#state === 'closed') throw new MediaError('media.closed')
    if (this.#state === 'lost') throw new MediaError('media.worker-lost')
  }

  bridge(a: MediaPort, b: MediaPort): void {
    if (!(a instanceof Port && b instanceof Port)) throw new MediaError('media.other-session')
    if (a.closed || b.closed) return
    if (!(this.#ports.has(a) && this.#ports.has(b))) throw new MediaError('media.other-session')
    this.#link.order({ type: 'bridge', a: a.number, b: b.number })
  }

  copy(of: MediaPort | undefined, by: MediaPort): void {
    const [from, to] = [of && this.#numberOf(of), this.#numberOf(by)]
    this.#link.order({ type: 'copy', port: to, ...(from !== undefined && { of: from }) })
  }

  openMixer(wishes: MixerWishes): Mixer {
    this.#mustBeOpen()
    return new MixerHandle(this.#graph, wishes, this.#numberOf)
  }

  supervise(listener: MediaPort, parties: readonly MediaPort[]): Supervision {
    return new SupervisionHandle(this.#graph, listener, parties, this.#numberOf)
  }

  readonly #numberOf = (port: MediaPort): number => {
    if (!(port instanceof Port && (this.#ports.has(port) || port.closed))) throw new MediaError('media.other-session')
    return port.number
  }

  together<Result>(work: () => Result): Result {
    return this.#link.together(work)
  }

  async close(): Promise<void> {
    if (this.#state !== 'lost') this.#state = 'closed'
    await Promise.all(Array.from(this.#ports, (port) => port.close()))
    this.#graph.close()
    this.#owner.forget(this)
  }

  /** The worker is gone, and the sockets with it. */
  lose(worker: number): void {
    if (this.#state === 'lost') return
    this.#state = 'lost'
    for (const port of this.#ports) port.lose()
    this.#graph.lose()
    this.#events.emit('lost', { worker })
  }
}

interface PortPlace {
  readonly address: MediaAddress
  readonly newIdentity: () => DtlsIdentity
  readonly sound: PortSound
  readonly link: WorkerLink
  readonly callId: string | undefined
}

export class Port implements MediaPort {
  readonly number: number
  readonly callId: string | undefined
  readonly address: MediaAddress
  readonly sound: PortSound
  readonly #newIdentity: () => DtlsIdentity
  readonly #link: WorkerLink
  readonly #gone: () => void
  readonly #events = new Emitter<PortEvents>()
  #fingerprint: Fingerprint | undefined
  #recording = false
  /** The worker died while this was recorded: the file ends at its last written half second. */
  #cutOff = false
  #lastStats = noPackets
  #closing: Promise<PortStats> | undefined

  /** @param gone Told once, when the sockets are closed. */
  constructor(number: number, { address, newIdentity, sound, link, callId }: PortPlace, gone: () => void) {
    this.number = number
    this.callId = callId
    this.address = address
    this.#newIdentity = newIdentity
    this.sound = sound
    this.#link = link
    this.#gone = gone
  }

  get id(): string {
    return String(this.number)
  }

  get fingerprint(): Fingerprint {
    this.#fingerprint ??= this.#identify()
    return this.#fingerprint
  }

  #identify(): Fingerprint {
    const identity = this.#newIdentity()
    if (!this.closed) this.#link.order({ type: 'identify', port: this.number, identity })
    return fingerprintOf(identity.certificate)
  }

  get closed(): boolean {
    return this.#closing !== undefined
  }

  on<Name extends keyof PortEvents>(name: Name, listener: (event: PortEvents[Name]) => void): () => void {
    return this.#events.on(name, listener)
  }

  emit<Name extends keyof PortEvents>(name: Name, event: PortEvents[Name]): void {
    this.#events.emit(name, event)
  }

  describe(description: PortDescription): void {
    if (!this.closed) this.#link.order({ type: 'describe', port: this.number, description })
  }

  process(wanted: VoiceProcessing): void {
    if (!this.closed) this.#link.order({ type: 'process', port: this.number, wanted })
  }

  record(path: string, seal?: Seal): void {
    if (this.closed) throw new MediaError('media.closed')
    if (this.#recording) throw new MediaError('media.already-recording')
    this.#recording = true
    this.#link.order({ type: 'record', port: this.number, path, ...(seal && { seal }) })
  }

  pauseRecording(on: boolean): void {
    if (!this.closed) this.#link.order({ type: 'pause-recording', port: this.number, on })
  }

  async stopRecording(): Promise<RecordedFile | undefined> {
    if (this.#cutOff) throw new MediaError('media.worker-lost')
    if (!this.#recording || this.closed) return undefined
    this.#recording = false
    return this.#link.ask('stop-recording', { port: this.number })
  }

  hearTones(on: boolean): void {
    if (!this.closed) this.#link.order({ type: 'hear-tones', port: this.number, on })
  }

  async sendDigits(digits: string, { toneMs = usualDigitMs, pauseMs = usualDigitMs }: DigitTiming = {}): Promise<void> {
    if (!/^[0-9*#A-D]{1,64}$/i.test(digits)) throw new RangeError('no digits')
    for (const ms of [toneMs, pauseMs])
      if (!(ms >= 40 && ms <= 8000)) throw new RangeError(`no length of a digit: ${ms}`)
    if (this.closed) throw new MediaError('media.closed')
    const answer = await this.#link.ask('send-digits', { port: this.number, digits, toneMs, pauseMs })
    if (answer === 'impossible') throw new MediaError('media.no-digits')
    if (answer === 'cut') throw new MediaError('media.closed')
  }

  async takeDigit(digit: string, durationMs: number): Promise<boolean> {
    return !this.closed && this.#link.ask('take-digit', { port: this.number, digit, durationMs })
  }

  async stats(): Promise<PortStats> {
    return this.closed ? this.#lastStats : this.#askStats('port-stats')
  }

  /** What the port says, or what it said last when its worker died. */
  async #askStats(request: 'port-stats' | 'close-port'): Promise<PortStats> {
    try {
      this.#lastStats = (await this.#link.ask(request, { port: this.number })) ?? this.#lastStats
    } catch (error) {
      if (!(error instanceof MediaError)) throw error
    }
    return this.#lastStats
  }

  close(): Promise<PortStats> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<PortStats> {
    const stats = await this.#askStats('close-port')
    this.#gone()
    return stats
  }

  /** The sockets are gone. */
  lose(): void {
    if (this.closed) return
    this.#cutOff = this.#recording
    this.#closing = Promise.resolve(this.#lastStats)
    this.#gone()
  }
}
