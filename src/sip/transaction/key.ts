/**
 * Which transaction a message belongs to. RFC 3261 §17.1.3 and §17.2.3.
 *
 * Departs from RFC 3261 §17.2.3 for peers of RFC 2543 (no magic cookie): the To tag is left out of the comparison, so
 * that an ACK, whose To has a tag, is found by the same key as its INVITE.
 */
import { callIdOf, cseqOf, fromTag, topVia } from '../message/fields.ts'
import type { SipRequest, SipResponse } from '../message/types.ts'

/** RFC 3261 §8.1.1.7: marks a branch that is unique by itself. */
export const magicCookie = 'z9hG4bK'

/** @param method The method whose transaction is looked for: INVITE for an ACK, and for what a CANCEL cancels. */
export function serverKey(request: SipRequest, method = request.method === 'ACK' ? 'INVITE' : request.method): string {
  const via = topVia(request)
  const branch = via?.params.get('branch')
  if (via && branch?.startsWith(magicCookie)) return `${method} ${branch} ${via.host} ${via.port ?? ''}`
  const { uri } = request
  return `${method} 2543 ${callIdOf(request)} ${fromTag(request)} ${cseqOf(request)?.seq} ${via?.host} ${branch} ${uri}`
}

/** Key of a request of ours. */
export const clientKey = (branch: string, method: string): string => `${method} ${branch}`

/** Key of the request that a response answers; undefined when it names none. */
export function answeredKey(response: SipResponse): string | undefined {
  const branch = topVia(response)?.params.get('branch')
  const method = cseqOf(response)?.method
  return branch && method ? clientKey(branch, method) : undefined
}

/** What copies of one request over several paths have in common (§8.2.2.2). */
export function mergeKey(request: SipRequest): string {
  const cseq = cseqOf(request)
  return `${callIdOf(request)} ${fromTag(request)} ${cseq?.seq} ${cseq?.method}`
}
