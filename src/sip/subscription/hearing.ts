/**
 * One dialog in which a notifier tells us: made by its first NOTIFY, refreshed in time, left by unsubscribing.
 *
 *   SentSubscription  ◀─ notified, lost ─  here  ◀── NOTIFY ────  notifier
 *                     ── leave, refresh ─▶       ── SUBSCRIBE ─▶
 *
 * RFC 6665 §4.1.2.2, §4.1.2.3.
 */
import type { Timer } from '../../core/clock.ts'
import type { Context } from '../dialog/context.ts'
import { calledSetup } from '../dialog/dialog-setup.ts'
import type { DialogParty } from '../dialog/dialog-table.ts'
import { DialogPeer } from '../dialog/peer.ts'
import { localResponse } from '../dialog/write.ts'
import { longerExpiresS } from '../message/ask-again.ts'
import { cseqOf, expiresOf, toTag } from '../message/fields.ts'
import type { SipRequest } from '../message/types.ts'
import type { Credentials, DialogId, ExtraHeaders } from '../stack.types.ts'
import { transactionMs } from '../transaction/timers.ts'
import type { WireFlow } from '../transport/flow.ts'
import { readSubscriptionState } from './event.ts'

export interface HearingUser {
  /** A NOTIFY that is in order; whoever hears it answers it. */
  notified(request: SipRequest, flow: WireFlow): void
  isOurs(request: SipRequest): boolean
  /** The notifier knows nothing of it any more, or it ran out. */
  lost(): void
  /** The notifier grants no subscription that is shorter. */
  needs(expiresS: number): void
}

export interface HearingOptions {
  readonly context: Context
  /** Of each SUBSCRIBE: Event and Accept. */
  readonly headers: ExtraHeaders
  /** CSeq number of the request that asked for it. */
  readonly localSeq: number
  /** What to ask for; what is granted stands in each NOTIFY and each answer. */
  readonly expiresS: number
  /** The notifier is known by the flow alone. */
  readonly stay: boolean
  readonly credentials?: Credentials
  readonly user: HearingUser
}

/** Refresh so long before the end that a transaction may fail and be tried again. */
const marginMs = transactionMs + 8_000

export class Hearing implements DialogParty {
  readonly #options: HearingOptions
  readonly #peer: DialogPeer
  #expiresS: number
  #untilMs: number
  #timer: Timer | undefined
  /** The flow whose end is watched: what is told over it is lost then. */
  #watched: WireFlow | undefined
  #unwatch: (() => void) | undefined
  #asking = false
  /** A longer term was asked for once; who wants a still longer one waits. */
  #lengthened = false
  #leaving = false
  #over = false

  /** @param request The NOTIFY that makes the dialog; it is not kept. */
  constructor(options: HearingOptions, request: SipRequest, flow: WireFlow) {
    const { context, credentials, localSeq, stay, expiresS } = options
    this.#options = options
    const setup = calledSetup(context, request, flow, toTag(request) ?? '')
    // Our own tag stands in the To already; the number before the first is none, for its receipt comes through here.
    this.#peer = new DialogPeer({
      ...setup,
      local: request.headers.get('To') ?? '',
      localSeq,
      remoteSeq: -1,
      stay: stay || setup.stay,
      ...(credentials && { credentials }),
    })
    this.#expiresS = expiresS
    this.#untilMs = context.clock.now() + expiresS * 1_000
    context.dialogs.set(this.#peer.id, this)
  }

  get id(): DialogId {
    return this.#peer.id
  }

  get tag(): string {
    return this.#peer.id.remoteTag
  }

  receive(request: SipRequest, flow: WireFlow): void {
    const { context, user } = this.#options
    const peer = this.#peer
    const refuse = (status: number): void =>
      context.transactions.respondStateless(request, localResponse(request, status), flow)
    const moved = !peer.knows(flow.remote.ip)
    if (moved && !peer.vouched(request, flow)) return
    const seq = cseqOf(request)?.seq ?? 0
    if (peer.isOld(seq)) return refuse(500)
    if (request.method !== 'NOTIFY') return refuse(405)
    if (!user.isOurs(request)) return refuse(481)
    peer.served(seq, moved || flow.remote.ip === peer.flow.remote.ip ? flow : peer.flow)
    peer.refreshTarget(request)
    this.#watch(flow)
    const { expiresS, state } = readSubscriptionState(request)
    if (expiresS !== undefined && state !== 'terminated') this.#runsFor(expiresS)
    user.notified(request, flow)
  }

  receiveAck(): void {} // nothing here is an INVITE

  /** Unsubscribe (§4.1.2.3). The dialog waits for the last NOTIFY, as long as Timer N. */
  leave(): void {
    if (this.#leaving || this.#over) return
    this.#leaving = true
    this.#timer?.cancel()
    this.#timer = this.#options.context.clock.after(transactionMs, () => this.#lose())
    if (!this.#asking) void this.#ask(0)
  }

  /** Subscribe again now: the answer to that is told in full. */
  refresh(): void {
    if (!this.#asking && !this.#leaving && !this.#over) void this.#ask(this.#expiresS)
  }

  drop(): void {
    this.#over = true
    this.#timer?.cancel()
    this.#unwatch?.()
    this.#options.context.dialogs.remove(this.#peer.id, this)
  }

  /** When the connection goes, the notifier has to learn of another one. */
  #watch(flow: WireFlow): void {
    if (flow === this.#watched) return
    this.#unwatch?.()
    this.#watched = flow
    this.#unwatch = flow.onClose(() => this.refresh())
  }

  async #ask(expiresS: number): Promise<void> {
    this.#asking = true
    const { headers, context } = this.#options
    const payload = { headers: { ...headers, Expires: String(expiresS) } }
    const reply = await this.#peer.ask('SUBSCRIBE', payload, { wanted: () => !this.#over })
    this.#asking = false
    if (this.#over) return
    const { status } = reply.response
    if (this.#leaving && (expiresS === 0 ? status >= 300 : status === 481)) return this.#lose()
    if (this.#leaving) return expiresS === 0 ? undefined : void this.#ask(0)
    if (status === 481) return this.#lose()
    const longerS = this.#lengthened ? undefined : longerExpiresS(reply.response, this.#expiresS)
    if (status < 300) {
      this.#peer.refreshTarget(reply.response)
      this.#runsFor(expiresOf(reply.response) ?? expiresS)
    } else if (longerS !== undefined) {
      this.#lengthened = true
      this.#expiresS = longerS
      this.#options.user.needs(longerS)
      void this.#ask(longerS)
    } else {
      // §4.1.2.2: it lives on until its time is over; meanwhile it is tried again.
      const leftMs = this.#untilMs - context.clock.now()
      this.#after(leftMs > 2_000 ? leftMs / 2 : leftMs)
    }
  }

  #runsFor(seconds: number): void {
    if (this.#leaving) return
    const ms = seconds * 1_000
    this.#untilMs = this.#options.context.clock.now() + ms
    this.#after(Math.max(ms - marginMs, ms / 2))
  }

  #after(ms: number): void {
    this.#timer?.cancel()
    const { clock } = this.#options.context
    this.#timer = clock.after(Math.max(0, ms), () => (clock.now() < this.#untilMs ? this.refresh() : this.#lose()))
  }

  #lose(): void {
    if (this.#over) return
    this.drop()
    this.#options.user.lost()
  }
}
