/**
 * A simulated phone: registers for an extension, calls and is called. For the demo and for tests of whole calls.
 *
 *   script  ── register, call, press, hangUp ─▶  here  ── SipStack, RtpEndpoint ─▶  any SIP server
 *
 * Our own stack and media, no sound card: it plays speech from memory and keeps what it hears.
 */
import type { G711Law } from '../codec/g711.ts'
import { type Clock, sleep } from '../core/clock.ts'
import { Emitter } from '../core/emitter.ts'
import { endpointText } from '../core/ip.ts'
import { type Logger, silentLogger } from '../core/logger.ts'
import { newId, randomUint32 } from '../core/random.ts'
import { createSipStack } from '../sip/stack.ts'
import type { Address, IncomingInvite, RequestOptions, SipStack, Target } from '../sip/stack.types.ts'
import { PhoneCall } from './phone-call.ts'
import { type LocalMedia, printAnswer, printOffer, readAgreed, sdpType } from './phone-sdp.ts'
import { RtpEndpoint } from './rtp-endpoint.ts'

/** What the phone does with a call that comes in. `ring`: for ever. */
export type Habit = 'answer' | 'busy' | 'decline' | 'ring'

export interface PhoneOptions {
  readonly clock: Clock
  readonly log?: Logger
  /** Our own address. Default 127.0.0.1. */
  readonly ip?: string
  readonly transport?: 'udp' | 'tcp'
  readonly server: Address
  readonly extension: string
  readonly password: string
  readonly displayName?: string
  /** What it speaks, best first. Default PCMU, PCMA. */
  readonly laws?: readonly G711Law[]
  /** What it says in each call, 8 kHz. */
  readonly speech: Int16Array
  /** Default `answer`. */
  readonly habit?: Habit
  /** How long it rings before it answers. Default 0. */
  readonly ringMs?: number
}

export type CallOutcome =
  | { readonly answered: true; readonly call: PhoneCall }
  | { readonly answered: false; readonly status: number; readonly reason: string }

/** A call we placed that is not yet answered. */
export interface PlacedCall {
  /** The other side rings (180 or 183), or the outcome came without. */
  readonly ringing: Promise<void>
  /** Never rejects. */
  readonly outcome: Promise<CallOutcome>
  cancel(): void
}

interface Wish {
  readonly number: string
  readonly replaces: string | undefined
}

interface PhoneEvents {
  /** It rings. */
  ringing: { readonly from: string }
  /** A call that came in was answered. */
  answered: PhoneCall
  /** A call that came in was given up by the caller. */
  missed: { readonly from: string }
}

/** Asked for; the server may shorten it. */
const registrationSeconds = 300

export class SimulatedPhone {
  readonly #options: PhoneOptions
  readonly #stack: SipStack
  readonly #registrationId = newId()
  readonly #events = new Emitter<PhoneEvents>()
  readonly #calls = new Set<PhoneCall>()
  #registerSequence = 1
  habit: Habit

  static async create(options: PhoneOptions): Promise<SimulatedPhone> {
    const { clock, ip = '127.0.0.1', transport = 'udp', log = silentLogger } = options
    const stack = await createSipStack({
      clock,
      log,
      listen: [{ transport, ip, port: 0 }],
      userAgent: 'Patchbay simulated phone',
    })
    return new SimulatedPhone(options, stack)
  }

