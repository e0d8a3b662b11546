import type { FailureTable } from '../core/failures.ts'

/** What can go wrong with what the operator gives the network. */
export const netFailures = {
  'net.tls-files': { fault: 'caller', text: 'The TLS certificate or key cannot be used' },
} as const satisfies FailureTable

/** The message is the one line to print: which file, and what is wrong with it. */
export class TlsError extends Error {
  override readonly name = 'TlsError'
  readonly code: keyof typeof netFailures = 'net.tls-files'
}
