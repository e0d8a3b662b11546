/**
 * One request of ours until its final response: a challenge, or a wish for a longer session timer, met on the way;
 * another server tried.
 *
 * RFC 3261 §22.2, §8.1.3.5, RFC 4028 §7.3: the second try is a new transaction with the next CSeq and the same Call-ID
 * and From tag. RFC 3263 §4.3: to another server it is the same request in a new transaction, after a 503, a timeout or
 * a failed connection; not once it has rung, for then that server has the call. RFC 3261 §18.1.1: what is too large for
 * one datagram goes by TCP, and by UDP after all to who takes no TCP.
 */
import type { Timer } from '../../core/clock.ts'
import { ChallengeAnswers } from '../auth/challenge-answers.ts'
import { retryAfterMs } from '../message/ask-again.ts'
import { createRequest } from '../message/build.ts'
import { cseqOf } from '../message/fields.ts'
import type { SipRequest, SipResponse } from '../message/types.ts'
import type { Credentials } from '../stack.types.ts'
import type { ClientTransaction } from '../transaction/transactions.ts'
import type { ClientFailure } from '../transaction/types.ts'
import type { WireFlow } from '../transport/flow.ts'
import type { Context } from './context.ts'
import { minSeOf } from './session-timer.ts'
import { unanswered } from './write.ts'

export interface ExchangeOptions {
  readonly request: SipRequest
  readonly flow: WireFlow
  readonly credentials?: Credentials | undefined
  /** The CSeq number for a second try; the request's plus one unless given. */
  readonly nextSeq?: () => number
  /** The flow is the only way to the peer, which opened it. */
  readonly fixed: boolean
  /** This server does not serve: the flow to another one. @param retryAfterMs As it asked for. */
  readonly elsewhere?: (retryAfterMs?: number) => WireFlow | undefined
  /** Our Contact towards that flow, if the request has one that follows it. */
  readonly contact?: (flow: WireFlow) => string
  /** False once nobody wants the answer any more: a challenge is then the end. */
  readonly wanted?: () => boolean
}

export interface ExchangeUser {
  provisional?(response: SipResponse): void
  /** The answer, or a 408 or 503 made here. An INVITE may have several 2xx. */
  final(response: SipResponse, failure?: ClientFailure): void
}

/** Judgement: a peer that takes TCP does so at once; a firewall that drops it must not cost the call. */
const tcpPatienceMs = 2_000

export class Exchange {
  readonly #context: Context
  #options: ExchangeOptions
  #user: ExchangeUser
  readonly #answers: ChallengeAnswers | undefined
  #request: SipRequest
  #lengthened = false
  #flow: WireFlow
  /** The flow to return to if nobody takes the TCP connection that was chosen for a large request. */
  #datagrams: WireFlow | undefined
  #patience: Timer | undefined
  #heard = false
  /** A provisional response above 100 came. */
  #rang = false
  #transaction: ClientTransaction

  constructor(context: Context, options: ExchangeOptions, user: ExchangeUser) {
    this.#context = context
    this.#options = options
    this.#user = user
    this.#answers = options.credentials && new ChallengeAnswers(options.credentials)
    this.#request = options.request
    this.#flow = options.flow
    this.#transaction = this.#send()
  }

  /** The request as sent last. */
  get request(): SipRequest {
    return this.#request
  }

  get branch(): string {
    return this.#transaction.branch
  }

  get flow(): WireFlow {
    return this.#flow
  }

  /** It was answered: only further 2xx to an INVITE are of interest (RFC 6026), and nothing else is kept for them. */
  settle(user: Pick<ExchangeUser, 'final'>): void {
    const { method, uri, headers } = this.#request
    this.#request = createRequest(method, uri, headers)
    this.#options = { request: this.#request, flow: this.#flow, fixed: true }
    this.#user = user
  }

  /** Forget it: nobody is told. */
  stop(): void {
    this.#patience?.cancel()
    this.#transaction.stop()
  }

