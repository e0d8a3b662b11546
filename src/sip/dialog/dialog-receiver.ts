/**
 * What the peer asks inside a dialog: the part that the stack answers by itself, and the order in which the rest goes up.
 *
 *   SipDialog  ── request, flow ─▶  here  ── InDialogRequest ─▶  call/, siprec/
 *                                     └──── responses ───────▶  transaction
 *
 * Refuses wrong sequence numbers, offers that cross ours (491) and offers that come before the last one was answered
 * (500). BYE and PRACK are answered here. RFC 3261 §12.2.2, §14.2, §15.1.2; RFC 3262; RFC 3311 §5.2; RFC 6141.
 */
import { cseqOf } from '../message/fields.ts'
import type { SipRequest, SipResponse } from '../message/types.ts'
import type { Dialog, ExtraHeaders, InDialogRequest } from '../stack.types.ts'
import type { ServerTransaction } from '../transaction/transactions.ts'
import type { WireFlow } from '../transport/flow.ts'
import type { DialogSetup } from './dialog-setup.ts'
import { ReceivedRequest } from './incoming-request.ts'
import type { InviteTurn } from './invite-turn.ts'
import type { DialogPeer } from './peer.ts'
import { refuseShortSession, refuseUnsupported } from './require.ts'
import type { DialogSession } from './session.ts'
import { localResponse } from './write.ts'

export interface ReceiverHost {
  readonly setup: DialogSetup
  readonly peer: DialogPeer
  readonly turn: InviteTurn
  readonly session: DialogSession
  readonly state: () => Dialog['state']
  /** An offer of ours waits for its answer. */
  readonly offering: () => boolean
  /** Hand it to whoever listens. */
  readonly handUp: (request: InDialogRequest) => 'heard' | 'unheard' | 'failed'
  /** A BYE came and was answered. */
  readonly hungUp: (bye: SipRequest) => void
  /** A re-INVITE was accepted. */
  readonly awaitAck: (invite: SipRequest, transaction: ServerTransaction, response: SipResponse) => void
  /** A PRACK: undefined when it acknowledges nothing, else what to do once it has been answered. */
  readonly pracked: (request: SipRequest) => (() => void) | undefined
}

/** Requests whose Contact says where the peer is from now on (RFC 3261 §12.2, RFC 3311, RFC 3515, RFC 6665). */
const refreshing = new Set(['INVITE', 'UPDATE', 'REFER', 'SUBSCRIBE', 'NOTIFY'])

export class DialogReceiver {
  readonly #host: ReceiverHost
  /** Their re-INVITE, and their UPDATE, that we have not answered. */
  #invite: InDialogRequest | undefined
  #update: InDialogRequest | undefined

  constructor(host: ReceiverHost) {
    this.#host = host
  }

  receive(request: SipRequest, flow: WireFlow): void {
    const { peer, setup, state } = this.#host
    const { context } = setup
    const moved = !peer.knows(flow.remote.ip)
    if (moved && !peer.vouched(request, flow)) return
    const seq = cseqOf(request)?.seq ?? 0
    if (peer.isOld(seq)) return this.#respondStateless(request, flow, 500)
    if (state() === 'terminated' && request.method !== 'BYE') return this.#respondStateless(request, flow, 481)
    if (refuseUnsupported(context, request, flow) || refuseShortSession(context, request, flow)) return
    // The peer came back on a new connection, or its NAT gave it a new port.
    peer.served(seq, moved || flow.remote.ip === peer.flow.remote.ip ? flow : peer.flow)
    if (request.method === 'INVITE') return this.#receiveInvite(request, flow)
    const received = this.#open(request, flow)
    if (request.method === 'BYE') this.#receiveBye(received)
    else if (request.method === 'PRACK') this.#receivePrack(received)
    else if (request.method === 'UPDATE') this.#receiveUpdate(received)
    else this.#handUp(received)
  }

  /** The dialog is over: nobody will answer what is open (§15.1.2). */
  end(): void {
    this.#invite?.respond(487)
    this.#update?.respond(481)
  }

