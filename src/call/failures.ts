/** How a call can fail to come about, and what its caller is told (RFC 3261 §21). */
import type { EndReason } from '../events/catalogue.ts'
import { MediaError } from '../media/failures.ts'

export const callFailures = {
  'call.bad-offer': { fault: 'peer', sip: 400, text: 'The session description cannot be read' },
  'call.bad-answer': { fault: 'upstream', sip: 502, text: 'The answer of the called device cannot be read' },
  'call.unknown-body': { fault: 'peer', sip: 415, text: 'The body is no session description' },
  'call.too-many-hops': { fault: 'peer', sip: 483, text: 'The call came back too often: Max-Forwards is used up' },
  'call.no-common-codec': { fault: 'peer', sip: 488, text: 'No codec in common' },
  'call.no-common-encryption': { fault: 'peer', sip: 488, text: 'One side insists on encryption, or on none' },
  'call.media-exhausted': { fault: 'us', sip: 503, text: 'No RTP port is free' },
  'call.media-lost': { fault: 'us', sip: 500, text: 'The media worker of the call died' },
} as const

export type CallFailure = keyof typeof callFailures

export class CallError extends Error {
  override readonly name = 'CallError'
  readonly code: CallFailure
  constructor(code: CallFailure, options?: ErrorOptions) {
    super(callFailures[code].text, options)
    this.code = code
  }
}

/**
 * The status a caller gets for a call that did not come about. One per reason, whatever the phone's own answer was:
 * nothing of the inner network shows, and a 503 of one phone does not tell the caller's phone to leave us (§21.5.4).
 */
export const refusals: Readonly<Record<EndReason, { readonly status: number; readonly reason?: string }>> = {
  hangup: { status: 480 },
  transferred: { status: 487 },
  cancelled: { status: 487 },
  busy: { status: 486 },
  declined: { status: 603 },
  'no-answer': { status: 480, reason: 'No Answer' },
  unreachable: { status: 480 },
  'not-found': { status: 404 },
  'not-allowed': { status: 403 },
  'no-common-codec': { status: 488 },
  'encryption-failed': { status: 488 },
  'media-timeout': { status: 480 },
  limit: { status: 480 },
  'media-lost': { status: 500 },
  shutdown: { status: 503, reason: 'Shutting Down' },
  interrupted: { status: 500 },
  failed: { status: 500 },
}

/** Why a call has no port. */
export const noPort = (cause: unknown): CallError =>
  new CallError(isLost(cause) ? 'call.media-lost' : 'call.media-exhausted', { cause })

const isLost = (cause: unknown): boolean => cause instanceof MediaError && cause.code === 'media.worker-lost'

/** Why a call ends that fails like this. */
export function reasonFor(code: CallFailure): EndReason {
  if (code === 'call.media-lost') return 'media-lost'
  if (code === 'call.no-common-encryption') return 'encryption-failed'
  return callFailures[code].sip === 488 ? 'no-common-codec' : 'failed'
}

/** What a phone's final answer says about why the call did not come about. */
export function reasonOf(status: number): EndReason {
  if (status === 486 || status === 600) return 'busy'
  if (status === 603) return 'declined'
  if (status === 404 || status === 604) return 'not-found'
  if (status === 488 || status === 606 || status === 415) return 'no-common-codec'
  if (status === 487) return 'cancelled'
  if (status === 408 || status === 410 || status === 480 || status === 503) return 'unreachable'
  // The phone forwards its calls elsewhere, where it may not call itself.
  if (status >= 300 && status < 400) return 'unreachable'
  return 'failed'
}

/** When several devices refused, the reason that says most: somebody's decision before a device's state. */
const weight: readonly EndReason[] = [
  'declined',
  'busy',
  'no-common-codec',
  'encryption-failed',
  'not-found',
  'not-allowed',
  'no-answer',
  'failed',
  'unreachable',
]

export const strongestReason = (reasons: readonly EndReason[]): EndReason =>
  weight.find((reason) => reasons.includes(reason)) ?? 'unreachable'
