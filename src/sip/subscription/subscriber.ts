/**
 * A subscription of ours to something of theirs, kept alive: asked for, heard, refreshed, started anew.
 *
 *   who asks  ◀─ notifications ─  here  ── SUBSCRIBE ──▶  notifier
 *                                       ◀── NOTIFY ────
 *
 * The first NOTIFY makes the dialog (heard.ts keeps it), be it before the answer to the SUBSCRIBE or after; one that
 * never comes, within Timer N, is a failure. What a notifier says at the end decides whether and when to come again
 * (RFC 6665 §4.1.3). The first refusal is the end; later ones are when they will not change by themselves.
 */
import { AsyncQueue } from '../../core/async-queue.ts'
import type { Timer } from '../../core/clock.ts'
import { newId, randomHex } from '../../core/random.ts'
import type { Context } from '../dialog/context.ts'
import type { DialogParty, HalfId } from '../dialog/dialog-table.ts'
import { Exchange } from '../dialog/exchange.ts'
import { SipError } from '../dialog/failures.ts'
import { ReceivedRequest } from '../dialog/incoming-request.ts'
import { type Way, withWay } from '../dialog/target.ts'
import { contactFor, localResponse, writeRequest } from '../dialog/write.ts'
import { longerExpiresS } from '../message/ask-again.ts'
import { contentTypeOf, cseqOf, fromTag } from '../message/fields.ts'
import { parseNameAddr } from '../message/name-addr.ts'
import type { SipRequest, SipResponse } from '../message/types.ts'
import type { ExtraHeaders } from '../stack.types.ts'
import { transactionMs } from '../transaction/timers.ts'
import type { WireFlow } from '../transport/flow.ts'
import {
  type EventName,
  parseEvent,
  readEvent,
  readSubscriptionState,
  type SubscriptionState,
  sameEvent,
} from './event.ts'
import { Hearing } from './hearing.ts'
import { comesAgainMs, gapMs, lasting } from './return.ts'
import type { Notification, SubscribeOptions, Subscription, SubscriptionEnd } from './types.ts'

/** Notifications that wait for a slow reader. */
const maxWaiting = 100
/** Notifiers that may answer one SUBSCRIBE behind forking proxies. */
const maxForks = 8
/** Timer N (RFC 6665 §4.1.2.4). */
const timerNMs = transactionMs
const defaultExpiresS = 3_600
/** One that lived shorter counts as a failure, whatever it told: its notifier shall not be asked in a circle. */
const settledMs = 60_000

export interface StartOptions extends SubscribeOptions {
  /** REFER subscribes by itself (RFC 3515 §2.4.4), to what is over when it is over. */
  readonly method?: 'SUBSCRIBE' | 'REFER'
}

export class SentSubscription implements Subscription, DialogParty {
  /** The final response to the SUBSCRIBE or REFER that started it. */
  readonly answered = Promise.withResolvers<SipResponse>()
  readonly #context: Context
  readonly #options: StartOptions
  readonly #event: EventName
  readonly #queue: AsyncQueue<Notification>
  readonly #settled = Promise.withResolvers<SubscriptionEnd>()
  /** Dialogs in which we are told, by the tag of who tells. */
  readonly #heard = new Map<string, Hearing>()
  #half: HalfId = { callId: '', localTag: '' }
  #exchange: Exchange | undefined
  /** Timer N, or the time until the next start. */
  #waiting: Timer | undefined
  /** The answer to the SUBSCRIBE came. */
  #accepted = false
  /** Starts since the last subscription that lived. */
  #failures = 0
  /** When the last one was asked for. */
  #startedMs = 0
  #expiresS: number
  /** It was alive once: what fails from now on is tried again. */
  #stood = false
  #closing: PromiseWithResolvers<void> | undefined
  #over = false

