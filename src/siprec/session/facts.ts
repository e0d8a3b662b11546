/** What one session tells the rest of the server: facts of its legs and people, and how it stands for the console. */
import { mediaSummary, remoteOf } from '../../call/leg.ts'
import type { LiveCallSnapshot } from '../../call/live-calls.ts'
import type { FactName, FactOf } from '../../events/catalogue.ts'
import type { PortStats } from '../../media/types.ts'
import type { Flow } from '../../sip/stack.types.ts'
import type { MetadataDocument } from '../metadata/model.ts'
import { codecOf } from '../offer.ts'
import type { Stream } from '../streams.ts'
import type { Recorded } from './recorded.ts'
import type { SiprecServices } from './types.ts'

export interface SessionFactsOptions {
  readonly callId: string
  readonly sipCallId: string
  readonly flow: Flow
  readonly services: Pick<SiprecServices, 'bus' | 'clock'>
  readonly recorded: Recorded
}

export class SessionFacts {
  readonly #options: SessionFactsOptions

  constructor(options: SessionFactsOptions) {
    this.#options = options
  }

  tell<Name extends FactName>(name: Name, facts: Omit<FactOf<Name>, 'name' | 'atMs' | 'callId'>): void {
    const { callId, services } = this.#options
    const fact = { name, atMs: services.clock.wallMs(), callId, ...facts }
    services.bus.publish(fact as unknown as FactOf<Name>)
  }

  started(): void {
    const { from, to } = this.#options.recorded
    this.tell('call.started', { kind: 'siprec', from, to })
  }

  legStarted({ legId, offered: { label } }: Stream): void {
    const { sipCallId, flow, recorded } = this.#options
    this.tell('leg.started', {
      legId,
      role: 'stream',
      party: recorded.partyOn(legId),
      sipCallId,
      transport: flow.transport,
      remote: remoteOf(flow),
      ...(label !== undefined && { label }),
    })
  }

  legAnswered({ legId, offered }: Stream): void {
    const codec = codecOf(offered)
    this.tell('leg.answered', { legId, ...(codec !== undefined && { codec }) })
  }

  legEnded({ legId, quality }: Stream, stats: PortStats | undefined): void {
    this.tell('leg.ended', { legId, ...(stats && { media: mediaSummary(stats, quality) }) })
  }

  /** @param document None: only headers of the INVITE told something. */
  metadata(document: MetadataDocument | undefined): void {
    const { who, sessions, vendor } = this.#options.recorded
    this.tell('siprec.metadata-updated', {
      participants: who.now,
      raw: document?.raw ?? '',
      problems: document?.problems ?? [],
      sessions,
      ...(vendor && { vendor }),
    })
  }

  snapshot(
    streams: readonly Stream[],
    { startedAtMs, answeredAtMs }: Pick<LiveCallSnapshot, 'startedAtMs' | 'answeredAtMs'>,
  ): LiveCallSnapshot {
    const { callId, sipCallId, flow, recorded } = this.#options
    const { from, to, active } = recorded
    return {
      id: callId,
      kind: 'siprec',
      from,
      to,
      startedAtMs,
      ...(answeredAtMs !== undefined && { answeredAtMs }),
      recording: active !== undefined,
      legs: streams.map(({ legId, offered, quality, encryption }) => ({
        id: legId,
        role: 'stream',
        party: recorded.partyOn(legId),
        state: answeredAtMs === undefined ? 'calling' : 'answered',
        sipCallId,
        transport: flow.transport,
        remote: remoteOf(flow),
        codec: codecOf(offered),
        encryption: encryption.now?.encryption,
        suite: encryption.now?.suite,
        label: offered.label,
        quality: quality.last,
      })),
    }
  }
}
