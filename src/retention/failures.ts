import type { FailureTable } from '../core/failures.ts'

export const retentionFailures = {
  'retention.rule-not-found': { fault: 'caller', http: 404, text: 'No retention rule has this id' },
  'retention.held': { fault: 'caller', http: 409, text: 'A legal hold forbids it' },
  'retention.not-stored': {
    fault: 'caller',
    http: 409,
    text: 'The recording is still being made, or is deleted already',
  },
  'retention.files-unknown': {
    fault: 'us',
    text: 'The recording was never finished, and which files it has stands in notes whose key cannot be had now',
  },
  'retention.hold-not-found': { fault: 'caller', http: 404, text: 'No legal hold that stands has this id' },
  'retention.nothing-to-hold': { fault: 'caller', http: 404, text: 'There is no such recording or call to hold' },
  'retention.bad-person': {
    fault: 'caller',
    http: 400,
    text: 'A person is a number or an address, such as +4930123 or sip:alice@example.com',
  },
} as const satisfies FailureTable

export class RetentionError extends Error {
  override readonly name = 'RetentionError'
  readonly code: keyof typeof retentionFailures
  constructor(code: keyof typeof retentionFailures, detail?: string, options?: ErrorOptions) {
    super(detail ? `${retentionFailures[code].text}: ${detail}` : retentionFailures[code].text, options)
    this.code = code
  }
}
