/**
 * Decides what a request that belongs to no transaction is: part of a dialog, the start of a call, or something else.
 *
 *   transaction  ── request, ACK ─▶  here  ── invite, request ─▶  the platform
 *                                      └──── in-dialog ────────▶  dialog
 *
 * A stranger's request meets the guard before anything is kept of it. RFC 3261 §8.2, §12.2.2.
 */
import { hash } from 'node:crypto'
import type { Emitter } from '../../core/emitter.ts'
import { randomHex } from '../../core/random.ts'
import { createResponse } from '../message/build.ts'
import { callIdOf, contactsOf, fromTag, requestUriOf, topVia, toTag } from '../message/fields.ts'
import type { SipRequest, SipResponse } from '../message/types.ts'
import type { ExtraHeaders, SipStackEvents, Verdict } from '../stack.types.ts'
import type { TransactionsUser } from '../transaction/transactions.ts'
import type { WireFlow } from '../transport/flow.ts'
import type { Context, Guard } from './context.ts'
import type { DialogParty } from './dialog-table.ts'
import { ReceivedInvite } from './incoming-invite.ts'
import { ReceivedRequest } from './incoming-request.ts'
import { refuseShortSession, refuseUnsupported } from './require.ts'

/** Of Request-URIs that can be for us. */
const schemes: ReadonlySet<string> = new Set(['sip', 'sips', 'tel'])

export class UserAgent implements TransactionsUser {
  readonly #context: () => Context
  readonly #events: Emitter<SipStackEvents>
  readonly #guard: Guard
  readonly #tagSecret = randomHex(16)

  /** @param context Handed in late: the transactions in it need their user first. */
  constructor(context: () => Context, events: Emitter<SipStackEvents>, guard: Guard) {
    this.#context = context
    this.#events = events
    this.#guard = guard
  }

  request(request: SipRequest, flow: WireFlow): void {
    if (toTag(request) !== undefined) return this.#inDialog(request, flow)
    const verdict = this.#guard(request, flow)
    if (verdict !== 'pass') return this.#turnAway(request, flow, verdict)
    const context = this.#context()
    context.transport.noteAlias(request, flow)
    if (!schemes.has(requestUriOf(request)?.scheme ?? '')) return this.#respond(request, flow, 416) // §8.2.2.1
    if (context.transactions.isMerged(request)) return this.#respond(request, flow, 482) // §8.2.2.2
    if (refuseUnsupported(context, request, flow) || refuseShortSession(context, request, flow)) return
    const service = context.services.get(request.method)
    if (service) service(request, flow)
    else if (request.method === 'INVITE') this.#invite(request, flow)
    else this.#other(request, flow)
  }

  ack(request: SipRequest, flow: WireFlow): void {
    const party = this.#partyOf(request)
    if (party) party.receiveAck(request, flow)
    else this.#context().counters.unmatched++ // the ACK to a refusal that we did not remember
  }

  #inDialog(request: SipRequest, flow: WireFlow): void {
    const party = this.#partyOf(request)
    if (party) return party.receive(request, flow)
    this.#context().counters.unknownDialog++
    this.#respond(request, flow, 481)
  }

  #invite(request: SipRequest, flow: WireFlow): void {
    const contacts = contactsOf(request)
    // §8.1.1.8: without exactly one Contact there is nowhere to send requests of the dialog to.
    if (!Array.isArray(contacts) || contacts.length !== 1) return this.#respond(request, flow, 400)
    const received = new ReceivedInvite(this.#context(), request, flow)
    if (!this.#events.hears('invite')) received.reject(501)
    else if (!this.#events.emit('invite', received)) received.reject(500)
  }

  #other(request: SipRequest, flow: WireFlow): void {
    const context = this.#context()
    const { transactions } = context
    // A life sign costs no memory: whoever may ask for one must not fill it (§8.2.7 lets a copy be answered again).
    const stateless = { respond: (response: SipResponse) => transactions.respondStateless(request, response, flow) }
    const transaction = request.method === 'OPTIONS' ? stateless : transactions.open(request, flow)
    const received = new ReceivedRequest({ context, request, flow, transaction, toTag: this.#statelessTag(request) })
    // RFC 6665 §4.1.3: nobody asked for it.
    if (!this.#events.hears('request')) received.respond(request.method === 'NOTIFY' ? 481 : 501)
    else if (!this.#events.emit('request', received)) received.respond(500)
  }

  #turnAway(request: SipRequest, flow: WireFlow, verdict: Exclude<Verdict, 'pass'>): void {
    this.#context().counters.guarded++
    if (verdict !== 'drop') this.#respond(request, flow, verdict.status, verdict.headers)
  }

  #respond(request: SipRequest, flow: WireFlow, status: number, headers: ExtraHeaders = {}): void {
    const response = createResponse(request, status, { toTag: this.#statelessTag(request), headers })
    this.#context().transactions.respondStateless(request, response, flow)
  }

  /** §8.2.7: each copy of a request has to get the same tag, though we remember none. */
  #statelessTag(request: SipRequest): string {
    const branch = topVia(request)?.params.get('branch')
    return hash('sha256', `${this.#tagSecret} ${callIdOf(request)} ${fromTag(request)} ${branch}`).slice(0, 16)
  }

  #partyOf(request: SipRequest): DialogParty | undefined {
    const { dialogs } = this.#context()
    const id = { callId: callIdOf(request) ?? '', localTag: toTag(request) ?? '', remoteTag: fromTag(request) ?? '' }
    return dialogs.get(id) ?? (request.method === 'NOTIFY' ? dialogs.expecting(id) : undefined)
  }
}
