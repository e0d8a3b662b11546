/**
 * An INVITE that starts a dialog, on the side that calls.
 *
 *   call/  ── cancel ─▶  here  ── INVITE, CANCEL, ACK ─▶  transaction
 *          ◀ outcome ──        ◀────── responses ──────
 *
 * Every 2xx is ACKed (RFC 3261 §13.2.2.4): the first becomes the call, further ones of a fork are ended by BYE. A CANCEL
 * waits for a provisional answer (§9.1); a 2xx that overtakes it is ACKed and ended by BYE.
 * early-dialogs.ts keeps a dialog for each phone that answers provisionally.
 * Missing: 3xx are reported, not followed.
 */
import type { Timer } from '../../core/clock.ts'
import { newId, randomHex } from '../../core/random.ts'
import { createRequest } from '../message/build.ts'
import { cseqOf, toTag } from '../message/fields.ts'
import { Headers } from '../message/headers.ts'
import { parseNameAddr } from '../message/name-addr.ts'
import type { SipRequest, SipResponse } from '../message/types.ts'
import type { InviteOptions, InviteOutcome, OutgoingInvite } from '../stack.types.ts'
import { timerCMs, transactionMs } from '../transaction/timers.ts'
import type { WireFlow } from '../transport/flow.ts'
import type { Context } from './context.ts'
import type { CallerExtras } from './dialog-setup.ts'
import { EarlyDialogs } from './early-dialogs.ts'
import { Exchange, type ExchangeUser } from './exchange.ts'
import { sessionOffer } from './session-timer.ts'
import { type Way, withWay } from './target.ts'
import { contactFor, localResponse, unanswered, writeRequest } from './write.ts'

export class SentInvite implements OutgoingInvite {
  readonly sipCallId: string
  readonly outcome: Promise<InviteOutcome>
  readonly #context: Context
  readonly #options: InviteOptions
  readonly #settled = Promise.withResolvers<InviteOutcome>()
  readonly #from: string
  readonly #user: string | undefined
  readonly #early: EarlyDialogs
  #exchange: Exchange | undefined
  #over = false
  #provisional = false
  /** Set once we want no call any more; the value is for the Reason header. */
  #cancelled: { readonly reason: string | undefined } | undefined
  #cancelSent = false
  /** Ringing that never ends, and then a CANCEL that stays without effect (§9.1). */
  #patience: Timer | undefined