  private constructor(options: PhoneOptions, stack: SipStack) {
    this.#options = options
    this.#stack = stack
    this.habit = options.habit ?? 'answer'
    stack.on('invite', (invite) => void this.#onInvite(invite))
    stack.on('request', (incoming) => incoming.respond(incoming.request.method === 'OPTIONS' ? 200 : 501))
  }

  /** Where it takes calls. */
  get address(): Address {
    const [listener] = this.#stack.listening
    if (!listener) throw new Error('the phone has been closed')
    return { ip: listener.ip, port: listener.port }
  }

  on<Name extends keyof PhoneEvents>(name: Name, listener: (event: PhoneEvents[Name]) => void): () => void {
    return this.#events.on(name, listener)
  }

  /** The next call that comes in and is answered. */
  nextCall(): Promise<PhoneCall> {
    return new Promise((resolve) => this.#events.once('answered', resolve))
  }

  /** @throws {Error} when the server refuses. */
  register(): Promise<void> {
    return this.#register(registrationSeconds)
  }

  unregister(): Promise<void> {
    return this.#register(0)
  }

  /**
   * @param number What is dialled: `102`.
   * @param replaces Whose place it asks for (RFC 3891): the value of Replaces.
   */
  call(number: string, replaces?: string): PlacedCall {
    const ringing = Promise.withResolvers<void>()
    const giveUp = new AbortController()
    const outcome = this.#place({ number, replaces }, giveUp.signal, ringing.resolve).finally(ringing.resolve)
    return { ringing: ringing.promise, outcome, cancel: () => giveUp.abort() }
  }

  /** Hang up what is left, then close. The registration stays until it expires. */
  async close(): Promise<void> {
    await Promise.allSettled(Array.from(this.#calls, (call) => call.hangUp()))
    await this.#stack.close()
  }

  /** As if the cable were cut: nothing is sent or answered any more, nobody is told. */
  async vanish(): Promise<void> {
    for (const call of this.#calls) call.cutMedia()
    await this.#stack.close()
  }

  get #domain(): string {
    return endpointText(this.#options.server.ip, this.#options.server.port)
  }

  #target(user?: string): Target {
    const { transport = 'udp', server } = this.#options
    return { uri: `sip:${user ? `${user}@` : ''}${this.#domain}`, via: { transport, ...server } }
  }

  get #identity(): string {
    const { displayName, extension } = this.#options
    const uri = `<sip:${extension}@${this.#domain}>`
    return displayName ? `"${displayName}" ${uri}` : uri
  }

  #common(user?: string): Pick<RequestOptions, 'target' | 'from' | 'credentials'> {
    const { extension, password } = this.#options
    return {
      target: this.#target(user),
      from: this.#identity,
      credentials: { username: extension, password },
    }
  }

  async #register(seconds: number): Promise<void> {
    const { transport = 'udp' } = this.#options
    const { ip, port } = this.address
    const contact = `<sip:${this.#options.extension}@${endpointText(ip, port)}${transport === 'udp' ? '' : `;transport=${transport}`}>`
    const response = await this.#stack.request('REGISTER', {
      ...this.#common(),
      to: this.#identity,
      callId: this.#registrationId,
      cseq: this.#registerSequence,
      headers: { Contact: contact, Expires: String(seconds) },
    })
    this.#registerSequence += 2 // one for the request, one for its repetition with the password
    if (response.status !== 200) throw new Error(`REGISTER was answered ${response.status} ${response.reason}`)
  }

  #localMedia(address: Address): LocalMedia {
    const { laws = ['PCMU', 'PCMA'] } = this.#options
    return { address, sessionId: String(randomUint32()), version: 1, laws, direction: 'sendrecv' }
  }

  async #place({ number, replaces }: Wish, signal: AbortSignal, rings: () => void): Promise<CallOutcome> {
    const { clock, ip = '127.0.0.1', speech } = this.#options
    const endpoint = await RtpEndpoint.open(ip)
    const local = this.#localMedia(endpoint.address)
    const { outcome } = this.#stack.invite({
      ...this.#common(number),
      to: `<sip:${number}@${this.#domain}>`,
      ...(replaces && { headers: { Replaces: replaces, Require: 'replaces' } }),
      body: printOffer(local),
      contentType: sdpType,
      signal,
      onProvisional: rings,
    })
    const result = await outcome
    if (!result.answered) {
      endpoint.close()
      return { answered: false, status: result.response.status, reason: result.response.reason }
    }
    const { dialog, response } = result
    const agreed = readAgreed(response.body, local.laws)
    if (!agreed) {
      endpoint.close()
      await dialog.bye()
      return { answered: false, status: 488, reason: 'The answer has no codec for us' }
    }
    const call = this.#keep(new PhoneCall({ clock, dialog, endpoint, local, agreed, speech }))
    return { answered: true, call }
  }

  #keep(call: PhoneCall): PhoneCall {
    this.#calls.add(call)
    void call.ended.then(() => this.#calls.delete(call))
    return call
  }

  async #onInvite(invite: IncomingInvite): Promise<void> {
    const from = invite.request.headers.get('From') ?? ''
    if (this.habit === 'busy') return invite.reject(486)
    if (this.habit === 'decline') return invite.reject(603)
    invite.ring(180)
    this.#events.emit('ringing', { from })
    invite.cancelled.addEventListener('abort', () => this.#events.emit('missed', { from }))
    if (this.habit === 'ring') return
    try {
      await sleep(this.#options.clock, this.#options.ringMs ?? 0, invite.cancelled)
    } catch {
      return // the caller gave up
    }
    await this.#answer(invite)
  }

  async #answer(invite: IncomingInvite): Promise<void> {
    const { clock, ip = '127.0.0.1', speech } = this.#options
    const endpoint = await RtpEndpoint.open(ip)
    const local = this.#localMedia(endpoint.address)
    const answer = printAnswer(invite.request.body, local)
    if (!answer || invite.cancelled.aborted) {
      endpoint.close()
      if (!invite.cancelled.aborted) invite.reject(488)
      return
    }
    const dialog = invite.answer({ body: answer.sdp, contentType: sdpType })
    const call = this.#keep(new PhoneCall({ clock, dialog, endpoint, local, agreed: answer.agreed, speech }))
    this.#events.emit('answered', call)
  }
}
