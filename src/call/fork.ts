/**
 * Rings several devices, at once or one group after the other, and settles on the first that answers (RFC 3261 §16.7,
 * as a B2BUA does it).
 *
 *   Call  ── destinations ─▶  here  ── INVITE, CANCEL ─▶  one dialog of its own for each device
 *
 * The others are cancelled with a Reason that keeps them from showing a missed call (RFC 3326). A device that answers
 * in the same moment is ended by BYE. Every attempt is told as a leg. Who comes next stands in ring-plan.ts.
 */
import type { Timer } from '../core/clock.ts'
import { newId } from '../core/random.ts'
import type { EndReason } from '../events/catalogue.ts'
import type { Replaces } from '../sip/dialog/refer.ts'
import type { SipResponse } from '../sip/message/types.ts'
import type { Dialog, IncomingInvite } from '../sip/stack.types.ts'
import { sdpOf } from './description.ts'
import { reasonOf, strongestReason } from './failures.ts'
import type { Attempt, Destination, ForkOptions, ForkOutcome, PickedUpBy } from './fork.types.ts'
import { answerInDialog } from './in-dialog.ts'
import { isRecordAware, type Leg, legOf, remoteOf } from './leg.ts'
import { networkReason, reasonsIn } from './reason.ts'
import { RingPlan } from './ring-plan.ts'

/** A way that says nothing for so long is given up for the next one; not 32 s, as a transaction would wait. */
const silenceMs = 6_000

/** One of those that are being rung. */
interface Ringing {
  readonly attempt: Attempt
  readonly destination: Destination
  silence?: Timer
}

export class Fork {
  readonly outcome: Promise<ForkOutcome>
  readonly #options: ForkOptions
  readonly #attempts = new Set<Attempt>()
  readonly #plan: RingPlan
  /** Of the group that is rung now. */
  readonly #ringing = new Set<Ringing>()
  /** A way was there and said no: others would lead to the same place. */
  #isFinal = false
  #groupTimer: Timer | undefined
  readonly #refusals: { readonly reason: EndReason; readonly reasons: readonly string[] }[] = []
  /** Stops hearing what devices ask before they answer, by their early dialogs. */
  readonly #early = new Map<Dialog, { readonly leg: Leg; readonly off: () => void }>()
  readonly #settle: (outcome: ForkOutcome) => void
  readonly #cancelTimer: () => void
  #settled = false

