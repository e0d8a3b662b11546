/**
 * A dialog made by an INVITE, on either side of the call: early from the first provisional answer, confirmed by the 2xx.
 *
 *   call/, siprec/  ◀─ request, ended ──  here  ◀── in-dialog requests ──  user-agent
 *                   ── request, bye ───▶        ── through DialogPeer ───▶  transaction
 *
 * Says in which order things may be asked, and when it is over. peer.ts knows where the other side is, dialog-receiver.ts
 * takes what it asks, unacknowledged.ts resends a 2xx until its ACK comes, session.ts keeps the session alive.
 * RFC 3261 §12, §14, §15; RFC 3311; RFC 6026.
 */
import { Emitter } from '../../core/emitter.ts'
import { cseqOf } from '../message/fields.ts'
import type { NameAddr, SipRequest, SipResponse, SipUri } from '../message/types.ts'
import type {
  Dialog,
  DialogEnd,
  DialogEvents,
  DialogId,
  DialogSnapshot,
  ExtraHeaders,
  Flow,
  Payload,
} from '../stack.types.ts'
import type { ServerTransaction } from '../transaction/transactions.ts'
import type { ClientFailure } from '../transaction/types.ts'
import type { WireFlow } from '../transport/flow.ts'
import type { Context } from './context.ts'
import { DialogReceiver } from './dialog-receiver.ts'
import type { DialogSetup } from './dialog-setup.ts'
import type { DialogParty } from './dialog-table.ts'
import { backOffMs, InviteTurn } from './invite-turn.ts'
import { DialogPeer, type Reply } from './peer.ts'
import { DialogSession } from './session.ts'
import { UnacknowledgedAnswers } from './unacknowledged.ts'

/** The INVITE that called us, as its dialog needs it while it is early. */
export interface CalledInvite {
  /** A PRACK: undefined when it acknowledges nothing. `goOn` is called once it has been answered. */
  acknowledged(prack: SipRequest): { readonly described: boolean; readonly goOn: () => void } | undefined
  /** The caller gave up by BYE. */
  abandoned(bye: SipRequest): void
  /** Our side does not want it. */
  refused(): void
  /** No answer can be given any more. */
  lost(): void
}

type RequestPayload = Payload & { ackBody?: (response: SipResponse) => Payload }

export class SipDialog implements Dialog, DialogParty {
  readonly #setup: DialogSetup
  readonly #context: Context
  readonly #events = new Emitter<DialogEvents>()
  readonly #peer: DialogPeer
  readonly #turn: InviteTurn
  readonly #session: DialogSession
  readonly #answers: UnacknowledgedAnswers
  readonly #receiver: DialogReceiver
  /** On the side that was called, as long as it is of use. */
  #called: CalledInvite | undefined
  #state: Dialog['state'] = 'early'
  /** The peer has seen our tag: it called us and acknowledged an answer, or it is who answered. */
  #isKnown: boolean
  /** Requests of ours whose time has not come. */
  #waiting: (() => void)[] = []
  /** Our BYE, until it is answered. */
  #bye: PromiseWithResolvers<void> | undefined
  /** A BYE that waits for the ACK that must come before it. */
  #byeAfterAck: Payload | undefined

