/**
 * A call that is sent to recording servers: who is in it, and one session with a server of each list.
 *
 *   Call ── update, stop ─▶  here  ── content ─▶  ServerSession, one for each list of servers
 *                             └── srs.started, srs.ended, srs.refused, srs.failed ─▶ events/
 *
 * A server that does not take the call leaves it to the next of its list. When none did, or when one ends the session,
 * it begins again from the first after a pause, a few times. The call itself notices nothing of that.
 */
import type { CodecRules } from '../../call/codec-rules.ts'
import type { CallServices, RecordTo, SentCall, SentTrack } from '../../call/services.ts'
import { type Clock, sleep } from '../../core/clock.ts'
import type { Logger } from '../../core/logger.ts'
import type { FactOf, LegRole } from '../../events/catalogue.ts'
import type { MediaSession } from '../../media/types.ts'
import { newMetadataId, printMetadata, type SentParticipant } from './metadata.ts'
import type { RecordingServer, RecordingServers } from './servers.ts'
import { type Content, type Seat, ServerSession } from './session.ts'

export type SenderServices = Pick<CallServices, 'clock' | 'stack' | 'advertisedIp' | 'bus' | 'log'>

export interface SentCallOptions {
  readonly callId: string
  readonly media: MediaSession
  readonly tracks: readonly SentTrack[]
  readonly to: RecordTo
  readonly servers: RecordingServers
  readonly services: SenderServices
  readonly rules: CodecRules
  /** It is over. */
  readonly over: () => void
}

/** Between two rounds through a list, and how many there are. */
const roundsAfterMs = [2_000, 5_000, 15_000, 30_000] as const
/** A session that lasted so long was a good one: the rounds count anew. */
const provenMs = 60_000
/** Of who was in the call; a document names no more. */
const mostParticipants = 50

interface Member {
  readonly id: string
  readonly track: SentTrack
  readonly fromMs: number
  untilMs?: number
}

type SrsFact = FactOf<'srs.started' | 'srs.ended' | 'srs.refused' | 'srs.failed'>
type WithoutStamp<Fact> = Fact extends SrsFact ? Omit<Fact, 'callId' | 'atMs'> : never
type Told = WithoutStamp<SrsFact>

/** How one list fares. */
export interface SentTo {
  readonly servers: readonly string[]
  /** That has the call now. */
  readonly server?: string
}

export class SentCallToServers implements SentCall {
  readonly callId: string
  readonly #options: SentCallOptions
  readonly #log: Logger
  readonly #sessionId = newMetadataId()
  readonly #startedAtMs: number
  /** Each has its stream for as long as the call lasts. */
  readonly #seats: readonly { readonly role: LegRole; readonly label: string; readonly streamId: string }[]
  #tracks: readonly SentTrack[] = []
  readonly #members: Member[] = []
  readonly #chains: Chain[]
  #paused = false
  readonly #done: Promise<void>

  constructor(options: SentCallOptions) {
    const { callId, services, tracks, to } = options
    this.callId = callId
    this.#options = options
    this.#log = services.log.child({ callId })
    this.#startedAtMs = services.clock.wallMs()
    this.#seats = (['caller', 'callee'] as const).map((role, index) => ({
      role,
      label: String(index + 1),
      streamId: newMetadataId(),
    }))
    this.#sit(tracks)
    const content: Content = {
      seats: () => this.#taken(),
      paused: () => this.#paused,
      metadata: () => this.#metadata(),
    }
    this.#chains = to.map((names) => new Chain(names.split('|'), content, options, this.#log))
    this.#done = Promise.all(this.#chains.map((chain) => chain.run())).then(options.over)
  }

  get paused(): boolean {
    return this.#paused
  }

  /** How it fares, a line for each list. */
  status(): readonly SentTo[] {
    return this.#chains.map(({ names, server }) => ({ servers: names, ...(server !== undefined && { server }) }))
  }

  update(tracks: readonly SentTrack[]): void {
    this.#sit(tracks)
    for (const chain of this.#chains) chain.update()
  }

  /** Nothing of it leaves from now on, or it goes on. */
  pause(on: boolean): void {
    if (on === this.#paused) return
    this.#paused = on
    const { services } = this.#options
    const stamp = { callId: this.callId, atMs: services.clock.wallMs() }
    services.bus.publish({ name: on ? 'srs.paused' : 'srs.resumed', ...stamp })
    for (const chain of this.#chains) chain.update()
  }

  async stop(): Promise<void> {
    await Promise.all(this.#chains.map((chain) => chain.stop()))
    await this.#done
  }

  #sit(tracks: readonly SentTrack[]): void {
    const nowMs = this.#options.services.clock.wallMs()
    const legs = new Set(tracks.map(({ legId }) => legId))
    for (const member of this.#members) if (!legs.has(member.track.legId)) member.untilMs ??= nowMs
    const present = new Set(
      this.#members.filter(({ untilMs }) => untilMs === undefined).map(({ track }) => track.legId),
    )
    for (const track of tracks)
      if (!present.has(track.legId)) this.#members.push({ id: newMetadataId(), track, fromMs: nowMs })
    this.#members.splice(0, Math.max(0, this.#members.length - mostParticipants))
    this.#tracks = tracks
  }

  #taken(): readonly Seat[] {
    return this.#seats.map(({ role, label }) => ({ label, track: this.#tracks.find((track) => track.role === role) }))
  }

  #metadata(): string {
    return printMetadata({
      sessionId: this.#sessionId,
      startedAtMs: this.#startedAtMs,
      streams: this.#seats.map(({ label, streamId }) => ({ id: streamId, label })),
      participants: this.#members.map((member) => this.#participant(member)),
    })
  }

  #participant({ id, track, fromMs, untilMs }: Member): SentParticipant {
    const there = untilMs === undefined
    const { sends, hears } = track.flow()
    const own = this.#seats.filter(({ role }) => role === track.role)
    const others = this.#seats.filter(
      ({ role }) => role !== track.role && this.#tracks.some((other) => other.role === role && other.flow().sends),
    )
    return {
      id,
      party: track.party,
      fromMs,
      ...(!there && { untilMs }),
      sends: there && sends ? own.map(({ streamId }) => streamId) : [],
      hears: there && hears ? others.map(({ streamId }) => streamId) : [],
    }
  }
}

