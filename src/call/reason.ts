/**
 * Why a call ends, in the words of Reason headers, so that one leg's reason reaches the other: the cause of the telephone
 * network (Q.850), and a SIP status such as "completed elsewhere". RFC 3326; RFC 6432 for Reason in responses.
 */
import type { EndReason } from '../events/catalogue.ts'
import type { SipMessage } from '../sip/message/types.ts'

/** Judgement: one for each protocol is the rule (RFC 3326 §2). */
const mostReasons = 4

/** Values worth passing on; others say nothing outside the network they come from. */
export const reasonsIn = ({ headers }: SipMessage): readonly string[] =>
  headers
    .all('Reason')
    .filter((value) => /^(?:q\.850|sip)\s*(?:;|$)/i.test(value))
    .slice(0, mostReasons)

/** As headers of a message that passes them on. */
export const reasonHeader = (
  reasons: readonly string[],
): { readonly headers?: { readonly Reason: readonly string[] } } =>
  reasons.length === 0 ? {} : { headers: { Reason: reasons } }

/** Said to both sides when the handshake of one failed. @param why From DTLS: an alert, or that it fell silent. */
export const noKeys = (why: string): string => `SIP;cause=488;text="DTLS handshake failed: ${why}"`

/** What causes of Q.850 mean for a call that did not come about (RFC 3398 §7.2.4.1). */
const meanings: Readonly<Record<number, EndReason>> = {
  1: 'not-found',
  2: 'not-found',
  3: 'not-found',
  17: 'busy',
  18: 'no-answer',
  19: 'no-answer',
  21: 'declined',
  28: 'not-found',
}

/** What the telephone network says, which is finer than the status it became; undefined when it says nothing of use. */
export function networkReason(reasons: readonly string[]): EndReason | undefined {
  const cause = reasons.map((value) => /^q\.850\s*;.*?\bcause\s*=\s*(\d{1,3})/i.exec(value)?.[1]).find(Boolean)
  return cause === undefined ? undefined : meanings[Number(cause)]
}
