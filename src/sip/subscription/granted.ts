/**
 * One subscription to something of ours: a dialog in which its subscriber is told what changed.
 *
 *   notifier  ── changed, end ─▶  here  ── NOTIFY ────▶  subscriber
 *                                       ◀─ SUBSCRIBE ──
 *
 * One NOTIFY at a time: a change that comes meanwhile, or too soon after the last, waits and is told with all others.
 * A subscriber that does not answer, or refuses, is forgotten; its next refresh gets 481 and it starts anew.
 * RFC 6665 §4.2.
 */
import type { Timer } from '../../core/clock.ts'
import type { Context } from '../dialog/context.ts'
import { calledSetup } from '../dialog/dialog-setup.ts'
import type { DialogParty } from '../dialog/dialog-table.ts'
import { ReceivedRequest } from '../dialog/incoming-request.ts'
import { DialogPeer } from '../dialog/peer.ts'
import { refuseUnsupported } from '../dialog/require.ts'
import { contactFor } from '../dialog/write.ts'
import { retryAfterMs } from '../message/ask-again.ts'
import { createResponse } from '../message/build.ts'
import { cseqOf } from '../message/fields.ts'
import type { SipRequest, SipResponse } from '../message/types.ts'
import type { ExtraHeaders } from '../stack.types.ts'
import type { WireFlow } from '../transport/flow.ts'
import { type EventName, printEvent, readEvent, sameEvent } from './event.ts'
import { termFor, usualTerms } from './term.ts'
import type { EndReason, EventPackage } from './types.ts'

export interface GrantedOptions<State> {
  readonly context: Context
  readonly event: EventName
  readonly events: EventPackage<State>
  readonly resource: string
  readonly subscriber: string
  readonly entity: string
  readonly localTag: string
  /** Told once, when nothing more is told to it. */
  readonly onEnd: () => void
}

export class GrantedSubscription<State> implements DialogParty {
  readonly #options: GrantedOptions<State>
  readonly #peer: DialogPeer
  /** Until when it is granted, by the clock's `now`. */
  #untilMs = 0
  #expiry: Timer | undefined
  #later: Timer | undefined
  #version = 0
  #told: State | undefined
  #toldAtMs = Number.NEGATIVE_INFINITY
  /** The subscriber asked for a pause, until then. */
  #pausedUntilMs = Number.NEGATIVE_INFINITY
  #telling = false
  /** What is still to be told; `all` to whom asked for it. */
  #due: 'nothing' | 'changes' | 'all' = 'nothing'
  #ended: EndReason | undefined

