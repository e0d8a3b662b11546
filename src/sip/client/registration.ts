/**
 * Keeps an address of ours registered at somebody's registrar (RFC 3261 §10.2).
 *
 *   trunk, program  ── options ─▶  here  ── REGISTER ─▶  registrar, or the next server of its domain
 *                   ◀─ state ────
 *
 * One REGISTER at a time, all with one Call-ID and rising CSeq. A refresh goes to the server that took the last one, by
 * the same connection if there is one; when that fails, to whatever DNS says (RFC 3263). The flow is kept alive by pings
 * and replaced at once when it dies; other failures wait by patience.ts, and no number of them is the last.
 * Missing: several flows at a time (RFC 5626 §4.2); whoever wants them makes several, with a `regId` each.
 */
import type { Timer } from '../../core/clock.ts'
import { Emitter } from '../../core/emitter.ts'
import { newId } from '../../core/random.ts'
import type { Context } from '../dialog/context.ts'
import { SipError } from '../dialog/failures.ts'
import { sendRequest } from '../dialog/outgoing-request.ts'
import { wayBy } from '../dialog/target.ts'
import { contactFor } from '../dialog/write.ts'
import { longerExpiresS, retryAfterMs } from '../message/ask-again.ts'
import { optionTags } from '../message/fields.ts'
import { readHeader } from '../message/header-values.ts'
import type { SipResponse } from '../message/types.ts'
import { parseUri } from '../message/uri.ts'
import type { Flow, Target } from '../stack.types.ts'
import type { WireFlow } from '../transport/flow.ts'
import { refreshMs, retryMs } from './patience.ts'
import { readGranted } from './registered.ts'
import type {
  OutgoingRegistration,
  RegisteredState,
  RegistrationOptions,
  RegistrationState,
} from './registration.types.ts'

const defaultExpiresS = 3_600
/** All phones of a site lose their connection in the same moment. */
const reconnectSpreadMs = 2_000
/** RFC 5626 §4.5, min-regtime: a flow that lived shorter counts as a failure, so that a registrar which closes each is not asked in a circle. */
const livedMs = 120_000

interface Attempt {
  readonly response: SipResponse
  /** By which the answer came; none when it was made here. */
  readonly flow: WireFlow | undefined
}

export class SentRegistration implements OutgoingRegistration {
  readonly registered: Promise<RegisteredState>
  readonly #context: Context
  readonly #options: RegistrationOptions
  readonly #events = new Emitter<{ changed: RegistrationState }>()
  readonly #first = Promise.withResolvers<RegisteredState>()
  readonly #callId = newId()
  #state: RegistrationState = { is: 'registering' }
  #seq = 0
  #expiresS: number
  #failures = 0
  #timer: Timer | undefined
  /** The server that took the last REGISTER. */
  #flow: WireFlow | undefined
  #flowSinceMs = 0
  /** Flows in a row that did not live. */
  #deaths = 0
  #unwatch: (() => void) | undefined
  /** The request that is under way. */
  #asking: AbortController | undefined
  /** A refresh was asked for meanwhile. */
  #again = false
  /** The registrar may hold a Contact of ours. */
  #asked = false
  #closing: Promise<void> | undefined

