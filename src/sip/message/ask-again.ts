/** What a refusal says about asking again: for how long at least (423), and when (Retry-After). */
import { readHeader } from './header-values.ts'
import type { SipResponse } from './types.ts'

/** A registration or subscription that has to be longer than a week is nothing we wait for. */
const longestExpiresS = 86_400 * 7

/**
 * Seconds to ask for after 423 Interval Too Brief; undefined after any other answer, and when that would not be longer.
 * RFC 3261 §10.2.8, RFC 6665 §4.1.2.1, RFC 3903 §4.
 */
export function longerExpiresS({ status, headers }: SipResponse, askedS: number): number | undefined {
  const leastS = status === 423 ? readHeader(headers, 'Min-Expires') : undefined
  return leastS !== undefined && leastS > askedS && leastS <= longestExpiresS ? leastS : undefined
}

/** Milliseconds until it may be asked again (RFC 3261 §20.33); undefined when it names no time. */
export function retryAfterMs({ headers }: SipResponse): number | undefined {
  const value = readHeader(headers, 'Retry-After')
  return value && value.seconds * 1_000
}
