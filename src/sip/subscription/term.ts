/** How long a subscription or a published state may live before it is refreshed: asked for, granted. RFC 6665 §4.2.1.1. */
import { expiresOf } from '../message/fields.ts'
import type { SipMessage } from '../message/types.ts'

/** Seconds: without Expires, the least (423 asks for it; at most an hour), the most. */
export interface Terms {
  readonly usual: number
  readonly min: number
  readonly max: number
}

/** RFC 3903 §6 and most event packages: an hour. */
export const usualTerms: Terms = { usual: 3_600, min: 60, max: 3_600 }

/** Seconds granted, 0 for an end; undefined when so few are asked for that 423 is the answer. */
export function termFor(request: SipMessage, { usual, min, max }: Terms): number | undefined {
  const asked = expiresOf(request) ?? usual
  return asked > 0 && asked < min ? undefined : Math.min(asked, max)
}
