/** Tells the facts of one call on the bus, each stamped with the call's id and the time. */
import type { Clock } from '../core/clock.ts'
import type { FactBus } from '../events/bus.ts'
import type {
  Encryption,
  EndReason,
  LegRole,
  MediaSummary,
  Party,
  Quality,
  TracedMessage,
} from '../events/catalogue.ts'
import type { Leg } from './leg.ts'

export class Teller {
  readonly #bus: FactBus
  readonly #clock: Clock
  readonly #callId: string

  constructor(bus: FactBus, clock: Clock, callId: string) {
    this.#bus = bus
    this.#clock = clock
    this.#callId = callId
  }

  started(from: Party, to: Party): void {
    this.#bus.publish({ name: 'call.started', ...this.#stamp(), kind: 'pbx', from, to })
  }

  ringing(legId: string): void {
    this.#bus.publish({ name: 'call.ringing', ...this.#stamp(), legId })
  }

  answered(legId: string): void {
    this.#bus.publish({ name: 'call.answered', ...this.#stamp(), legId })
  }

  ended(reason: EndReason, sipStatus: number | undefined, by: LegRole | undefined): void {
    this.#bus.publish({
      name: 'call.ended',
      ...this.#stamp(),
      reason,
      ...(sipStatus !== undefined && { sipStatus }),
      ...(by && { by }),
    })
  }

  transferred(
    legId: string,
    replacedBy: string,
    kind: 'blind' | 'attended' | 'recall' | 'replaced',
    fromCallId?: string,
  ): void {
    this.#bus.publish({
      name: 'call.transferred',
      ...this.#stamp(),
      legId,
      replacedBy,
      kind,
      ...(fromCallId !== undefined && { fromCallId }),
    })
  }

  traced(messages: readonly TracedMessage[]): void {
    this.#bus.publish({ name: 'call.traced', ...this.#stamp(), messages })
  }

  legStarted({ id, role, party, sipCallId, transport, remote }: Leg): void {
    this.#bus.publish({ name: 'leg.started', ...this.#stamp(), legId: id, role, party, sipCallId, transport, remote })
  }

  legAnswered({ id, media }: Leg): void {
    const codec = media?.codec
    this.#bus.publish({ name: 'leg.answered', ...this.#stamp(), legId: id, ...(codec && { codec }) })
  }

  legEncryption(legId: string, encryption: Encryption): void {
    this.#bus.publish({ name: 'leg.encryption', ...this.#stamp(), legId, ...encryption })
  }

  legMediaStarted(legId: string, source: string, codec: string): void {
    this.#bus.publish({ name: 'leg.media-started', ...this.#stamp(), legId, source, codec })
  }

  legQuality(legId: string, quality: Quality): void {
    this.#bus.publish({ name: 'leg.quality', ...this.#stamp(), legId, quality })
  }

  legDigit(legId: string, digit: string, durationMs: number): void {
    this.#bus.publish({ name: 'leg.digit', ...this.#stamp(), legId, digit, durationMs })
  }

  legEnded(legId: string, how: { readonly media?: MediaSummary; readonly sipStatus?: number }): void {
    this.#bus.publish({ name: 'leg.ended', ...this.#stamp(), legId, ...how })
  }

  #stamp(): { readonly callId: string; readonly atMs: number } {
    return { callId: this.#callId, atMs: this.#clock.wallMs() }
  }
}