  #send(): ClientTransaction {
    this.#chooseTransport()
    return this.#context.transactions.send(this.#request, this.#flow, {
      response: (response) => this.#receive(response),
      failed: (why) => {
        if (why === 'transport' && this.#useDatagrams()) return
        if (this.#goElsewhere()) return
        this.#user.final(unanswered(this.#request, why), why)
      },
    })
  }

  #chooseTransport(): void {
    this.#datagrams = undefined
    const { clock, transport } = this.#context
    const tcp = this.#options.fixed ? undefined : transport.flowForLarge(this.#flow, this.#request)
    if (!tcp) return
    this.#datagrams = this.#flow
    this.#flow = tcp
    this.#heard = false
    if (tcp.local.port !== 0) return
    this.#patience = clock.after(tcpPatienceMs, () => {
      if (tcp.local.port !== 0 || !this.#datagrams) return // port 0 until the connection stands
      this.#transaction.stop()
      this.#useDatagrams()
    })
  }

  /** The connection for a large request did not come about. */
  #useDatagrams(): boolean {
    this.#patience?.cancel()
    const flow = this.#heard ? undefined : this.#datagrams
    this.#datagrams = undefined
    if (!flow) return false
    this.#context.transport.refusesTcp(flow)
    this.#sendBy(flow)
    return true
  }

  #sendBy(flow: WireFlow): void {
    const headers = this.#request.headers.clone()
    headers.remove('Via')
    const contact = this.#options.contact?.(flow)
    if (contact !== undefined) headers.set('Contact', contact)
    this.#flow = flow
    this.#request = { ...this.#request, headers }
    this.#transaction = this.#send()
  }

  #receive(response: SipResponse): void {
    this.#heard = true
    this.#patience?.cancel()
    if (response.status < 200) {
      if (response.status > 100) this.#rang = true
      return this.#user.provisional?.(response)
    }
    if (response.status === 503 && this.#goElsewhere(retryAfterMs(response))) return
    const retry = response.status === 422 ? this.#withLongerSession(response) : this.#answered(response)
    if (!retry) return this.#user.final(response)
    this.#request = retry
    this.#rang = false
    this.#transaction = this.#send()
  }

  #goElsewhere(restMs?: number): boolean {
    this.#patience?.cancel()
    const flow = this.#rang ? undefined : this.#options.elsewhere?.(restMs)
    if (flow) {
      this.#answers?.forget(this.#request.headers)
      this.#sendBy(flow)
    }
    return flow !== undefined
  }

  /** The request again with credentials; undefined when it cannot or should not be tried again. */
  #answered(response: SipResponse): SipRequest | undefined {
    if (this.#options.wanted?.() === false || !this.#answers?.take(response)) return undefined
    const retry = this.#again()
    this.#answers.sign(retry)
    return retry
  }

  /** RFC 4028 §7.3: once more with the interval that was asked for, if it was asked for once. */
  #withLongerSession(response: SipResponse): SipRequest | undefined {
    const minS = minSeOf(response)
    if (
      minS === undefined ||
      this.#options.wanted?.() === false ||
      this.#lengthened ||
      !this.#request.headers.has('Session-Expires')
    )
      return undefined
    this.#lengthened = true
    const retry = this.#again()
    retry.headers.set('Session-Expires', retry.headers.get('Session-Expires')?.replace(/^\d+/, String(minS)) ?? '')
    retry.headers.set('Min-SE', String(minS))
    this.#answers?.sign(retry)
    return retry
  }

  /** The request with the next number, without Via. */
  #again(): SipRequest {
    const request = this.#request
    const headers = request.headers.clone()
    headers.remove('Via')
    const seq = this.#options.nextSeq?.() ?? (cseqOf(request)?.seq ?? 0) + 1
    headers.set('CSeq', `${seq} ${request.method}`)
    return { ...request, headers }
  }
}
