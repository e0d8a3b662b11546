/** Option tags a peer requires of us. RFC 3261 §8.2.2.3. */
import { randomHex } from '../../core/random.ts'
import { createResponse } from '../message/build.ts'
import { optionTags } from '../message/fields.ts'
import type { SipRequest } from '../message/types.ts'
import type { WireFlow } from '../transport/flow.ts'
import type { Context } from './context.ts'

/** Answer 420 and return true when the request requires what we do not know. `timer`: see session-timer.ts. */
export function refuseUnsupported(context: Context, request: SipRequest, flow: WireFlow): boolean {
  if (!request.headers.has('Require')) return false
  const { supported } = context.identity
  const unknown = optionTags(request, 'Require').filter((tag) => tag !== 'timer' && !supported.includes(tag))
  if (unknown.length === 0) return false
  const response = createResponse(request, 420, { toTag: randomHex(8), headers: { Unsupported: unknown.join(', ') } })
  context.transactions.respondStateless(request, response, flow)
  return true
}
