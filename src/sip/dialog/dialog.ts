/**
 * A confirmed INVITE dialog, on either side of the call.
 *
 *   call/, siprec/  ◀─ request, ended ──  here  ◀── in-dialog requests ──  user-agent
 *                   ── request, bye ───▶        ── through Exchange ─────▶  transaction
 *
 * Answers BYE and wrong sequence numbers by itself; waits its turn for re-INVITEs. peer.ts knows where the other side is,
 * unacknowledged.ts resends a 2xx until its ACK comes, session.ts keeps the session alive. RFC 3261 §12, §14, §15; RFC 6026.
 */
import { Emitter } from '../../core/emitter.ts'
import { cseqOf } from '../message/fields.ts'
import type { NameAddr, SipRequest, SipResponse, SipUri } from '../message/types.ts'
import type { Dialog, DialogEnd, DialogEvents, DialogId, Flow, InDialogRequest, Payload } from '../stack.types.ts'
import type { ServerTransaction } from '../transaction/transactions.ts'
import type { ClientFailure } from '../transaction/types.ts'
import type { WireFlow } from '../transport/flow.ts'
import type { Context } from './context.ts'
import type { DialogSetup } from './dialog-setup.ts'
import type { DialogParty } from './dialog-table.ts'
import { ReceivedRequest } from './incoming-request.ts'
import { backOffMs, InviteTurn } from './invite-turn.ts'
import { DialogPeer, type Reply } from './peer.ts'
import { refuseShortSession, refuseUnsupported } from './require.ts'
import { DialogSession } from './session.ts'
import { UnacknowledgedAnswers } from './unacknowledged.ts'
import { localResponse } from './write.ts'

type RequestPayload = Payload & { ackBody?: (response: SipResponse) => Payload }

export class SipDialog implements Dialog, DialogParty {
  readonly #setup: DialogSetup
  readonly #context: Context
  readonly #events = new Emitter<DialogEvents>()
  readonly #peer: DialogPeer
  readonly #turn: InviteTurn
  readonly #session: DialogSession
  readonly #answers: UnacknowledgedAnswers
  /** A re-INVITE of theirs that we have not answered. */
  #pendingInvite: InDialogRequest | undefined
  #state: Dialog['state'] = 'confirmed'
  /** Our BYE, until it is answered. */
  #bye: PromiseWithResolvers<void> | undefined
  /** A BYE that waits for the ACK that must come before it. */
  #byeAfterAck: Payload | undefined

