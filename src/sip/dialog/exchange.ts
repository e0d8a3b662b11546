/**
 * One request of ours until its final response, a challenge answered on the way.
 *
 * RFC 3261 §22.2, §8.1.3.5: the second try is a new transaction with the next CSeq and the same Call-ID and From tag.
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
  /** False once nobody wants the answer any more: a challenge is then the end. */
  readonly wanted?: () => boolean
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
  #transaction: ClientTransaction

  constructor(context: Context, options: ExchangeOptions, user: ExchangeUser) {
    this.#context = context
    this.#options = options
    this.#user = user
    this.#request = options.request
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
    return this.#options.flow
  }

  /** Forget it: nobody is told. */
  stop(): void {
    this.#transaction.stop()
  }

  #send(): ClientTransaction {
    return this.#context.transactions.send(this.#request, this.#options.flow, {
      response: (response) => this.#receive(response),
      failed: (why) => this.#user.final(localResponse(this.#request, why === 'timeout' ? 408 : 503), why),
    })
  }

  #receive(response: SipResponse): void {
    if (response.status < 200) return this.#user.provisional?.(response)
    const retry = this.#answered(response)
    if (!retry) return this.#user.final(response)
    this.#request = retry
    this.#transaction = this.#send()
  }

  /** The request again with credentials; undefined when it cannot or should not be tried again. */
  #answered(response: SipResponse): SipRequest | undefined {
    const { credentials, nextSeq, wanted } = this.#options
    const { status } = response
    if (wanted?.() === false || !credentials || (status !== 401 && status !== 407)) return undefined
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