  constructor(context: Context, options: RegistrationOptions) {
    this.#context = context
    this.#options = options
    this.#expiresS = options.expiresS ?? defaultExpiresS
    this.registered = this.#first.promise
    this.registered.catch(() => {}) // told to who asks
    this.#events.onListenerError = (error) =>
      context.log.error('A listener of a registration failed', { error: String(error) })
    const { signal } = options
    if (signal?.aborted) void this.close()
    else {
      signal?.addEventListener('abort', this.#abort, { once: true })
      void this.#register()
    }
  }

  get state(): RegistrationState {
    return this.#state
  }

  on(name: 'changed', listener: (state: RegistrationState) => void): () => void {
    return this.#events.on(name, listener)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<RegistrationState, void, void> {
    for (let last: RegistrationState | undefined; last?.is !== 'closed'; ) {
      if (this.#state === last) await new Promise((changed) => this.#events.once('changed', changed))
      last = this.#state
      yield last
    }
  }

  refresh(): void {
    if (this.#closing) return
    if (this.#asking) this.#again = true
    else void this.#register()
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  readonly #abort = (): void => void this.close()

  /** The stack closes. */
  drop(): void {
    if (this.#closing) return
    this.#closing = Promise.resolve()
    this.#forget()
  }

  #forget(): void {
    this.#timer?.cancel()
    this.#unwatch?.()
    this.#options.signal?.removeEventListener('abort', this.#abort)
    this.#asking?.abort()
    this.#first.reject(new SipError('sip.aborted'))
    this.#enter({ is: 'closed' })
  }

  async #close(): Promise<void> {
    this.#forget()
    if (this.#asked) await this.#send(0, this.#flow && wayBy(this.#flow)).catch(() => {})
  }

  /** One round: the last server first, any server when that one does not serve. */
  async #register(): Promise<void> {
    this.#timer?.cancel()
    this.#again = false
    const asking = new AbortController()
    this.#asking = asking
    this.#asked = true
    if (this.#state.is === 'failed') this.#enter({ is: 'registering' })
    try {
      const last = this.#flow && wayBy(this.#flow)
      let attempt = await this.#send(this.#expiresS, last, asking.signal)
      if (last && isUnserved(attempt.response)) attempt = await this.#send(this.#expiresS, undefined, asking.signal)
      const longerS = longerExpiresS(attempt.response, this.#expiresS)
      if (longerS !== undefined) {
        this.#expiresS = longerS
        attempt = await this.#send(longerS, undefined, asking.signal)
      }
      this.#asking = undefined
      this.#settle(attempt)
    } catch {
      this.#asking = undefined // closed meanwhile
    }
  }

  async #send(expiresS: number, last: Partial<Target> | undefined, signal?: AbortSignal): Promise<Attempt> {
    const { registrar, aor, credentials, route, instance } = this.#options
    let flow: WireFlow | undefined
    const supported = ['path', 'gruu', ...(instance === undefined ? [] : ['outbound'])].join(', ')
    const response = await sendRequest(
      this.#context,
      'REGISTER',
      {
        target: { uri: registrar, ...last },
        from: `<${aor}>`,
        to: `<${aor}>`,
        callId: this.#callId,
        cseq: ++this.#seq,
        headers: { Expires: String(expiresS), Supported: supported, ...(route !== undefined && { Route: route }) },
        ...(credentials && { credentials }),
        ...(signal && { signal }),
      },
      {
        nextSeq: () => ++this.#seq,
        contact: (towards) => this.#contact(towards),
        answeredBy: (by) => (flow = by),
      },
    )
    return { response, flow }
  }

  #contact(flow: Flow): string {
    const { instance, regId } = this.#options
    const device = instance === undefined ? '' : `;+sip.instance="<${instance}>"`
    const outbound = instance === undefined || regId === undefined ? '' : `;reg-id=${regId}`
    return `<${this.#contactUri(flow)}>${device}${outbound}`
  }

  #contactUri(flow: Flow): string {
    const { aor, contactUser, contactUriParams = {}, registrar } = this.#options
    const user = contactUser ?? parseUri(aor)?.user
    const plain = contactFor(this.#context, flow, user, registrar).slice(1, -1)
    return (
      plain +
      Object.entries(contactUriParams)
        .map(([name, value]) => `;${name}=${value}`)
        .join('')
    )
  }

  #settle({ response, flow }: Attempt): void {
    if (this.#closing) return
    if (response.status < 300 && flow) this.#succeed(response, flow)
    else this.#fail(response)
    if (this.#again) void this.#register()
  }

  #succeed(response: SipResponse, flow: WireFlow): void {
    const { clock } = this.#context
    const { instance, regId } = this.#options
    const contact = this.#contactUri(flow)
    const expiresS = this.#expiresS
    const asked = {
      contact,
      expiresS,
      ...(instance !== undefined && { instance }),
      ...(regId !== undefined && { regId }),
    }
    const { expiresS: grantedS, ...granted } = readGranted(response, asked)
    this.#failures = 0
    this.#watch(flow, response)
    // Who grants nothing is asked again as if it had granted ten seconds.
    const seconds = Math.max(grantedS, 10)
    this.#timer = clock.after(refreshMs(seconds), () => void this.#register())
    const state = { is: 'registered', untilMs: clock.wallMs() + seconds * 1_000, contact, flow, ...granted } as const
    this.#enter(state)
    this.#first.resolve(state)
  }

  #fail(response: SipResponse): void {
    const { status, reason } = response
    const { clock } = this.#context
    this.#failures++
    const refused = status >= 300 && status < 500 && status !== 408 && status !== 480
    const waitMs = retryMs(this.#failures, { refused, retryAfterMs: retryAfterMs(response) ?? 0 })
    this.#timer = clock.after(waitMs, () => void this.#register())
    this.#enter({ is: 'failed', status, reason, retryAtMs: clock.wallMs() + waitMs })
  }

  /**
   * RFC 5626 §4.4: calls no longer reach us when the connection is gone, or a NAT on the way gave us another address.
   * A registrar that requires `outbound` in its answer answers pings (§6).
   */
  #watch(flow: WireFlow, response: SipResponse): void {
    const { transport, clock } = this.#context
    const seconds = readHeader(response.headers, 'Flow-Timer') ?? 0
    this.#unwatch?.()
    if (flow.id !== this.#flow?.id) this.#flowSinceMs = clock.now()
    this.#flow = flow
    this.#unwatch = transport.keepAlive(flow, {
      answered: optionTags(response, 'Require').includes('outbound'),
      ...(seconds > 0 && { everyMs: seconds * 1_000 }),
      failed: () => {
        if (this.#closing || this.#asking) return
        this.#timer?.cancel()
        this.#deaths = clock.now() - this.#flowSinceMs < livedMs ? this.#deaths + 1 : 0
        const pauseMs = this.#deaths < 2 ? 0 : retryMs(this.#deaths - 1, { refused: false })
        this.#timer = clock.after(pauseMs + Math.random() * reconnectSpreadMs, () => void this.#register())
        this.#enter({ is: 'registering' })
      },
    })
  }

  #enter(state: RegistrationState): void {
    this.#state = state
    this.#events.emit('changed', state)
  }
}

/** No answer from a registrar: made here, or by a proxy that did not reach it; 430 says that the flow is gone. */
const isUnserved = ({ status }: SipResponse): boolean => [408, 430, 480, 500, 503, 504].includes(status)
