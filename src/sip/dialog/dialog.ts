/**
 * A confirmed INVITE dialog, on either side of the call.
 *
 *   call/, siprec/  ◀─ request, ended ──  here  ◀── in-dialog requests ──  user-agent
 *                   ── request, bye ───▶        ── through Exchange ─────▶  transaction
 *
 * Keeps sequence numbers, route set and remote target; answers BYE and wrong sequence numbers by itself; resends a 2xx
 * until its ACK comes; waits its turn for re-INVITEs. RFC 3261 §12, §13.3.1.4, §14, §15; RFC 6026.
 * Keeps the session alive by session-timer.ts.
 */
import { Emitter } from '../../core/emitter.ts'
import { createResponse } from '../message/build.ts'
import { cseqOf } from '../message/fields.ts'
import { parseNameAddr } from '../message/name-addr.ts'
import type { NameAddr, SipRequest, SipResponse, SipUri } from '../message/types.ts'
import type {
  Dialog,
  DialogEnd,
  DialogEvents,
  DialogId,
  ExtraHeaders,
  Flow,
  InDialogRequest,
  Payload,
} from '../stack.types.ts'
import type { ServerTransaction } from '../transaction/transactions.ts'
import type { ClientFailure } from '../transaction/types.ts'
import type { WireFlow } from '../transport/flow.ts'
import { AnswerResend } from './answer-resend.ts'
import type { Context } from './context.ts'
import type { DialogSetup } from './dialog-setup.ts'
import type { DialogParty } from './dialog-table.ts'
import { Exchange } from './exchange.ts'
import { SipError } from './failures.ts'
import { ReceivedRequest } from './incoming-request.ts'
import { backOffMs, InviteTurn } from './invite-turn.ts'
import { refuseShortSession, refuseUnsupported } from './require.ts'
import { addressed, type DialogPath, mayComeFrom, nextFlow } from './route.ts'
import { agreedByThem, agreedByUs, allowsUpdate, SessionTimer, sessionOffer } from './session-timer.ts'
import { contactFor, localResponse, writeRequest } from './write.ts'

type RequestPayload = Payload & { ackBody?: (response: SipResponse) => Payload }

export class SipDialog implements Dialog, DialogParty {
  readonly id: DialogId
  readonly local: NameAddr
  readonly remote: NameAddr
  readonly acknowledged: Promise<SipRequest | undefined>
  readonly #setup: DialogSetup
  readonly #context: Context
  readonly #events = new Emitter<DialogEvents>()
  readonly #turn: InviteTurn
  readonly #session: SessionTimer
  readonly #acknowledge = Promise.withResolvers<SipRequest | undefined>()
  /** Answers that wait for their ACK, by CSeq number. */
  readonly #unacknowledged = new Map<number, AnswerResend>()
  /** A re-INVITE of theirs that we have not answered. */
  #pendingInvite: InDialogRequest | undefined
  #isAcknowledged: boolean
  #state: Dialog['state'] = 'confirmed'
  #flow: Flow
  #target: SipUri
  #localSeq: number
  #remoteSeq: number
  /** Our side of the session as told last, to tell it again in a refresh by re-INVITE. */
  #description: Uint8Array | undefined
  /** The peer takes an UPDATE, as its Allow says; without one a re-INVITE is safer. */
  #takesUpdate = false
  /** Our BYE, until it is answered. */
  #bye: PromiseWithResolvers<void> | undefined
  /** A BYE that waits for the ACK that must come before it. */
  #byeAfterAck: Payload | undefined