  /** @param request The SUBSCRIBE; it is not kept. */
  constructor(options: GrantedOptions<State>, request: SipRequest, flow: WireFlow) {
    this.#options = options
    const { context, localTag } = options
    this.#peer = new DialogPeer(calledSetup(context, request, flow, localTag))
    context.dialogs.set(this.#peer.id, this)
  }

  get resource(): string {
    return this.#options.resource
  }

  get subscriber(): string {
    return this.#options.subscriber
  }

  /** Answer the SUBSCRIBE that made or refreshes it, and tell it all. A term of 0 ends it (§4.2.1.4). */
  grant(request: SipRequest, flow: WireFlow, termS: number): void {
    const { context, localTag } = this.#options
    const transaction = context.transactions.open(request, flow)
    const received = new ReceivedRequest({ context, request, flow, transaction, toTag: localTag })
    const Contact = contactFor(context, flow, this.#peer.local.uri.user, request.uri)
    received.respond(200, { headers: { Expires: String(termS), Contact } })
    this.#untilMs = context.clock.now() + termS * 1_000
    this.#pausedUntilMs = Number.NEGATIVE_INFINITY
    this.#expiry?.cancel()
    if (termS === 0) return this.end('timeout')
    this.#expiry = context.clock.after(termS * 1_000, () => this.end('timeout'))
    this.#due = 'all'
    this.#tell()
  }

  /** Something changed. */
  changed(): void {
    if (this.#ended) return
    if (this.#due === 'nothing') this.#due = 'changes'
    this.#tell()
  }

  /** A last NOTIFY, that says why. */
  end(reason: EndReason): void {
    if (this.#ended) return
    this.#ended = reason
    this.#expiry?.cancel()
    this.#options.onEnd()
    this.#due = 'all'
    this.#tell()
  }

  receive(request: SipRequest, flow: WireFlow): void {
    const { context, event, events } = this.#options
    const peer = this.#peer
    const moved = !peer.knows(flow.remote.ip)
    if (moved && !peer.vouched(request, flow)) return
    const refuse = (status: number, headers: ExtraHeaders = {}): void =>
      context.transactions.respondStateless(request, createResponse(request, status, { headers }), flow)
    const seq = cseqOf(request)?.seq ?? 0
    if (peer.isOld(seq)) return refuse(500)
    const asked = readEvent(request)
    if (request.method !== 'SUBSCRIBE') return refuse(405)
    if (this.#ended || !asked || !sameEvent(asked, event)) return refuse(481)
    if (refuseUnsupported(context, request, flow)) return
    const { terms = usualTerms } = events
    const termS = termFor(request, terms)
    if (termS === undefined) return refuse(423, { 'Min-Expires': String(terms.min) })
    peer.served(seq, moved || flow.remote.ip === peer.flow.remote.ip ? flow : peer.flow)
    peer.refreshTarget(request)
    this.grant(request, flow, termS)
  }

  receiveAck(): void {} // nothing here is an INVITE

  /** Forget it, without a word to anybody. */
  drop(): void {
    this.#expiry?.cancel()
    this.#later?.cancel()
    this.#options.context.dialogs.remove(this.#peer.id, this)
    if (this.#ended) return
    this.#ended = 'deactivated'
    this.#options.onEnd()
  }

  #tell(): void {
    if (this.#telling || this.#due === 'nothing') return
    const { clock, log } = this.#options.context
    const spacedMs = this.#due === 'all' ? 0 : this.#toldAtMs + this.#options.events.spacingMs
    const waitMs = this.#ended ? 0 : Math.max(spacedMs, this.#pausedUntilMs) - clock.now()
    this.#later?.cancel()
    if (waitMs > 0) this.#later = clock.after(waitMs, () => this.#tell())
    else
      this.#send().catch((error: unknown) => {
        log.error('What an event package tells could not be written', { error: String(error) })
        this.drop()
      })
  }

  async #send(): Promise<void> {
    const { context, events, event, resource, entity } = this.#options
    const all = this.#due === 'all'
    this.#due = 'nothing'
    const state = events.state(resource)
    const body = events.write(state, { entity, version: this.#version, told: all ? undefined : this.#told })
    if (body === undefined && !all) return
    if (body !== undefined) this.#version++
    this.#telling = true
    this.#toldAtMs = context.clock.now()
    const last = this.#ended
    const described = body === undefined ? {} : { body, contentType: events.contentType }
    const headers = { Event: printEvent(event), 'Subscription-State': this.#stateText(last) }
    const { response } = await this.#peer.ask(
      'NOTIFY',
      { headers, ...described },
      { wanted: () => context.dialogs.get(this.#peer.id) === this },
    )
    this.#telling = false
    if (last) return this.drop()
    this.#answered(response, state)
  }

  #answered(response: SipResponse, state: State): void {
    // §4.2.2: a refusal that names no time is the end.
    const again = response.status >= 300 && retryAfterMs(response)
    if (again === undefined || (again !== false && this.#ended)) return this.drop()
    if (again === false) {
      this.#told = state
      return this.#tell()
    }
    this.#told = undefined
    this.#due = 'all'
    this.#pausedUntilMs = this.#options.context.clock.now() + Math.max(again, leastRetryMs)
    this.#tell()
  }

  #stateText(ended: EndReason | undefined): string {
    if (ended) return `terminated;reason=${ended}`
    const leftS = Math.max(0, Math.round((this.#untilMs - this.#options.context.clock.now()) / 1_000))
    return `active;expires=${leftS}`
  }
}

/** A subscriber that is busy and says that it is not shall not be told again and again without a pause. */
const leastRetryMs = 1_000
