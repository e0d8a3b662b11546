import type { FailureTable } from '../core/failures.ts'

export const complianceFailures = {
  'compliance.nobody': { fault: 'caller', http: 404, text: 'No call that has ended is of this call id or person' },
  'compliance.bad-person': {
    fault: 'caller',
    http: 400,
    text: 'A person is a number or an address, such as +4930123 or sip:alice@example.com',
  },
  'compliance.held': { fault: 'caller', http: 409, text: 'A legal hold forbids it' },
  'compliance.call-live': {
    fault: 'caller',
    http: 409,
    text: 'A call of this person lives; it can be erased when it has ended',
  },
  'compliance.export-not-found': { fault: 'caller', http: 404, text: 'No export has this id' },
  'compliance.export-not-ready': { fault: 'caller', http: 409, text: 'The export is not ready, or is gone again' },
  'compliance.erasure-not-found': { fault: 'caller', http: 404, text: 'No erasure has this id' },
} as const satisfies FailureTable

export class ComplianceError extends Error {
  override readonly name = 'ComplianceError'
  readonly code: keyof typeof complianceFailures
  constructor(code: keyof typeof complianceFailures, detail?: string, options?: ErrorOptions) {
    super(detail ? `${complianceFailures[code].text}: ${detail}` : complianceFailures[code].text, options)
    this.code = code
  }
}
