/** A request that came, with the server transaction that answers it. INVITEs that start a dialog are elsewhere. */
import type { SipRequest, SipResponse } from '../message/types.ts'
import type { Answer, IncomingRequest } from '../stack.types.ts'
import type { ServerTransaction } from '../transaction/transactions.ts'
import type { WireFlow } from '../transport/flow.ts'
import type { Context } from './context.ts'
import { writeResponse } from './write.ts'

export interface ReceivedOptions {
  readonly context: Context
  readonly request: SipRequest
  readonly flow: WireFlow
  readonly transaction: Pick<ServerTransaction, 'respond'>
  /** Our tag, for requests outside a dialog. */
  readonly toTag?: string
  /** Told of the final response as it leaves. */
  readonly answered?: (response: SipResponse) => void
}

export class ReceivedRequest implements IncomingRequest {
  readonly request: SipRequest
  readonly flow: WireFlow
  readonly #options: ReceivedOptions
  #done = false

  constructor(options: ReceivedOptions) {
    this.#options = options
    this.request = options.request
    this.flow = options.flow
  }

  respond(status: number, answer?: Answer): void {
    const { context, request, flow, transaction, toTag, answered } = this.#options
    // RFC 4320 §4.1: nothing but an INVITE gets a provisional answer.
    if (this.#done || (status < 200 && request.method !== 'INVITE')) return
    const response = writeResponse(context, request, flow, status, answer, toTag)
    this.#done = status >= 200
    transaction.respond(response)
    if (this.#done) answered?.(response)
  }
}
