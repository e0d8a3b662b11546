/**
 * Rings several devices at once and settles on the first that answers (RFC 3261 §16.7, as a B2BUA does it).
 *
 *   Call  ── destinations ─▶  here  ── INVITE, CANCEL ─▶  one dialog of its own for each device
 *
 * The others are cancelled with a Reason that keeps them from showing a missed call (RFC 3326). A device that answers
 * in the same moment is ended by the stack. Every attempt is told as a leg.
 */
import { newId } from '../core/random.ts'
import type { EndReason, Party } from '../events/catalogue.ts'
import type { SipResponse } from '../sip/message/types.ts'
import type { Credentials, Dialog, OutgoingInvite, Target } from '../sip/stack.types.ts'
import { reasonOf, strongestReason } from './failures.ts'
import type { CallServices } from './services.ts'

/** One device, or a trunk. */
export interface Destination {
  readonly target: Target
  readonly party: Party
  readonly credentials?: Credentials
}

export interface Attempt {
  readonly legId: string
  readonly destination: Destination
  readonly invite: OutgoingInvite
}

export type ForkOutcome =
  | { readonly answered: true; readonly attempt: Attempt; readonly dialog: Dialog; readonly response: SipResponse }
  | { readonly answered: false; readonly reason: EndReason }

export interface ForkOptions {
  readonly callId: string
  readonly destinations: readonly Destination[]
  /** `"Alice" <sip:101@192.0.2.1>` */
  readonly from: (destination: Destination) => string
  /** The session description to offer to this device. */
  readonly offer: (destination: Destination) => string
  readonly ringMs: number
  readonly onProvisional: (attempt: Attempt, response: SipResponse) => void
}

export class Fork {
  readonly outcome: Promise<ForkOutcome>
  readonly #services: CallServices
  readonly #options: ForkOptions
  readonly #attempts = new Map<string, Attempt>()
  readonly #refusals: EndReason[] = []
  readonly #settle: (outcome: ForkOutcome) => void
  readonly #cancelTimer: () => void
  #settled = false

  constructor(services: CallServices, options: ForkOptions) {
    this.#services = services
    this.#options = options
    const { promise, resolve } = Promise.withResolvers<ForkOutcome>()
    this.outcome = promise
    this.#settle = resolve
    const timer = services.clock.after(options.ringMs, () => this.cancel('no-answer'))
    this.#cancelTimer = () => timer.cancel()
    for (const destination of options.destinations) this.#start(destination)
    if (options.destinations.length === 0) this.#finish({ answered: false, reason: 'unreachable' })
  }

  /** Give up on all devices that have not answered. */
  cancel(reason: EndReason): void {
    if (this.#settled) return
    this.#finish({ answered: false, reason })
    this.#cancelAll(reason === 'no-answer' ? 'SIP;cause=480;text="No answer"' : undefined)
  }

  /** SIP Call-IDs of all attempts, for the trace. */
  get sipCallIds(): readonly string[] {
    return [...this.#attempts.values()].map(({ invite }) => invite.sipCallId)
  }

  #start(destination: Destination): void {
    const legId = newId()
    const { stack } = this.#services
    const invite = stack.invite({
      target: destination.target,
      from: this.#options.from(destination),
      to: `<${destination.party.uri}>`,
      contentType: 'application/sdp',
      body: this.#options.offer(destination),
      ...(destination.credentials && { credentials: destination.credentials }),
      onProvisional: (response) => {
        if (!this.#settled) this.#options.onProvisional(attempt, response)
      },
    })
    const attempt: Attempt = { legId, destination, invite }
    this.#attempts.set(legId, attempt)
    this.#tellStarted(attempt)
    void invite.outcome.then((outcome) => {
      if (outcome.answered) this.#answered(attempt, outcome.dialog, outcome.response)
      else this.#refused(attempt, outcome.response.status)
    })
  }

  #answered(attempt: Attempt, dialog: Dialog, response: SipResponse): void {
    if (this.#settled) {
      // It answered before our CANCEL reached it.
      void dialog.bye({ headers: { Reason: completedElsewhere } })
      this.#tellEnded(attempt, 200)
      return
    }
    this.#finish({ answered: true, attempt, dialog, response })
    this.#cancelAll(completedElsewhere, attempt)
  }

  #refused(attempt: Attempt, status: number): void {
    this.#tellEnded(attempt, status)
    this.#refusals.push(reasonOf(status))
    const allRefused = this.#refusals.length === this.#options.destinations.length
    // 6xx: the person, not the device, does not want the call (RFC 3261 §21.6).
    if (status >= 600 || allRefused) {
      if (this.#settled) return
      this.#finish({ answered: false, reason: strongestReason(this.#refusals) })
      this.#cancelAll(undefined)
    }
  }

  #finish(outcome: ForkOutcome): void {
    this.#settled = true
    this.#cancelTimer()
    this.#settle(outcome)
  }

  #cancelAll(reason: string | undefined, except?: Attempt): void {
    for (const attempt of this.#attempts.values()) if (attempt !== except) attempt.invite.cancel(reason)
  }

  #tellStarted({ legId, destination, invite }: Attempt): void {
    const { flow, via, uri } = destination.target
    this.#services.bus.publish({
      name: 'leg.started',
      atMs: this.#services.clock.wallMs(),
      callId: this.#options.callId,
      legId,
      role: 'callee',
      party: destination.party,
      sipCallId: invite.sipCallId,
      transport: flow?.transport ?? via?.transport ?? 'udp',
      remote: flow ? `${flow.remote.ip}:${flow.remote.port}` : uri,
    })
  }

  #tellEnded({ legId }: Attempt, sipStatus: number): void {
    this.#services.bus.publish({
      name: 'leg.ended',
      atMs: this.#services.clock.wallMs(),
      callId: this.#options.callId,
      legId,
      sipStatus,
    })
  }
}

/** RFC 3326 §2: the phones that lost the race show no missed call. */
const completedElsewhere = 'SIP;cause=200;text="Call completed elsewhere"'
