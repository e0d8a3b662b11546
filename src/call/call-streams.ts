/**
 * What two parties of a call have beside their audio, video and fax, from the first offer to a change inside the call.
 *
 *   Call  ── the caller's offer, an offer inside ─▶  here  ── one for each call that has any ─▶  SideStreams
 *
 * renegotiation.ts asks the other party about a change, carry-streams.ts who comes by a transfer; here one question at
 * a time.
 */
import type { Logger } from '../core/logger.ts'
import type { InDialogRequest } from '../sip/stack.types.ts'
import { carryStreams } from './carry-streams.ts'
import { CallError } from './failures.ts'
import { type LegMedia, readDescription } from './leg-media.ts'
import { offerToPassOn, passOfferOn } from './renegotiation.ts'
import { hasSideStreams, otherSide, type Side, type SideEnd, SideStreams } from './side-streams.ts'
import type { PlacedLeg } from './transfer.ts'

export type Relays = ConstructorParameters<typeof SideStreams>[0]

export class CallStreams {
  readonly #relays: Relays
  readonly #log: Logger
  #streams: SideStreams | undefined
  /** A party is being asked about an offer of the other, or about the streams of who stayed. */
  #asking: Promise<void> | undefined

  constructor(relays: Relays, log: Logger) {
    this.#relays = relays
    this.#log = log
  }

  /** As the caller offers them; without them the call goes on. */
  async open(offer: string | undefined, caller: LegMedia): Promise<void> {
    const description = offer === undefined ? undefined : caller.usable(readDescription(offer, 'call.bad-offer'))
    if (!description || !hasSideStreams(description)) return
    const streams = new SideStreams(this.#relays)
    try {
      await streams.prepare(description)
    } catch (error) {
      if (!(error instanceof CallError)) throw error
      streams.close()
      return this.#log.warn('a call goes on without its video', { code: error.code })
    }
    streams.learn('caller', description)
    this.#streams = streams
    caller.joinStreams({ of: streams, side: 'caller' })
  }

  /** For the media of a leg on that side. */
  at(side: Side): { readonly streams?: SideEnd } {
    return this.#streams ? { streams: { of: this.#streams, side } } : {}
  }

  /** A party switches fax or video on or off: the other one decides. False when the leg can be answered by itself. */
  passesOn(incoming: InDialogRequest, side: Side, leg: PlacedLeg, other: PlacedLeg): boolean {
    const offer = offerToPassOn(incoming, leg.media, this.#streams, side)
    if (offer === undefined) return false
    // Each would wait for the other's answer: who asks second tries again (RFC 3261 §14.1).
    if (this.#asking) {
      incoming.respond(491)
      return true
    }
    this.#streams ??= new SideStreams(this.#relays)
    const streams = this.#streams
    leg.media.joinStreams({ of: streams, side })
    other.media.joinStreams({ of: streams, side: otherSide(side) })
    this.#ask(passOfferOn({ incoming, offer, media: leg.media, side, other, streams, log: this.#log }))
    return true
  }

  /**
   * Somebody came in the place of a party: video goes on with both who are there now, if both want it.
   *
   * @param side Of `stays`. @param stands False once these two are not the parties of the call any more.
   */
  carryOn(stays: PlacedLeg, side: Side, next: PlacedLeg, stands: () => boolean): void {
    if (this.#streams)
      this.#ask((this.#asking ?? Promise.resolve()).then(() => this.#carryOn(stays, side, next, stands)))
  }

  async #carryOn(stays: PlacedLeg, side: Side, next: PlacedLeg, stands: () => boolean): Promise<void> {
    const streams = this.#streams
    if (!streams || !stands()) return
    if (!(await carryStreams({ streams, stays, side, next, stands, log: this.#log }))) this.#streams = undefined
  }

  #ask(done: Promise<void>): void {
    const asking = done.finally(() => {
      if (this.#asking === asking) this.#asking = undefined
    })
    this.#asking = asking
  }
}
