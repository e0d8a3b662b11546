import type { FailureTable } from '../../core/failures.ts'

/** What can go wrong for who uses the stack. What peers do wrong is answered or counted, never thrown. */
export const sipFailures = {
  'sip.cannot-listen': { fault: 'caller', text: 'The SIP address cannot be listened on' },
  'sip.body-without-type': { fault: 'us', text: 'A body needs a content type' },
  'sip.dialog-ended': { fault: 'peer', text: 'The dialog ended first' },
  'sip.subscription-refused': { fault: 'peer', text: 'The subscription was refused' },
  'sip.aborted': { fault: 'caller', text: 'The request was given up' },
} as const satisfies FailureTable

export class SipError extends Error {
  override readonly name = 'SipError'
  readonly code: keyof typeof sipFailures
  constructor(code: keyof typeof sipFailures, options?: ErrorOptions) {
    super(sipFailures[code].text, options)
    this.code = code
  }
}