  constructor(setup: DialogSetup) {
    this.#setup = setup
    this.#context = setup.context
    this.id = setup.id
    this.#flow = setup.flow
    const unknown: NameAddr = { uri: setup.remoteTarget, params: new Map() }
    this.local = parseNameAddr(setup.local) ?? unknown
    this.remote = parseNameAddr(setup.remote) ?? unknown
    this.#target = setup.remoteTarget
    this.#localSeq = setup.localSeq
    this.#remoteSeq = setup.remoteSeq ?? -1
    this.#turn = new InviteTurn(setup.context.clock)
    this.#session = new SessionTimer(setup.context.clock, {
      refresh: () => this.#refresh(),
      expire: () => this.#expire(),
    })
    this.#events.onListenerError = (error) =>
      setup.context.log.error('A listener of a SIP dialog failed', { error: String(error) })
    this.acknowledged = this.#acknowledge.promise
    this.acknowledged.catch(() => {}) // not everybody waits for it
    this.#isAcknowledged = setup.side === 'caller'
    if (this.#isAcknowledged) this.#acknowledge.resolve(undefined)
    setup.context.dialogs.set(setup.id, this)
  }

  get state(): Dialog['state'] {
    return this.#state
  }

  get flow(): Flow {
    return this.#flow
  }

  get remoteTarget(): SipUri {
    return this.#target
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
    if (this.#unacknowledged.size === 0) this.#sendBye(payload)
    else this.#byeAfterAck = payload
    return this.#bye.promise
  }

  /** Resend our 2xx until its ACK comes, else end. */
  awaitAck(invite: SipRequest, transaction: ServerTransaction, response: SipResponse): void {
    const seq = cseqOf(invite)?.seq ?? 0
    this.#describe(response)
    this.#takesUpdate = allowsUpdate(invite)
    this.#session.set(agreedByUs(invite, response))
    this.#turn.block()
    const resend = new AnswerResend(
      this.#context.clock,
      () => transaction.respond(response),
      () => this.#noAck(seq),
    )
    this.#unacknowledged.set(seq, resend)
  }

  /** ACK a 2xx to our INVITE. Returns how to do it again when the 2xx comes again. */
  ack(invite: SipRequest, response: SipResponse, payload: Payload = {}): () => void {
    const seq = cseqOf(invite)?.seq ?? 0
    const ack = this.#write('ACK', seq, payload)
    this.#describe(invite)
    this.#describe(ack)
    this.#takesUpdate = allowsUpdate(response)
    if (this.#state === 'confirmed') this.#session.set(agreedByThem(this.#context.identity.session, response))
    for (const name of ['Authorization', 'Proxy-Authorization']) {
      for (const value of invite.headers.all(name)) ack.headers.append(name, value) // §13.2.2.4
    }
    let again: (() => void) | undefined
    const send = (flow: WireFlow | undefined) => {
      if (flow) again = this.#context.transactions.sendAck(ack, flow)
    }
    const flow = this.#nextFlow()
    if (flow instanceof Promise) void flow.then(send)
    else send(flow)
    this.#refreshTarget(response)
    return () => again?.()
  }

  receive(request: SipRequest, flow: WireFlow): void {
    const { transactions } = this.#context
    const moved = !mayComeFrom(this.#path, flow.remote.ip)
    if (moved && !this.#vouched(request, flow)) return
    const seq = cseqOf(request)?.seq ?? 0
    // §12.2.2. An equal number is a copy that took another path.
    if (seq <= this.#remoteSeq) return transactions.respondStateless(request, localResponse(request, 500), flow)
    if (this.#state === 'terminated' && request.method !== 'BYE') {
      return transactions.respondStateless(request, localResponse(request, 481), flow)
    }
    if (refuseUnsupported(this.#context, request, flow) || refuseShortSession(this.#context, request, flow)) return
    this.#remoteSeq = seq
    // The peer came back on a new connection, or its NAT gave it a new port.
    if (moved || flow.remote.ip === this.#flow.remote.ip) this.#flow = flow
    if (request.method === 'BYE') this.#receiveBye(request, flow)
    else if (request.method === 'INVITE') this.#receiveInvite(request, flow)
    else this.#receiveOther(request, flow)
  }

  receiveAck(request: SipRequest, flow: WireFlow): void {
    // An ACK cannot be challenged.
    if (!mayComeFrom(this.#path, flow.remote.ip) && this.#context.guard?.(request, flow) !== 'pass') {
      this.#context.counters.foreignInDialog++
      return
    }
    const seq = cseqOf(request)?.seq ?? 0
    const resend = this.#unacknowledged.get(seq)
    if (!resend) return // a copy
    resend.stop()
    this.#unacknowledged.delete(seq)
    this.#turn.unblock()
    this.#isAcknowledged = true
    this.#acknowledge.resolve(request)
    if (this.#state === 'confirmed') this.#events.emit('ack', request)
    if (this.#byeAfterAck) this.#sendBye(this.#byeAfterAck)
  }

  /** Leave the table, cancel all timers, tell who still waits. */
  drop(): void {
    this.#end({ by: 'gone' })
    for (const resend of this.#unacknowledged.values()) resend.stop()
    this.#unacknowledged.clear()
    this.#context.dialogs.remove(this.id, this)
    this.#bye?.resolve()
  }

  /**
   * A request from an address that is not the peer's: a phone that went from one network to another, a carrier with
   * several servers, or a forger who overheard the call. Whoever the guard lets in is the peer.
   */
  #vouched(request: SipRequest, flow: WireFlow): boolean {
    const { guard, counters, transactions } = this.#context
    const verdict = guard ? guard(request, flow) : ({ status: 481 } as const)
    if (verdict === 'pass') return true
    counters.foreignInDialog++
    if (verdict !== 'drop')
      transactions.respondStateless(
        request,
        createResponse(request, verdict.status, { headers: verdict.headers ?? {} }),
        flow,
      )
    return false
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
        this.#describe(response)
        this.#session.set(agreedByUs(request, response))
      },
    })
    if (request.method === 'UPDATE') {
      // RFC 3311 §5.2: one offer at a time.
      if (this.#turn.asking) return received.respond(491)
      if (this.#pendingInvite) return received.respond(500, { headers: { 'Retry-After': retryAfterS() } })
      this.#refreshTarget(request)
    }
    if (request.method === 'PRACK') return received.respond(this.#setup.prack?.(request) ?? 481)
    this.#offer(received)
  }

  #receiveInvite(request: SipRequest, flow: WireFlow): void {
    const { transactions } = this.#context
    if (this.#turn.asking) return this.#refuse(request, flow, 491)
    if (this.#pendingInvite) return this.#refuse(request, flow, 500, { 'Retry-After': retryAfterS() })
    this.#refreshTarget(request)
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

  #noAck(seq: number): void {
    this.#unacknowledged.delete(seq)
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
      this.#refreshTarget(response)
      this.#session.set(agreedByThem(this.#context.identity.session, response))
    }
    return response
  }

  /** Send a request and wait. Never rejects: what did not come is made here. */
  async #exchange(
    method: string,
    payload: RequestPayload,
  ): Promise<{ response: SipResponse; failure?: ClientFailure | undefined }> {
    const next = this.#nextFlow()
    const flow = next instanceof Promise ? await next : next
    const request = this.#write(method, ++this.#localSeq, payload)
    if (this.#state === 'terminated' && method !== 'BYE') return { response: localResponse(request, 481) }
    if (!flow) return { response: localResponse(request, 503), failure: 'transport' }
    return new Promise((resolve) => {
      let again: (() => void) | undefined
      const { credentials, stay } = this.#setup
      const options = { request, flow, fixed: stay, nextSeq: () => ++this.#localSeq, credentials }
      const exchange = new Exchange(this.#context, options, {
        final: (response, failure) => {
          if (method === 'INVITE' && response.status < 300) {
            if (again) return again()
            again = this.ack(exchange.request, response, payload.ackBody?.(response))
          }
          resolve({ response, failure })
        },
      })
    })
  }

  #write(method: string, seq: number, payload: Payload): SipRequest {
    const { local, remote, id, contactUser, contactParams = '', routeSet } = this.#setup
    const { uri, routes } = addressed(routeSet, this.#target)
    const refreshes = method === 'INVITE' || method === 'UPDATE'
    return writeRequest(this.#context.identity, {
      method,
      uri,
      from: local,
      to: remote,
      callId: id.callId,
      seq,
      routes,
      payload: refreshes ? { ...payload, headers: { ...this.#sessionOffer(), ...payload.headers } } : payload,
      ...((refreshes || method === 'NOTIFY') && {
        contact: contactFor(this.#context, this.#flow, contactUser, uri) + contactParams,
      }),
    })
  }

  #sessionOffer(): ExtraHeaders {
    const { agreed } = this.#session
    return agreed ? sessionOffer(this.#context.identity.session, agreed) : {}
  }

  /** RFC 4028 §7.4: by UPDATE where the peer takes it, else by a re-INVITE that changes nothing. */
  async #refresh(): Promise<void> {
    const { agreed } = this.#session
    if (!agreed) return
    if (this.#takesUpdate) {
      const { status } = await this.request('UPDATE')
      this.#takesUpdate = status !== 405 && status !== 501
      if (!agreed.peerKnows && this.#state === 'confirmed') this.#session.set({ ...agreed })
    }
    if (this.#takesUpdate || !agreed.peerKnows || !this.#description) return
    const response = await this.request('INVITE', { body: this.#description, contentType: 'application/sdp' })
    if (response.status < 300 && this.#state === 'confirmed') this.#events.emit('refreshed', response)
  }

  #expire(): void {
    this.#end({ by: 'expired' })
    this.#sendBye({ headers: { Reason: 'SIP;cause=408;text="Session expired"' } })
  }

  /** Keep what we said last about our side of the session. */
  #describe({ headers, body }: SipRequest | SipResponse): void {
    if (body.length > 0 && /^application\/sdp\b/i.test(headers.get('Content-Type') ?? '')) this.#description = body
  }

  get #path(): DialogPath {
    const { routeSet, stay } = this.#setup
    return { flow: this.#flow, routeSet, stay, target: this.#target }
  }

  #nextFlow(): WireFlow | undefined | Promise<WireFlow | undefined> {
    return nextFlow(this.#context.transport, this.#path)
  }

  /** §12.2.1.2, §12.2.2: a new Contact is where the peer is now. */
  #refreshTarget(message: SipRequest | SipResponse): void {
    const contact = parseNameAddr(message.headers.get('Contact') ?? '')
    if (contact) this.#target = contact.uri
  }

  /** Tell it once. The dialog stays in the table while a BYE of ours is under way. */
  #end(end: DialogEnd): void {
    if (this.#state === 'terminated') return
    this.#state = 'terminated'
    this.#pendingInvite?.respond(487) // §15.1.2
    this.#turn.end()
    this.#session.stop()
    if (!this.#isAcknowledged) this.#acknowledge.reject(new SipError('sip.dialog-ended'))
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
