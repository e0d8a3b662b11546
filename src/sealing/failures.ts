import type { FailureTable } from '../core/failures.ts'

export const sealingFailures = {
  'sealing.not-sealed': { fault: 'caller', text: 'This is no sealed file' },
  'sealing.unknown-version': {
    fault: 'caller',
    text: 'The sealed file is of a version or cipher that is not known here',
  },
  'sealing.damaged': { fault: 'us', http: 500, text: 'The sealed file was changed or damaged' },
  'sealing.unfinished': { fault: 'us', http: 500, text: 'The sealed file has no end: its writing was cut off' },
  'sealing.key-missing': { fault: 'us', http: 500, text: 'The master key of the sealed file is not here' },
  'sealing.no-rotation': { fault: 'caller', text: 'This master key is not changed here' },
  'sealing.key-service': { fault: 'upstream', http: 503, text: 'The key service did not answer' },
  'sealing.key-refused': { fault: 'us', http: 500, text: 'The master key does not open the key of the sealed file' },
} as const satisfies FailureTable

export type SealingFailure = keyof typeof sealingFailures

export class SealingError extends Error {
  override readonly name = 'SealingError'
  readonly code: SealingFailure
  constructor(code: SealingFailure, detail?: string, options?: ErrorOptions) {
    super(detail ? `${sealingFailures[code].text}: ${detail}` : sealingFailures[code].text, options)
    this.code = code
  }
}