  constructor(context: Context, options: StartOptions) {
    this.#context = context
    this.#options = options
    this.#event = parseEvent(options.event) ?? { name: options.event, id: undefined }
    this.#expiresS = options.expiresS ?? defaultExpiresS
    this.#queue = new AsyncQueue(maxWaiting, () => void this.close())
    const { signal } = options
    if (signal?.aborted) this.#end({ by: 'local' })
    else {
      signal?.addEventListener('abort', this.#abort, { once: true })
      this.#start()
    }
  }

  get ended(): Promise<SubscriptionEnd> {
    return this.#settled.promise
  }

  [Symbol.asyncIterator](): AsyncIterator<Notification> {
    return this.#queue[Symbol.asyncIterator]()
  }

  close(): Promise<void> {
    if (this.#over) return Promise.resolve()
    if (this.#closing) return this.#closing.promise
    this.#closing = Promise.withResolvers<void>()
    const hearings = [...this.#heard.values()]
    // Between two starts nobody knows of us; else the NOTIFY under way makes the dialog in which we say goodbye.
    if (hearings.length === 0 && !this.#exchange) this.#end({ by: 'local' })
    for (const hearing of hearings) hearing.leave()
    return this.#closing.promise
  }

  /** A NOTIFY from somebody new: DialogTable found it by what we expect. */
  receive(request: SipRequest, flow: WireFlow): void {
    const { transactions } = this.#context
    const refuse = (status: number): void =>
      transactions.respondStateless(request, localResponse(request, status), flow)
    if (this.#heard.size >= maxForks || !this.#isOurs(request)) return refuse(481)
    if (!parseNameAddr(request.headers.get('Contact') ?? '')) return refuse(400)
    const tag = fromTag(request) ?? ''
    const { credentials, target, forks, event, accept } = this.#options
    if (!forks) this.#context.dialogs.unexpect(this.#half) // further ones are 481
    const sent = this.#exchange && cseqOf(this.#exchange.request)
    const hearing: Hearing = new Hearing(
      {
        context: this.#context,
        headers: { Event: event, Accept: accept.join(', ') },
        localSeq: sent?.seq ?? 1,
        expiresS: this.#expiresS,
        stay: target.flow !== undefined,
        ...(credentials && { credentials }),
        user: {
          notified: (notify, from) => this.#notified(hearing, notify, from),
          isOurs: (notify) => this.#isOurs(notify),
          lost: () => this.#lost(tag, undefined),
          needs: (expiresS) => {
            this.#expiresS = expiresS
          },
        },
      },
      request,
      flow,
    )
    this.#heard.set(tag, hearing)
    hearing.receive(request, flow)
  }

  receiveAck(): void {} // nothing here is an INVITE

  /** The stack closes. */
  drop(): void {
    this.#end({ by: 'local' })
  }

  /** Whoever waits need not wait for the goodbye, which takes 32 s when nobody is there. */
  readonly #abort = (): void => {
    this.#queue.end()
    this.answered.resolve(localResponse(this.#write(undefined), 487))
    void this.close()
  }

  #start(): void {
    const { target, headers } = this.#options
    this.#half = { callId: this.#options.callId ?? newId(), localTag: randomHex(8) }
    this.#accepted = false
    this.#startedMs = this.#context.clock.now()
    this.#context.dialogs.expect(this.#half, this)
    withWay(this.#context.transport, target, headers, (way) => this.#send(way))
  }

  #send(way: Way | undefined): void {
    if (this.#over) return
    const request = this.#write(way?.flow)
    if (!way) return this.#answer(localResponse(request, 503))
    const { flow, fixed } = way
    const { credentials } = this.#options
    const contact = (next: WireFlow): string => this.#contact(next)
    const elsewhere = (retryAfterMs?: number): WireFlow | undefined => way.fail(retryAfterMs)
    this.#exchange = new Exchange(
      this.#context,
      { request, flow, fixed, credentials, contact, elsewhere },
      { final: (response) => this.#answer(response) },
    )
    this.#wait(timerNMs, () => this.#nobodySpoke())
  }

  #contact(flow: WireFlow): string {
    return contactFor(this.#context, flow, parseNameAddr(this.#options.from)?.uri.user, this.#options.target.uri)
  }

  #write(flow: WireFlow | undefined): SipRequest {
    const { target, from, to, event, accept, cseq, method = 'SUBSCRIBE' } = this.#options
    const { callId, localTag } = this.#half
    const own: ExtraHeaders = method === 'REFER' ? {} : { Event: event, Expires: String(this.#expiresS) }
    return writeRequest(this.#context.identity, {
      method,
      uri: target.uri,
      from: `${from};tag=${localTag}`,
      to,
      callId,
      seq: cseq ?? 1,
      payload: { ...this.#options, headers: { ...own, Accept: accept.join(', '), ...this.#options.headers } },
      ...(flow && { contact: this.#contact(flow) }),
    })
  }

  #answer(response: SipResponse): void {
    this.answered.resolve(response)
    if (response.status < 300) {
      this.#accepted = true
      // A second Timer N: the notifier has only now heard of us, if this answer took its time (§4.1.2.4).
      if (this.#heard.size === 0) this.#wait(timerNMs, () => this.#nobodySpoke())
      if (response.headers.get('Refer-Sub')?.trim().toLowerCase() === 'false') this.#end({ by: 'local' }) // RFC 4488
      return
    }
    if (this.#heard.size > 0) return // it was taken, as its NOTIFY says; the answer was lost
    if (this.#closing) return this.#end({ by: 'local' })
    const longerS = this.#expiresS > 0 ? longerExpiresS(response, this.#expiresS) : undefined
    if (longerS !== undefined) {
      this.#expiresS = longerS
      // One that asks for more each time is not to be asked in a circle.
      return this.#comeAgain(this.#failures++ === 0 ? 0 : gapMs(this.#failures))
    }
    if (!this.#stood || lasting(response.status)) return this.#end({ by: 'refused', response })
    this.#comeAgain(gapMs(this.#failures++))
  }

  /** Timer N: a subscription without a NOTIFY is none. */
  #nobodySpoke(): void {
    if (this.#closing) return this.#end({ by: 'local' })
    if (!this.#accepted && this.#exchange) return // its answer, or its own time-out, comes
    if (this.#stood) return this.#comeAgain(gapMs(this.#failures++))
    const response = localResponse(this.#write(undefined), 408)
    this.#end({ by: 'refused', response })
  }

  /** A NOTIFY in one of our dialogs. */
  #notified(hearing: Hearing, request: SipRequest, flow: WireFlow): void {
    const { transactions } = this.#context
    new ReceivedRequest({
      context: this.#context,
      request,
      flow,
      transaction: transactions.open(request, flow),
    }).respond(200)
    this.#waiting?.cancel()
    this.#stood = true
    const told = readSubscriptionState(request)
    this.#push(hearing, request, told)
    if (told.state === 'terminated') this.#lost(hearing.tag, told)
    else if (this.#closing) hearing.leave()
  }

  #push(hearing: Hearing, request: SipRequest, { state, reason }: SubscriptionState): void {
    const lost = this.#queue.push({
      request,
      state,
      ...(reason !== undefined && { reason }),
      contentType: contentTypeOf(request)?.type ?? '',
      body: request.body,
      dialog: hearing.id,
    })
    // What was lost may have been a part of the whole: let it be told anew.
    if (lost > 0 && state !== 'terminated') hearing.refresh()
  }

  /** A dialog is over. @param told What its last NOTIFY said; undefined when there was none. */
  #lost(tag: string, told: SubscriptionState | undefined): void {
    this.#heard.get(tag)?.drop()
    this.#heard.delete(tag)
    if (this.#heard.size > 0) return
    const asksOnce = this.#options.expiresS === 0 || this.#options.method === 'REFER'
    if (this.#closing || (asksOnce && told)) return this.#end({ by: 'local' })
    if (this.#context.clock.now() - this.#startedMs >= settledMs) this.#failures = 0
    const againMs = told ? comesAgainMs(told, this.#failures++) : gapMs(this.#failures++)
    if (asksOnce || againMs === undefined) this.#end({ by: 'remote', reason: told?.reason })
    else this.#comeAgain(againMs)
  }

  #comeAgain(delayMs: number): void {
    this.#forget()
    this.#wait(delayMs, () => this.#start())
  }

  #wait(ms: number, then: () => void): void {
    this.#waiting?.cancel()
    this.#waiting = this.#context.clock.after(ms, then)
  }

  #isOurs(request: SipRequest): boolean {
    const event = readEvent(request)
    if (!event) return false
    // RFC 3515 §2.4.6: the first REFER's may bear its number or not.
    return this.#options.method === 'REFER' ? event.name === 'refer' : sameEvent(event, this.#event)
  }

  #forget(): void {
    this.#waiting?.cancel()
    this.#exchange?.stop()
    this.#exchange = undefined
    this.#context.dialogs.unexpect(this.#half)
    for (const hearing of this.#heard.values()) hearing.drop()
    this.#heard.clear()
  }

  #end(end: SubscriptionEnd): void {
    if (this.#over) return
    this.#over = true
    this.#forget()
    this.#options.signal?.removeEventListener('abort', this.#abort)
    this.answered.resolve(end.by === 'refused' ? end.response : localResponse(this.#write(undefined), 487))
    this.#settled.resolve(end)
    if (end.by === 'refused') this.#queue.fail(new SipError('sip.subscription-refused', { cause: end.response }))
    else this.#queue.end()
    this.#closing?.resolve()
  }
}
