import type { FailureTable } from '../core/failures.ts'
import type { Answer } from '../sip/stack.types.ts'

/** What we read; sent as Accept. */
export const acceptedTypes = 'application/sdp, application/rs-metadata+xml, application/rs-metadata, multipart/mixed'

/** Why a recording session is refused, and what its client is told (RFC 7866 §9.2, RFC 3261 §21). */
export const siprecFailures = {
  'siprec.bad-multipart': { fault: 'peer', sip: 400, text: 'The multipart body cannot be taken apart' },
  'siprec.bad-sdp': { fault: 'peer', sip: 400, text: 'The session description cannot be read' },
  'siprec.unknown-body': { fault: 'peer', sip: 415, text: 'The body is of a type that is not read' },
  'siprec.no-offer': { fault: 'peer', sip: 488, text: 'The first INVITE must offer media' },
  'siprec.no-audio': { fault: 'peer', sip: 488, text: 'No stream is offered that can be recorded' },
  'siprec.no-encryption': {
    fault: 'peer',
    sip: 488,
    text: 'No stream is encrypted as it must be, or all in a way that is not known',
  },
  'siprec.peer-off': { fault: 'peer', sip: 403, text: 'Recording is switched off for this client' },
  'siprec.not-conforming': {
    fault: 'peer',
    sip: 403,
    text: 'The request lacks what RFC 7866 asks of a recording client, and its peer is not set to be lenient',
  },
  'siprec.media-exhausted': { fault: 'us', sip: 503, text: 'No RTP port is free' },
  'siprec.redis-missing': {
    fault: 'caller',
    sip: 500,
    text: 'Redis is asked for, and its client (@redis/client) is not installed',
  },
  'siprec.order-refused': {
    fault: 'upstream',
    sip: 502,
    text: 'The recording client did not send the session that was asked for',
  },
  'siprec.redis-away': { fault: 'upstream', sip: 500, text: 'Redis cannot be reached' },
  'siprec.fault': { fault: 'us', sip: 500, text: 'The recording session could not be handled' },
} as const satisfies FailureTable

export type SiprecFailure = keyof typeof siprecFailures

export class SiprecError extends Error {
  override readonly name = 'SiprecError'
  readonly code: SiprecFailure
  constructor(code: SiprecFailure, options?: ErrorOptions) {
    super(siprecFailures[code].text, options)
    this.code = code
  }
}

/** Asked again after so long; a worker's ports free up as calls end. */
const retryAfterSeconds = 10

/** What goes with the status: what we read instead (RFC 3261 §21.4.13), when to try again (§21.5.4). */
export function refusalOf(code: SiprecFailure): Answer {
  const { sip } = siprecFailures[code]
  if (sip === 415) return { headers: { Accept: acceptedTypes } }
  return sip === 503 ? { headers: { 'Retry-After': String(retryAfterSeconds) } } : {}
}