  /** @param kept Of a dialog that the process before this one confirmed. */
  constructor(setup: DialogSetup, called?: CalledInvite, kept?: DialogSnapshot['session']) {
    const { context, side } = setup
    this.#setup = setup
    this.#called = called
    this.#context = context
    this.#isKnown = side === 'caller' || kept !== undefined
    this.#peer = new DialogPeer(setup)
    this.#turn = new InviteTurn(context.clock, setup.firstOffer)
    this.#answers = new UnacknowledgedAnswers(context.clock, side === 'called' && !kept)
    this.#session = new DialogSession(context.clock, context.identity.session, {
      alive: () => this.#state === 'confirmed',
      request: (method, payload) => this.request(method, payload),
      refreshed: (response) => this.#events.emit('refreshed', response),
      expired: () => this.#expire(),
    })
    this.#receiver = new DialogReceiver({
      setup,
      peer: this.#peer,
      turn: this.#turn,
      session: this.#session,
      state: () => this.#state,
      offering: () => this.#turn.asking || this.#answers.offering,
      handUp: (request) => {
        const name = request.request.method === 'NOTIFY' && this.#events.hears('notify') ? 'notify' : 'request'
        if (!this.#events.hears(name)) return 'unheard'
        return this.#events.emit(name, request) ? 'heard' : 'failed'
      },
      hungUp: (bye) => this.#hungUp(bye),
      awaitAck: (invite, transaction, response) => this.awaitAck(invite, transaction, response),
      pracked: (request) => this.#pracked(request),
    })
    this.#events.onListenerError = (error) =>
      context.log.error('A listener of a SIP dialog failed', { error: String(error) })
    context.dialogs.set(setup.id, this)
    if (!kept) return
    this.confirm()
    this.#session.restore(kept)
  }

  /** For the process after this one; undefined unless it is confirmed. */
  get snapshot(): DialogSnapshot | undefined {
    return this.#state === 'confirmed' ? { ...this.#peer.snapshot, session: this.#session.snapshot } : undefined
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

  get takesInfo(): boolean | undefined {
    return this.#session.takesInfo
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
    // Before the ACK or a PRACK the peer may not have our answer yet, and would know no such dialog.
    const mayGo = (): boolean => this.#isKnown && (method !== 'INVITE' || this.#state !== 'early')
    while (this.#state !== 'terminated' && !mayGo()) await new Promise<void>((go) => this.#waiting.push(go))
    const offers = method === 'INVITE' || (method === 'UPDATE' && mayDescribe(payload))
    if (!offers) return this.#ask(method, payload)
    await this.#turn.take()
    try {
      const response = await this.#ask(method, payload)
      if (response.status !== 491) return response
      // §14.1, RFC 3311 §5.3: the other side was asking as well.
      await this.#turn.pause(backOffMs(this.#setup.side))
      return await this.#ask(method, payload)
    } finally {
      this.#turn.give()
    }
  }

  tell(headers: ExtraHeaders): Promise<void> {
    return this.#session.tell(headers)
  }

  bye(payload: Payload = {}): Promise<void> {
    if (this.#state === 'terminated') return this.#bye?.promise ?? Promise.resolve()
    if (this.#state === 'early' && this.#called) {
      // §15: who was called refuses instead.
      this.#end({ by: 'local' })
      this.#called.refused()
      return Promise.resolve()
    }
    this.#bye = Promise.withResolvers<void>()
    this.#end({ by: 'local' })
    // §15: who was called says BYE after the ACK, or when it did not come.
    if (!this.#answers.waiting) this.#sendBye(payload)
    else this.#byeAfterAck = payload
    return this.#bye.promise
  }

  /** The INVITE was accepted: by us, or by them with this answer. */
  confirm(response?: SipResponse): void {
    if (this.#state !== 'early') return
    if (response) this.#peer.confirm(response)
    this.#state = 'confirmed'
    this.#turn.settleFirst()
    this.#wake()
  }

  /** No PRACK will come: let go of what it would be held against. */
  forgetInvite(): void {
    this.#called = undefined
  }

  /** A reliable provisional answer came or went with a description: the offer of the INVITE's is answered, or ours is made. */
  described(by: 'us' | 'them'): void {
    if (by === 'us') this.#turn.describedFirst()
    else this.#turn.settleFirst()
  }

  /** Acknowledge a reliable provisional answer (RFC 3262 §4). What is to be done when it fails is up to the callee (§3). */
  async prack(rack: string, payload: Payload): Promise<void> {
    const acknowledging = { ...payload, headers: { ...payload.headers, RAck: rack } }
    const wanted = () => this.#state !== 'terminated'
    const { response } = await this.#peer.ask('PRACK', acknowledging, { wanted })
    if (response.status < 300 && response.body.length > 0 && wanted()) this.#events.emit('refreshed', response)
  }

  /** Resend our 2xx until its ACK comes, else end. */
  awaitAck(invite: SipRequest, transaction: ServerTransaction, response: SipResponse): void {
    this.#peer.announced(response)
    this.#session.describe(response)
    this.#session.heard(invite)
    this.#session.acceptedByUs(invite, response)
    this.#turn.block()
    const send = (): void => transaction.respond(response)
    const offers = invite.body.length === 0 && response.body.length > 0
    this.#answers.resend(cseqOf(invite)?.seq ?? 0, offers, send, () => this.#noAck())
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
    const again = sendAck(this.#context, ack, this.#peer.nextFlow())
    this.#peer.refreshTarget(response)
    return again
  }

  receive(request: SipRequest, flow: WireFlow): void {
    this.#receiver.receive(request, flow)
  }

  receiveAck(request: SipRequest, flow: WireFlow): void {
    // An ACK cannot be challenged.
    if (!this.#peer.knows(flow.remote.ip) && this.#context.guard?.(request, flow) !== 'pass') {
      this.#context.counters.foreignInDialog++
      return
    }
    if (!this.#answers.take(request, cseqOf(request)?.seq ?? 0)) {
      if (this.#state === 'early') this.#context.counters.unmatched++
      return // a copy
    }
    this.#known()
    this.#turn.unblock()
    if (this.#state === 'confirmed') this.#events.emit('ack', request)
    if (this.#byeAfterAck) this.#sendBye(this.#byeAfterAck)
  }

  /** Leave the table, cancel all timers, tell who still waits. */
  drop(): void {
    const wasEarly = this.#state === 'early'
    this.#end({ by: 'gone' })
    this.#answers.stop()
    this.#peer.forget()
    this.#context.dialogs.remove(this.id, this)
    this.#bye?.resolve()
    if (wasEarly) this.#called?.lost()
  }

  #hungUp(bye: SipRequest): void {
    const wasEarly = this.#state === 'early'
    this.#end({ by: 'remote', request: bye })
    if (wasEarly) this.#called?.abandoned(bye)
    // A BYE of ours that is under way keeps the dialog until it is answered; one that waits for an ACK need not go.
    if (!this.#bye || this.#byeAfterAck) this.drop()
  }

  #pracked(prack: SipRequest): (() => void) | undefined {
    const acknowledged = this.#called?.acknowledged(prack)
    if (!acknowledged) return undefined
    this.#known()
    if (acknowledged.described) this.#turn.settleFirst()
    return acknowledged.goOn
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
      // It may live and not have heard us: then a BYE spares it the wait for its session timer.
      if (by === 'gone') this.drop()
      else this.#sendBye({ headers: { Reason: 'SIP;cause=408;text="Request Timeout"' } })
    } else if (method === 'UPDATE' && response.status < 300) {
      this.#peer.refreshTarget(response)
      if (this.#state === 'confirmed') this.#session.acceptedByThem(response)
    }
    return response
  }

  /** Send a request and wait; a 2xx to an INVITE is ACKed each time it comes. */
  #exchange(method: string, payload: RequestPayload): Promise<Reply> {
    const refreshes = method === 'INVITE' || method === 'UPDATE'
    const whole = refreshes ? { ...payload, headers: { ...this.#session.offer, ...payload.headers } } : payload
    const wanted = () => this.#state !== 'terminated' || method === 'BYE'
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

  #known(): void {
    this.#isKnown = true
    this.#wake()
  }

  #wake(): void {
    for (const go of this.#waiting.splice(0)) go()
  }

  /** Tell it once. The dialog stays in the table while a BYE of ours is under way. */
  #end(end: DialogEnd): void {
    if (this.#state === 'terminated') return
    this.#state = 'terminated'
    this.#receiver.end()
    this.#turn.end()
    this.#session.stop()
    this.#answers.giveUp()
    this.#wake()
    this.#events.emit('ended', end)
  }
}

/** Apart, so that what repeats an ACK long after the call does not keep the dialog in memory. */
function sendAck(
  { transactions }: Context,
  ack: SipRequest,
  flow: WireFlow | undefined | Promise<WireFlow | undefined>,
): () => void {
  if (!(flow instanceof Promise)) return flow ? transactions.sendAck(ack, flow) : () => {}
  let again: (() => void) | undefined
  void flow.then((found) => {
    again = found && transactions.sendAck(ack, found)
  })
  return () => again?.()
}

/** Which failures of a request end the dialog (§12.2.1.2), and what that is called. */
function endOf(status: number, failure: ClientFailure | undefined): 'timeout' | 'transport' | 'gone' | undefined {
  if (failure) return failure
  if (status === 481) return 'gone'
  return status === 408 ? 'timeout' : undefined
}

/** A body that is, or may hold, a session description: no request for recording metadata (RFC 7866 §9.1). */
const mayDescribe = ({ body, contentType = '' }: Payload): boolean =>
  (body?.length ?? 0) > 0 && /^(?:application\/sdp|multipart\/)/i.test(contentType)