/** One list of servers, and the session with the one that has the call. */
class Chain {
  readonly names: readonly string[]
  readonly #content: Content
  readonly #options: SentCallOptions
  readonly #clock: Clock
  readonly #log: Logger
  readonly #stopping = new AbortController()
  #session: ServerSession | undefined
  server: string | undefined

  constructor(names: readonly string[], content: Content, options: SentCallOptions, log: Logger) {
    this.names = names
    this.#content = content
    this.#options = options
    this.#clock = options.services.clock
    this.#log = log
  }

  update(): void {
    this.#session?.update()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#session?.close()
  }

  /** Until the call is over, or no server wants it. Never rejects. */
  async run(): Promise<void> {
    const { signal } = this.#stopping
    let why = 'no server of this name is known'
    const { servers } = this.#options
    for (let round = 0; round <= roundsAfterMs.length && !signal.aborted; round++) {
      if (servers.inOrder(this.names).length === 0) break
      for (const server of servers.inOrder(this.names)) {
        const beganMs = this.#clock.now()
        const held = await this.#with(server)
        if (signal.aborted) return
        why = held.why
        if (!held.began) continue
        if (this.#clock.now() - beganMs >= provenMs) round = 0
        break
      }
      const pauseMs = roundsAfterMs[round]
      if (pauseMs !== undefined) await sleep(this.#clock, pauseMs, signal).catch(() => undefined)
    }
    if (signal.aborted) return
    this.#log.error('A call is sent to no recording server any more', { servers: this.names, why })
    this.#tell({ name: 'srs.failed', servers: this.names, text: why })
  }

  /** A session with this server, from its beginning to its end. */
  async #with(server: RecordingServer): Promise<{ readonly began: boolean; readonly why: string }> {
    const { services, rules, media, servers } = this.#options
    const session = new ServerSession({ server, content: this.#content, services, rules, media, log: this.#log })
    this.#session = session
    const started = await session.start()
    if (!started.ok) {
      this.#session = undefined
      if (this.#stopping.signal.aborted) return { began: false, why: started.why }
      if (started.unserved) servers.served(server.name, started.why)
      this.#log.warn('A recording server did not take a call', { server: server.name, why: started.why })
      this.#tell({ name: 'srs.refused', server: server.name, text: started.why })
      return { began: false, why: started.why }
    }
    servers.served(server.name)
    this.server = server.name
    this.#tell({ name: 'srs.started', server: server.name, sipCallId: started.sipCallId })
    const how = await session.ended
    this.#session = undefined
    this.server = undefined
    const reason = this.#stopping.signal.aborted ? 'stopped' : how
    this.#tell({ name: 'srs.ended', server: server.name, reason })
    return { began: true, why: `it ended the session: ${reason}` }
  }

  #tell(fact: Told): void {
    const { services, callId } = this.#options
    services.bus.publish({ ...fact, callId, atMs: services.clock.wallMs() })
  }
}