  #open(request: SipRequest, flow: WireFlow): ReceivedRequest {
    const { context } = this.#host.setup
    const transaction = context.transactions.open(request, flow)
    const received: ReceivedRequest = new ReceivedRequest({
      context,
      request,
      flow,
      transaction,
      answered: (response) => this.#answered(received, response),
    })
    return received
  }

  /** RFC 6141: what was refused changed nothing, neither the session nor where the peer is. */
  #answered(received: InDialogRequest, response: SipResponse): void {
    const { request } = received
    const { peer, session, state } = this.#host
    if (this.#update === received) this.#update = undefined
    if (response.status >= 300 || state() === 'terminated') return
    if (refreshing.has(request.method)) peer.refreshTarget(request)
    if (request.method !== 'UPDATE' || state() === 'early') return
    session.describe(response)
    session.acceptedByUs(request, response)
  }

  #receiveBye(received: ReceivedRequest): void {
    received.respond(200)
    this.#host.hungUp(received.request)
  }

  #receivePrack(received: ReceivedRequest): void {
    const { request } = received
    const goOn = this.#host.pracked(request)
    if (!goOn) return received.respond(481)
    // RFC 3262 §5: a description in it is the answer to ours, or a further offer.
    if (request.body.length > 0) this.#handUp(received)
    else received.respond(200)
    goOn()
  }

  #receiveUpdate(received: ReceivedRequest): void {
    const { turn, offering } = this.#host
    const offers = received.request.body.length > 0
    if (offers && offering()) return received.respond(491)
    if (this.#update || (offers && (this.#invite || turn.answering))) return received.respond(500, tryLater())
    this.#update = received
    this.#handUp(received)
  }

  #receiveInvite(request: SipRequest, flow: WireFlow): void {
    const { setup, turn, peer, state, offering, awaitAck } = this.#host
    const { context } = setup
    const early = state() === 'early'
    if (offering() || (early && setup.side === 'caller')) return this.#refuse(request, flow, 491)
    if (this.#invite || this.#update || early) return this.#refuse(request, flow, 500, tryLater().headers)
    const transaction = context.transactions.openInvite(request, flow, {
      toTag: peer.id.localTag,
      cancelled: () => received.respond(487),
      failed: () => this.#inviteDone(received),
    })
    const received: ReceivedRequest = new ReceivedRequest({
      context,
      request,
      flow,
      transaction,
      answered: (response) => {
        this.#answered(received, response)
        if (response.status < 300) awaitAck(request, transaction, response)
        this.#inviteDone(received)
      },
    })
    this.#invite = received
    turn.block()
    this.#handUp(received)
  }

  #inviteDone(received: InDialogRequest): void {
    if (this.#invite !== received) return
    this.#invite = undefined
    this.#host.turn.unblock()
  }

  #handUp(received: ReceivedRequest): void {
    const { method, body } = received.request
    const outcome = this.#host.handUp(received)
    if (outcome === 'failed') received.respond(500) // no answer at all would be asked for again and again
    if (outcome !== 'unheard') return
    // Signs of life and refreshes need nobody.
    received.respond(method === 'OPTIONS' || (method === 'UPDATE' && body.length === 0) ? 200 : 501)
  }

  #refuse(request: SipRequest, flow: WireFlow, status: number, headers: ExtraHeaders = {}): void {
    const { context, id } = this.#host.setup
    // Through a transaction: the refusal has to be resent until its ACK comes.
    const user = { toTag: id.localTag, cancelled: () => {}, failed: () => {} }
    const transaction = context.transactions.openInvite(request, flow, user)
    new ReceivedRequest({ context, request, flow, transaction }).respond(status, { headers })
  }

  #respondStateless(request: SipRequest, flow: WireFlow, status: number): void {
    this.#host.setup.context.transactions.respondStateless(request, localResponse(request, status), flow)
  }
}

/** §14.2, RFC 3311 §5.2: a random time between 0 and 10 seconds. */
const tryLater = () => ({ headers: { 'Retry-After': String(Math.floor(Math.random() * 11)) } })