  constructor(setup: DialogSetup) {
    const { context } = setup
    this.#setup = setup
    this.#context = context
    this.#peer = new DialogPeer(setup)
    this.#turn = new InviteTurn(context.clock)
    this.#answers = new UnacknowledgedAnswers(context.clock, setup.side === 'called')
    this.#session = new DialogSession(context.clock, context.identity.session, {
      alive: () => this.#state === 'confirmed',
      request: (method, payload) => this.request(method, payload),
      refreshed: (response) => this.#events.emit('refreshed', response),
      expired: () => this.#expire(),
    })
    this.#events.onListenerError = (error) =>
      context.log.error('A listener of a SIP dialog failed', { error: String(error) })
    context.dialogs.set(setup.id, this)
  }

  get id(): DialogId {
    return this.#setup.id
  }

  get local(): NameAddr {
    return this.#peer.local
  }

  get remote(): NameAddr {
    return this.#peer.remote
  }

  get acknowledged(): Promise<SipRequest | undefined> {
    return this.#answers.first
  }

  get state(): Dialog['state'] {
    return this.#state
  }

  get flow(): Flow {
    return this.#peer.flow
  }

  get remoteTarget(): SipUri {
    return this.#peer.target
  }

  on<Name extends keyof DialogEvents>(name: Name, listener: (event: DialogEvents[Name]) => void): () => void {
    return this.#events.on(name, listener)
  }

  async request(method: string, payload: RequestPayload = {}): Promise<SipResponse> {
    // Before the ACK the peer may not have our 2xx yet, and would know no such dialog.
    await this.acknowledged.catch(() => {})
    if (method !== 'INVITE') return this.#ask(method, payload)
    await this.#turn.take()
    try {
      const response = await this.#ask('INVITE', payload)
      if (response.status !== 491) return response
      // §14.1: the other side was asking as well.
      await this.#turn.pause(backOffMs(this.#setup.side))
      return await this.#ask('INVITE', payload)
    } finally {
      this.#turn.give()
    }
  }

  bye(payload: Payload = {}): Promise<void> {
    if (this.#state === 'terminated') return this.#bye?.promise ?? Promise.resolve()
    this.#bye = Promise.withResolvers<void>()
    this.#end({ by: 'local' })
    // §15: who was called says BYE after the ACK, or when it did not come.
    if (!this.#answers.waiting) this.#sendBye(payload)
    else this.#byeAfterAck = payload
    return this.#bye.promise
  }

  /** Resend our 2xx until its ACK comes, else end. */
  awaitAck(invite: SipRequest, transaction: ServerTransaction, response: SipResponse): void {
    this.#session.describe(response)
    this.#session.heard(invite)
    this.#session.acceptedByUs(invite, response)
    this.#turn.block()
    const send = (): void => transaction.respond(response)
    this.#answers.resend(cseqOf(invite)?.seq ?? 0, send, () => this.#noAck())
  }

  /** ACK a 2xx to our INVITE. Returns how to do it again when the 2xx comes again. */
  ack(invite: SipRequest, response: SipResponse, payload: Payload = {}): () => void {
    const ack = this.#peer.write('ACK', cseqOf(invite)?.seq ?? 0, payload)
    this.#session.describe(invite)
    this.#session.describe(ack)
    this.#session.heard(response)
    if (this.#state === 'confirmed') this.#session.acceptedByThem(response)
    for (const name of ['Authorization', 'Proxy-Authorization']) {
      for (const value of invite.headers.all(name)) ack.headers.append(name, value) // §13.2.2.4
    }
    let again: (() => void) | undefined
    const send = (flow: WireFlow | undefined) => {
      if (flow) again = this.#context.transactions.sendAck(ack, flow)
    }
    const flow = this.#peer.nextFlow()
    if (flow instanceof Promise) void flow.then(send)
    else send(flow)
    this.#peer.refreshTarget(response)
    return () => again?.()
  }

  receive(request: SipRequest, flow: WireFlow): void {
    const { transactions } = this.#context
    const peer = this.#peer
    const moved = !peer.knows(flow.remote.ip)
    if (moved && !peer.vouched(request, flow)) return
    const seq = cseqOf(request)?.seq ?? 0
    if (peer.isOld(seq)) return transactions.respondStateless(request, localResponse(request, 500), flow)
    if (this.#state === 'terminated' && request.method !== 'BYE') {
      return transactions.respondStateless(request, localResponse(request, 481), flow)
    }
    if (refuseUnsupported(this.#context, request, flow) || refuseShortSession(this.#context, request, flow)) return
    // The peer came back on a new connection, or its NAT gave it a new port.
    peer.served(seq, moved || flow.remote.ip === peer.flow.remote.ip ? flow : peer.flow)
    if (request.method === 'BYE') this.#receiveBye(request, flow)
    else if (request.method === 'INVITE') this.#receiveInvite(request, flow)
    else this.#receiveOther(request, flow)
  }

  receiveAck(request: SipRequest, flow: WireFlow): void {
    // An ACK cannot be challenged.
    if (!this.#peer.knows(flow.remote.ip) && this.#context.guard?.(request, flow) !== 'pass') {
      this.#context.counters.foreignInDialog++
      return
    }
    if (!this.#answers.take(request, cseqOf(request)?.seq ?? 0)) return // a copy
    this.#turn.unblock()
    if (this.#state === 'confirmed') this.#events.emit('ack', request)
    if (this.#byeAfterAck) this.#sendBye(this.#byeAfterAck)
  }

  /** Leave the table, cancel all timers, tell who still waits. */
  drop(): void {
    this.#end({ by: 'gone' })
    this.#answers.stop()
    this.#context.dialogs.remove(this.id, this)
    this.#bye?.resolve()
  }

  #receiveBye(request: SipRequest, flow: WireFlow): void {
    const transaction = this.#context.transactions.open(request, flow)
    new ReceivedRequest({ context: this.#context, request, flow, transaction }).respond(200)
    this.#end({ by: 'remote', request })
    // A BYE of ours that is under way keeps the dialog until it is answered; one that waits for an ACK need not go.
    if (!this.#bye || this.#byeAfterAck) this.drop()
  }

  #receiveOther(request: SipRequest, flow: WireFlow): void {
    const transaction = this.#context.transactions.open(request, flow)
    const received = new ReceivedRequest({
      context: this.#context,
      request,
      flow,
      transaction,
      answered: (response) => {
        if (request.method !== 'UPDATE' || response.status >= 300 || this.#state === 'terminated') return
        this.#session.describe(response)
        this.#session.acceptedByUs(request, response)
      },
    })
    if (request.method === 'UPDATE') {
      // RFC 3311 §5.2: one offer at a time.
      if (this.#turn.asking) return received.respond(491)
      if (this.#pendingInvite) return received.respond(500, { headers: { 'Retry-After': retryAfterS() } })
      this.#peer.refreshTarget(request)
    }
    if (request.method === 'PRACK') return received.respond(this.#setup.prack?.(request) ?? 481)
    this.#offer(received)
  }

  #receiveInvite(request: SipRequest, flow: WireFlow): void {
    const { transactions } = this.#context
    if (this.#turn.asking) return this.#refuse(request, flow, 491)
    if (this.#pendingInvite) return this.#refuse(request, flow, 500, { 'Retry-After': retryAfterS() })
    this.#peer.refreshTarget(request)
    const transaction = transactions.openInvite(request, flow, {
      toTag: this.id.localTag,
      cancelled: () => received.respond(487),
      failed: () => this.#answeredInvite(received),
    })
    const received: ReceivedRequest = new ReceivedRequest({
      context: this.#context,
      request,
      flow,
      transaction,
      answered: (response) => {
        if (response.status < 300) this.awaitAck(request, transaction, response)
        this.#answeredInvite(received)
      },
    })
    this.#pendingInvite = received
    this.#turn.block()
    this.#offer(received)
  }

  #answeredInvite(received: InDialogRequest): void {
    if (this.#pendingInvite !== received) return
    this.#pendingInvite = undefined
    this.#turn.unblock()
  }

  #refuse(request: SipRequest, flow: WireFlow, status: number, headers = {}): void {
    // Through a transaction: the refusal has to be resent until its ACK comes.
    const user = { toTag: this.id.localTag, cancelled: () => {}, failed: () => {} }
    const transaction = this.#context.transactions.openInvite(request, flow, user)
    new ReceivedRequest({ context: this.#context, request, flow, transaction }).respond(status, { headers })
  }

  #offer(received: InDialogRequest): void {
    if (this.#events.hears('request')) this.#events.emit('request', received)
    else received.respond(received.request.method === 'OPTIONS' ? 200 : 501)
  }

  #noAck(): void {
    this.#turn.unblock()
    if (this.#byeAfterAck) return this.#sendBye(this.#byeAfterAck)
    if (this.#state === 'terminated') return
    this.#end({ by: 'no-ack' })
    this.#sendBye({})
  }

  #sendBye(payload: Payload): void {
    this.#byeAfterAck = undefined
    void this.#exchange('BYE', payload).then(() => this.drop())
  }

  /** A request whose failure may end the dialog (§12.2.1.2). */
  async #ask(method: string, payload: RequestPayload): Promise<SipResponse> {
    const { response, failure } = await this.#exchange(method, payload)
    if (this.#state === 'terminated') return response
    // RFC 5057 §5.1: what becomes of a report concerns its subscription, not the call.
    const by = method === 'NOTIFY' ? undefined : endOf(response.status, failure)
    if (by) {
      this.#end({ by })
      this.drop()
    } else if (method === 'UPDATE' && response.status < 300) {
      this.#peer.refreshTarget(response)
      this.#session.acceptedByThem(response)
    }
    return response
  }

  /** Send a request and wait; a 2xx to an INVITE is ACKed each time it comes. */
  #exchange(method: string, payload: RequestPayload): Promise<Reply> {
    const refreshes = method === 'INVITE' || method === 'UPDATE'
    const whole = refreshes ? { ...payload, headers: { ...this.#session.offer, ...payload.headers } } : payload
    const wanted = () => this.#state === 'confirmed' || method === 'BYE'
    if (method !== 'INVITE') return this.#peer.ask(method, whole, { wanted })
    let again: (() => void) | undefined
    return this.#peer.ask(method, whole, {
      wanted,
      accepted: (invite, response) => {
        if (again) again()
        else again = this.ack(invite, response, payload.ackBody?.(response))
      },
    })
  }

  #expire(): void {
    this.#end({ by: 'expired' })
    this.#sendBye({ headers: { Reason: 'SIP;cause=408;text="Session expired"' } })
  }

  /** Tell it once. The dialog stays in the table while a BYE of ours is under way. */
  #end(end: DialogEnd): void {
    if (this.#state === 'terminated') return
    this.#state = 'terminated'
    this.#pendingInvite?.respond(487) // §15.1.2
    this.#turn.end()
    this.#session.stop()
    this.#answers.giveUp()
    this.#events.emit('ended', end)
  }
}

/** Which failures of a request end the dialog (§12.2.1.2), and what that is called. */
function endOf(status: number, failure: ClientFailure | undefined): 'timeout' | 'transport' | 'gone' | undefined {
  if (failure) return failure
  if (status === 481) return 'gone'
  return status === 408 ? 'timeout' : undefined
}

/** §14.2: a random time between 0 and 10 seconds. */
const retryAfterS = (): string => String(Math.floor(Math.random() * 11))