  constructor(context: Context, options: InviteOptions) {
    this.#context = context
    this.#options = options
    this.sipCallId = options.callId ?? newId()
    this.outcome = this.#settled.promise
    this.#from = `${options.from};tag=${randomHex(8)}`
    this.#user = parseNameAddr(options.from)?.uri.user
    const { signal, ackBody, prackBody } = options
    this.#early = new EarlyDialogs(context, this.#extras, { ackBody, prackBody })
    if (signal?.aborted) this.cancel()
    else signal?.addEventListener('abort', this.#abort, { once: true })
    withWay(context.transport, options.target, options.headers, (way) => this.#start(way))
  }

  cancel(reason?: string): void {
    if (this.#over || this.#cancelled) return
    this.#cancelled = { reason }
    if (this.#provisional) this.#sendCancel()
  }

  readonly #abort = (): void => this.cancel()

  #start(way: Way | undefined): void {
    const request = this.#write(way?.flow)
    if (this.#cancelled) return this.#settle({ answered: false, response: localResponse(request, 487) })
    if (!way) return this.#settle({ answered: false, response: unanswered(request, 'transport') })
    const { credentials } = this.#options
    const { flow, fixed } = way
    this.#exchange = new Exchange(
      this.#context,
      {
        request,
        flow,
        fixed,
        credentials,
        elsewhere: (retryAfterMs) => this.#elsewhere(way, retryAfterMs),
        contact: (next) => this.#contact(next),
        wanted: () => !this.#cancelled,
      },
      {
        provisional: (response) => this.#receiveProvisional(response),
        final: (response) => (response.status < 300 ? this.#receiveSuccess(response) : this.#receiveFailure(response)),
      },
    )
  }

  /** The next server to try; a CANCEL waits for an answer from that one then. */
  #elsewhere(way: Way, retryAfterMs: number | undefined): WireFlow | undefined {
    const next = this.#cancelled ? undefined : way.fail(retryAfterMs)
    if (!next) return undefined
    this.#provisional = false
    this.#patience?.cancel()
    return next
  }

  #contact(flow: WireFlow): string {
    const { target, contactParams = '' } = this.#options
    return contactFor(this.#context, flow, this.#user, target.uri) + contactParams
  }

  #write(flow: WireFlow | undefined): SipRequest {
    const { target, to, cseq } = this.#options
    return writeRequest(this.#context.identity, {
      method: 'INVITE',
      uri: target.uri,
      from: this.#from,
      to,
      callId: this.sipCallId,
      seq: cseq ?? 1,
      payload: {
        ...this.#options,
        headers: { ...sessionOffer(this.#context.identity.session), ...this.#options.headers },
      },
      ...(flow && { contact: this.#contact(flow) }),
    })
  }

  #receiveProvisional(response: SipResponse): void {
    if (!this.#provisional) this.#options.onHeard?.()
    this.#provisional = true
    if (this.#cancelled) return this.#sendCancel()
    this.#patience?.cancel()
    this.#patience = this.#context.clock.after(timerCMs, () => this.cancel())
    const exchange = this.#exchange
    if (response.status === 100 || !exchange) return
    const { request: invite, flow } = exchange
    const dialog = this.#early.take(response, { invite, flow })
    if (dialog !== 'copy') this.#options.onProvisional?.(response, dialog)
  }

  #receiveSuccess(response: SipResponse): void {
    const exchange = this.#exchange
    if (!exchange) return
    const { request, flow } = exchange
    const { dialog, answered } = this.#early.confirm(response, { invite: request, flow })
    const { ackBody } = this.#options
    const again = dialog.ack(request, response, answered ? undefined : ackBody?.(response))
    exchange.settle(furtherAnswers(exchange, this.#early, ackBody, toTag(response) ?? '', again))
    if (!this.#over && !this.#cancelled) return this.#settle({ answered: true, dialog, response })
    void dialog.bye()
    this.#settle({ answered: false, response: localResponse(request, 487) })
  }

  #receiveFailure(response: SipResponse): void {
    // After a CANCEL it is cancelled, whatever the answer says and even if none came.
    const made = this.#cancelled && this.#exchange && localResponse(this.#exchange.request, 487)
    this.#settle({ answered: false, response: made ?? response })
  }

  get #extras(): CallerExtras {
    const { contactParams, credentials, target } = this.#options
    return {
      stay: target.flow !== undefined,
      ...(this.#user !== undefined && { contactUser: this.#user }),
      ...(contactParams !== undefined && { contactParams }),
      ...(credentials && { credentials }),
    }
  }

  #sendCancel(): void {
    const exchange = this.#exchange
    if (!exchange || this.#cancelSent) return
    this.#cancelSent = true
    this.#patience?.cancel()
    const cancel = cancelOf(exchange.request, this.#cancelled?.reason)
    const nothing = { response: () => {}, failed: () => {} } // what counts is the INVITE's own answer
    this.#context.transactions.send(cancel, exchange.flow, nothing, exchange.branch)
    this.#patience = this.#context.clock.after(transactionMs, () => {
      exchange.stop()
      this.#settle({ answered: false, response: localResponse(exchange.request, 487) })
    })
  }

  #settle(outcome: InviteOutcome): void {
    if (this.#over) return
    this.#over = true
    this.#patience?.cancel()
    if (!outcome.answered) this.#early.drop()
    this.#options.signal?.removeEventListener('abort', this.#abort)
    this.#settled.resolve(outcome)
  }
}

/**
 * What is done with each further 2xx (RFC 3261 §13.2.2.4): a copy is acknowledged again, another phone's is ended.
 * Apart from SentInvite, so that what waits for them does not keep the call in memory.
 *
 * @param tag Of who answered first. @param again Repeats the ACK to that.
 */
function furtherAnswers(
  exchange: Pick<Exchange, 'request' | 'flow'>,
  early: EarlyDialogs,
  ackBody: InviteOptions['ackBody'],
  tag: string,
  again: () => void,
): Pick<ExchangeUser, 'final'> {
  const acks = new Map([[tag, again]])
  return {
    final(response) {
      const from = toTag(response) ?? ''
      const known = acks.get(from)
      if (known) return known()
      const { request, flow } = exchange
      const { dialog, answered } = early.confirm(response, { invite: request, flow })
      acks.set(from, dialog.ack(request, response, answered ? undefined : ackBody?.(response)))
      void dialog.bye()
    },
  }
}

/** RFC 3261 §9.1: Request-URI, Call-ID, To, From, CSeq number and Route of the INVITE; its Via goes on by the branch. */
function cancelOf(invite: SipRequest, reason: string | undefined): SipRequest {
  const headers = new Headers()
  for (const name of ['Route', 'Max-Forwards', 'From', 'To', 'Call-ID']) {
    for (const value of invite.headers.all(name)) headers.append(name, value)
  }
  headers.append('CSeq', `${cseqOf(invite)?.seq} CANCEL`)
  if (reason !== undefined) headers.append('Reason', reason)
  return createRequest('CANCEL', invite.uri, headers)
}
