/** A request outside dialogs that is no INVITE: REGISTER, OPTIONS, MESSAGE. RFC 3261 §8.1. */
import { newId, randomHex } from '../../core/random.ts'
import type { SipRequest, SipResponse } from '../message/types.ts'
import type { Flow, RequestOptions } from '../stack.types.ts'
import type { WireFlow } from '../transport/flow.ts'
import type { SipTransport } from '../transport/transport.ts'
import type { Context } from './context.ts'
import { Exchange } from './exchange.ts'
import { SipError } from './failures.ts'
import { type Way, withWay } from './target.ts'
import { localResponse, unanswered, writeRequest } from './write.ts'

/** What only the stack itself asks for. */
export interface SendExtras {
  /** The CSeq number for a second try. */
  readonly nextSeq?: () => number
  /** A Contact that follows the flow. */
  readonly contact?: (flow: Flow) => string
  /** By which flow the final response came. */
  readonly answeredBy?: (flow: WireFlow) => void
}

/** Resolves with the final response; a 408 or 503 is made here when none comes. Rejects only when aborted. */
export function sendRequest(
  context: Context,
  method: string,
  options: RequestOptions,
  extras: SendExtras = {},
): Promise<SipResponse> {
  const { target, signal, credentials } = options
  const { nextSeq, contact, answeredBy } = extras
  const request = writeRequest(context.identity, {
    method,
    uri: target.uri,
    from: `${options.from};tag=${randomHex(8)}`,
    to: options.to,
    callId: options.callId ?? newId(),
    seq: options.cseq ?? 1,
    payload: options,
  })
  return new Promise((resolve, reject) => {
    let exchange: Exchange | undefined
    let over = false
    const abort = (): void => {
      over = true
      exchange?.stop()
      reject(new SipError('sip.aborted', { cause: signal?.reason }))
    }
    if (signal?.aborted) return abort()
    signal?.addEventListener('abort', abort, { once: true })
    const settle = (response: SipResponse): void => {
      signal?.removeEventListener('abort', abort)
      resolve(response)
    }
    withWay(context.transport, target, options.headers, (way) => {
      if (over) return
      if (!way) return settle(unanswered(request, 'transport'))
      const flow = method === 'MESSAGE' ? uncut(context.transport, way, request) : way.flow
      if (!flow) return settle(localResponse(request, 513))
      const { fixed } = way
      const elsewhere = (retryAfterMs?: number) => way.fail(retryAfterMs)
      if (contact) request.headers.set('Contact', contact(flow))
      const more = { ...(contact && { contact }), ...(nextSeq && { nextSeq }) }
      const final = (response: SipResponse, failure?: unknown): void => {
        if (exchange && failure === undefined) answeredBy?.(exchange.flow)
        settle(response)
      }
      exchange = new Exchange(context, { request, flow, fixed, credentials, elsewhere, ...more }, { final })
    })
  })
}

/** RFC 3428 §8: what does not fit into a datagram goes where congestion is minded, or nowhere. */
function uncut(transport: SipTransport, { flow, fixed }: Way, request: SipRequest): WireFlow | undefined {
  if (!transport.exceedsDatagram(flow, request)) return flow
  return fixed ? undefined : transport.flowForLarge(flow, request)
}
