/**
 * One request of ours until its final response: a challenge answered, another server tried, on the way.
 *
 * RFC 3261 §22.2, §8.1.3.5: with credentials it is a new transaction with the next CSeq and the same Call-ID and From
 * tag. RFC 3263 §4.3: to another server it is the same request in a new transaction, after a 503, a timeout or a
 * failed connection; not once it has rung, for then that server has the call.
 */
import { answerChallenge } from '../auth/digest-client.ts'
import { cseqOf } from '../message/fields.ts'
import type { SipRequest, SipResponse } from '../message/types.ts'
import type { Credentials } from '../stack.types.ts'
import type { ClientTransaction } from '../transaction/transactions.ts'
import type { ClientFailure } from '../transaction/types.ts'
import type { WireFlow } from '../transport/flow.ts'
import type { Context } from './context.ts'
import { localResponse } from './write.ts'

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
}

export interface ExchangeUser {
  provisional?(response: SipResponse): void
  /** The answer, or a 408 or 503 made here. An INVITE may have several 2xx. */
  final(response: SipResponse, failure?: ClientFailure): void
}

const authHeaders = { 401: ['WWW-Authenticate', 'Authorization'], 407: ['Proxy-Authenticate', 'Proxy-Authorization'] }

export class Exchange {
  readonly #context: Context
  readonly #options: ExchangeOptions
  readonly #user: ExchangeUser
  #request: SipRequest
  #flow: WireFlow
  /** A provisional response above 100 came. */
  #rang = false
  #transaction: ClientTransaction

  constructor(context: Context, options: ExchangeOptions, user: ExchangeUser) {
    this.#context = context
    this.#options = options
    this.#user = user
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

  /** Forget it: nobody is told. */
  stop(): void {
    this.#transaction.stop()
  }

  #send(): ClientTransaction {
    return this.#context.transactions.send(this.#request, this.#flow, {
      response: (response) => this.#receive(response),
      failed: (why) => {
        if (this.#goElsewhere()) return
        this.#user.final(localResponse(this.#request, why === 'timeout' ? 408 : 503), why)
      },
    })
  }

  #receive(response: SipResponse): void {
    if (response.status < 200) {
      if (response.status > 100) this.#rang = true
      return this.#user.provisional?.(response)
    }
    if (response.status === 503 && this.#goElsewhere(retryAfterMs(response))) return
    const retry = this.#answered(response)
    if (!retry) return this.#user.final(response)
    this.#request = retry
    this.#rang = false
    this.#transaction = this.#send()
  }

  #goElsewhere(restMs?: number): boolean {
    const { elsewhere, contact } = this.#options
    const flow = this.#rang ? undefined : elsewhere?.(restMs)
    if (!flow) return false
    const headers = this.#request.headers.clone()
    headers.remove('Via')
    if (contact) headers.set('Contact', contact(flow))
    this.#flow = flow
    this.#request = { ...this.#request, headers }
    this.#transaction = this.#send()
    return true
  }

  /** The request again with credentials; undefined when it cannot or should not be tried again. */
  #answered(response: SipResponse): SipRequest | undefined {
    const { credentials, nextSeq } = this.#options
    const { status } = response
    if (!credentials || (status !== 401 && status !== 407)) return undefined
    const [challengeName = '', answerName = ''] = authHeaders[status]
    const request = this.#request
    const { method, uri, body } = request
    if (request.headers.has(answerName)) return undefined // tried already
    const challenges = response.headers.all(challengeName)
    const answer = answerChallenge({ challenges, method, uri, credentials, nonceCount: 1, body })
    if (answer === undefined) return undefined
    const headers = request.headers.clone()
    headers.remove('Via')
    headers.set('CSeq', `${nextSeq?.() ?? (cseqOf(request)?.seq ?? 0) + 1} ${method}`)
    headers.set(answerName, answer)
    return { ...request, headers }
  }
}

/** Seconds, perhaps with a comment and parameters (RFC 3261 §20.33). */
function retryAfterMs(response: SipResponse): number | undefined {
  const seconds = Number.parseInt(response.headers.get('Retry-After') ?? '', 10)
  return Number.isNaN(seconds) ? undefined : seconds * 1_000
}
