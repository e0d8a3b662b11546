/**
 * Refuses new calls while the server has no time for them, before anything is made of them.
 *
 * What belongs to calls that live, and all that is no call, goes on. An INVITE that answers a challenge was let in when it
 * was challenged. RFC 3261 §21.5.4.
 */
import { toTag } from '../sip/message/fields.ts'
import type { SipRequest } from '../sip/message/types.ts'
import type { Flow, Verdict } from '../sip/stack.types.ts'

export interface Load {
  /** Whether one more call may come in; counts it. */
  admit(): boolean
}

/** Seconds until a refused caller should try again: not all at the same time. */
const retryAfterS = { least: 5, spread: 10 }

export function shedding(
  load: Load,
  guard: (request: SipRequest, flow: Flow) => Verdict,
): (request: SipRequest, flow: Flow) => Verdict {
  let refused = 0
  return (request, flow) => {
    if (!isNewCall(request) || load.admit()) return guard(request, flow)
    const seconds = retryAfterS.least + (refused++ % retryAfterS.spread)
    return { status: 503, headers: { 'Retry-After': String(seconds) } }
  }
}

function isNewCall(request: SipRequest): boolean {
  const { method, headers } = request
  if (method !== 'INVITE' || toTag(request) !== undefined) return false
  return !headers.has('Authorization') && !headers.has('Proxy-Authorization')
}
