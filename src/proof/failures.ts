import type { FailureTable } from '../core/failures.ts'

export const proofFailures = {
  'proof.none': { fault: 'caller', http: 404, text: 'The recording has no proof yet' },
  'proof.unknown-recording': { fault: 'caller', http: 404, text: 'No recording has this name or id' },
  'proof.key-unreadable': { fault: 'us', http: 500, text: 'The key that signs proofs cannot be read' },
} as const satisfies FailureTable

export type ProofFailure = keyof typeof proofFailures

export class ProofError extends Error {
  override readonly name = 'ProofError'
  readonly code: ProofFailure
  constructor(code: ProofFailure, detail?: string, options?: ErrorOptions) {
    super(detail ? `${proofFailures[code].text}: ${detail}` : proofFailures[code].text, options)
    this.code = code
  }
}
