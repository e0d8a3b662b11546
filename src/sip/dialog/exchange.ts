/**
 * One request of ours until its final response; a challenge, or a wish for a longer session timer, met on the way.
 *
 * RFC 3261 §22.2, §8.1.3.5, RFC 4028 §7.3: the second try is a new transaction with the next CSeq and the same Call-ID and From tag.
 */
import { answerChallenge } from '../auth/digest-client.ts'
import { cseqOf } from '../message/fields.ts'
import type { SipRequest, SipResponse } from '../message/types.ts'
import type { Credentials } from '../stack.types.ts'
import type { ClientTransaction } from '../transaction/transactions.ts'
import type { ClientFailure } from '../transaction/types.ts'
import type { WireFlow } from '../transport/flow.ts'
import type { Context } from './context.ts'
import { minSeOf } from './session-timer.ts'
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
  #lengthened = false
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
    const retry = response.status === 422 ? this.#withLongerSession(response) : this.#answered(response)
    if (!retry) return this.#user.final(response)
    this.#request = retry
    this.#transaction = this.#send()
  }

  /** The request again with credentials; undefined when it cannot or should not be tried again. */
  #answered(response: SipResponse): SipRequest | undefined {
    const { credentials, wanted } = this.#options
    const { status } = response
    if (wanted?.() === false || !credentials || (status !== 401 && status !== 407)) return undefined
    const [challengeName = '', answerName = ''] = authHeaders[status]
    const request = this.#request
    const { method, uri, body } = request
    if (request.headers.has(answerName)) return undefined // tried already
    const challenges = response.headers.all(challengeName)
    const answer = answerChallenge({ challenges, method, uri, credentials, nonceCount: 1, body })
    if (answer === undefined) return undefined
    const retry = this.#again()
    retry.headers.set(answerName, answer)
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
    // A nonce is not used twice with the same count: let the peer ask again.
    for (const name of ['Authorization', 'Proxy-Authorization']) retry.headers.remove(name)
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