  constructor(options: ForkOptions) {
    this.#options = options
    const { promise, resolve } = Promise.withResolvers<ForkOutcome>()
    this.outcome = promise
    this.#settle = resolve
    const timer = options.clock.after(options.ringMs, () => this.cancel('no-answer'))
    this.#cancelTimer = () => timer.cancel()
    this.#plan = new RingPlan(options.destinations)
    if (!this.#ringNext()) this.#fail()
  }

  /** Give up on all devices that have not answered. @param reasons As the caller gave them. */
  cancel(reason: EndReason, reasons: readonly string[] = []): void {
    if (this.#settled) return
    this.#finish({ answered: false, reason, reasons })
    this.#cancelAll(cancelReasons[reason] ?? reasons[0])
  }

  /** The device that rings in this dialog. */
  ringingAs({ callId, tags }: Replaces): Leg | undefined {
    for (const [dialog, { leg }] of this.#early) {
      const { id } = dialog
      if (id.callId === callId && tags.includes(id.localTag) && tags.includes(id.remoteTag)) return leg
    }
    return undefined
  }

  /** False once somebody answered or nobody will. */
  get isRinging(): boolean {
    return !this.#settled
  }

  /**
   * Somebody else takes the call while it rings (RFC 3891 §3).
   *
   * @throws {CallError} When its offer cannot be answered; the call rings on.
   */
  pickUp(invite: IncomingInvite, by: PickedUpBy): void {
    const { media, sdp, headers } = this.#options.pickUp(invite, by)
    const { party, present } = by
    const leg: Leg = { ...legOf(invite, this.#options.role ?? 'callee', party), present, state: 'ringing' }
    const attempt: Attempt = { leg, media, invite: { cancel: () => {} }, renegotiated: true }
    this.#attempts.add(attempt)
    this.#options.teller.legStarted(leg)
    const dialog = invite.answer({ headers, contentType: 'application/sdp', body: sdp })
    this.#finish({ answered: true, attempt, dialog, sdp: '' })
    this.#cancelAll(completedElsewhere, attempt)
  }

  /** All attempts, those that ended too. */
  get legs(): readonly Leg[] {
    return [...this.#attempts].map(({ leg }) => leg)
  }

  /** False when there is nobody left to ring. */
  #ringNext(): boolean {
    const { clock, ringMs } = this.#options
    let group: readonly Destination[]
    do {
      group = this.#plan.next()
      for (const destination of group) this.#start(destination)
    } while (group.length > 0 && this.#ringing.size === 0)
    this.#groupTimer?.cancel()
    if (this.#plan.more && !group.some(({ isWay }) => isWay))
      this.#groupTimer = clock.after(ringMs / this.#plan.groups, () => {
        for (const ringing of Array.from(this.#ringing)) this.#giveUp(ringing, 'no-answer')
      })
    return group.length > 0
  }

  #start(destination: Destination): void {
    const {
      stack,
      clock,
      teller,
      introduce,
      offer,
      maxForwards,
      role = 'callee',
      referredBy,
      onProvisional,
    } = this.#options
    const { target, party, credentials, routes, take } = destination
    const offered = offer(destination)
    if (!offered) return void this.#refusals.push({ reason: 'no-common-codec', reasons: [] })
    const free = take?.()
    if (take && !free) return void this.#refusals.push({ reason: 'not-allowed', reasons: [] })
    const { media, sdp } = offered
    const { from, headers } = introduce(destination)
    const invite = stack.invite({
      target,
      from,
      to: `<${party.uri}>`,
      headers: {
        ...headers,
        'Max-Forwards': String(maxForwards),
        ...(referredBy !== undefined && { 'Referred-By': referredBy(destination) }),
        ...(routes && { Route: routes }),
      },
      contentType: 'application/sdp',
      body: sdp,
      ...(credentials && { credentials }),
      onHeard: () => ringing.silence?.cancel(),
      onProvisional: (response, dialog) => {
        if (this.#settled) return
        if (dialog) this.#listen(attempt, dialog)
        attempt.leg.state = 'ringing'
        attempt.leg.shownAs = destination.reached?.(response)
        teller.ringing(leg.id)
        const described = sdpOf(response)
        if (described !== '') attempt.earlyAnswer = described
        onProvisional(attempt, described)
      },
    })
    const leg: Leg = {
      id: newId(),
      role,
      party,
      sipCallId: invite.sipCallId,
      transport: target.flow?.transport ?? [target.via ?? []].flat()[0]?.transport ?? 'udp',
      remote: target.flow ? remoteOf(target.flow) : target.uri,
      state: 'calling',
      present: destination.present,
    }
    const attempt: Attempt = { leg, media, invite }
    const ringing: Ringing = { attempt, destination }
    this.#attempts.add(attempt)
    this.#ringing.add(ringing)
    if (destination.isWay && this.#plan.more)
      ringing.silence = clock.after(silenceMs, () => this.#giveUp(ringing, 'unreachable'))
    teller.legStarted(leg)
    void invite.outcome.then((outcome) => {
      ringing.silence?.cancel()
      if (!outcome.answered || outcome.dialog.state === 'terminated') free?.()
      else if (free) outcome.dialog.on('ended', free)
      if (outcome.answered) this.#answered(ringing, outcome.dialog, outcome.response)
      else this.#refused(ringing, outcome.response)
    })
  }

  /** What a device asks before it answers. */
  #listen(attempt: Attempt, dialog: Dialog): void {
    if (this.#early.has(dialog)) return
    const { log, teller } = this.#options
    const off = dialog.on('request', (incoming) =>
      answerInDialog(incoming, {
        media: attempt.media,
        log,
        relay: (_, pressed) => pressed && teller.legDigit(attempt.leg.id, pressed.digit, pressed.durationMs),
        onDescribed: () => {
          attempt.renegotiated = true
        },
      }),
    )
    this.#early.set(dialog, { leg: attempt.leg, off })
  }

  #answered({ attempt, destination }: Ringing, dialog: Dialog, response: SipResponse): void {
    if (this.#settled || attempt.leg.state === 'ended') {
      // It answered before our CANCEL reached it.
      void dialog.bye({ headers: { Reason: completedElsewhere } })
      if (attempt.leg.state !== 'ended') this.#ended(attempt, 200)
      return
    }
    destination.report?.(true)
    attempt.leg.shownAs = destination.reached?.(response)
    attempt.leg.recordAware = isRecordAware(response)
    this.#finish({ answered: true, attempt, dialog, sdp: sdpOf(response) })
    this.#cancelAll(completedElsewhere, attempt)
  }

  #refused(ringing: Ringing, response: SipResponse): void {
    const { attempt, destination } = ringing
    const { status } = response
    if (attempt.leg.state === 'ended') return // given up before
    const rang = attempt.leg.state === 'ringing'
    this.#ended(attempt, status)
    this.#ringing.delete(ringing)
    if (this.#settled) return
    const served = rang || !unserved.has(status)
    destination.report?.(served)
    const onwards = this.#plan.redirected(destination, response)
    for (const next of onwards) this.#start(next)
    if (this.#ringing.size > 0 && onwards.length > 0) return
    const reasons = reasonsIn(response)
    this.#refusals.push({ reason: networkReason(reasons) ?? reasonOf(status), reasons })
    if (destination.isWay && served) this.#isFinal = true
    // 6xx: the person, not the device, does not want the call (RFC 3261 §21.6).
    if (status >= 600) this.#fail()
    else this.#goOn()
  }

  /** It had its time. */
  #giveUp(ringing: Ringing, reason: 'no-answer' | 'unreachable'): void {
    const { attempt, destination } = ringing
    if (this.#settled || !this.#ringing.delete(ringing)) return
    if (reason === 'unreachable') destination.report?.(false)
    attempt.invite.cancel(noAnswer)
    this.#ended(attempt, reason === 'unreachable' ? 408 : 487)
    this.#refusals.push({ reason, reasons: [] })
    this.#goOn()
  }

  #goOn(): void {
    if (this.#ringing.size > 0) return
    if (this.#isFinal || !this.#ringNext()) this.#fail()
  }

  #fail(): void {
    const reason = strongestReason(this.#refusals.map((refusal) => refusal.reason))
    const reasons = this.#refusals.find((refusal) => refusal.reason === reason)?.reasons ?? []
    this.#finish({ answered: false, reason, reasons })
    this.#cancelAll(undefined)
  }

  #ended({ leg }: Attempt, sipStatus: number): void {
    leg.state = 'ended'
    this.#options.teller.legEnded(leg.id, { sipStatus })
  }

  #finish(outcome: ForkOutcome): void {
    this.#settled = true
    this.#cancelTimer()
    this.#groupTimer?.cancel()
    for (const { silence } of this.#ringing) silence?.cancel()
    for (const { off } of this.#early.values()) off()
    this.#early.clear()
    this.#settle(outcome)
  }

  #cancelAll(reason: string | undefined, except?: Attempt): void {
    for (const attempt of this.#attempts)
      if (attempt !== except && attempt.leg.state !== 'ended') attempt.invite.cancel(reason)
  }
}

/** No server, or one that has no way to the callee; the others say no for the callee. */
const unserved = new Set([408, 500, 502, 503, 504])

const noAnswer = 'SIP;cause=480;text="No answer"'
/** RFC 3326 §2: the phones that lost the race show no missed call. */
const completedElsewhere = 'SIP;cause=200;text="Call completed elsewhere"'

/** What the devices are told; a phone that is rung again for somebody else shows no missed call. */
const cancelReasons: Partial<Record<EndReason, string>> = { 'no-answer': noAnswer, transferred: completedElsewhere }
