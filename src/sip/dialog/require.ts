/** What a peer requires of us that we cannot or will not give. RFC 3261 §8.2.2.3, RFC 4028 §9. */
import { randomHex } from '../../core/random.ts'
import { createResponse } from '../message/build.ts'
import { optionTags } from '../message/fields.ts'
import type { SipRequest } from '../message/types.ts'
import type { WireFlow } from '../transport/flow.ts'
import type { Context } from './context.ts'
import { tooShortFor } from './session-timer.ts'

/** Answer 420 and return true when the request requires what we do not know. */
export function refuseUnsupported(context: Context, request: SipRequest, flow: WireFlow): boolean {
  if (!request.headers.has('Require')) return false
  const { supported } = context.identity
  const unknown = optionTags(request, 'Require').filter((tag) => !supported.includes(tag))
  if (unknown.length === 0) return false
  const response = createResponse(request, 420, { toTag: randomHex(8), headers: { Unsupported: unknown.join(', ') } })
  context.transactions.respondStateless(request, response, flow)
  return true
}

/** Answer 422 and return true when the session would have to be refreshed more often than we are ready for. */
export function refuseShortSession(context: Context, request: SipRequest, flow: WireFlow): boolean {
  if (request.method !== 'INVITE' && request.method !== 'UPDATE') return false
  const minS = tooShortFor(context.identity.session, request)
  if (minS === undefined) return false
  const response = createResponse(request, 422, { toTag: randomHex(8), headers: { 'Min-SE': String(minS) } })
  context.transactions.respondStateless(request, response, flow)
  return true
}
