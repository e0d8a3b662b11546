import type { FailureTable } from '../core/failures.ts'

export const databaseFailures = {
  'database.cannot-open': { fault: 'us', text: 'The database cannot be opened' },
  'database.newer-schema': { fault: 'us', text: 'The database was written by a newer version of Patchbay' },
  'database.migration-failed': { fault: 'us', text: 'The database could not be brought to the present layout' },
  'database.bad-cursor': { fault: 'caller', http: 400, text: 'The cursor is not one of ours' },
} as const satisfies FailureTable

export class DatabaseError extends Error {
  override readonly name = 'DatabaseError'
  readonly code: keyof typeof databaseFailures
  constructor(code: keyof typeof databaseFailures, detail?: string, options?: ErrorOptions) {
    super(detail ? `${databaseFailures[code].text}: ${detail}` : databaseFailures[code].text, options)
    this.code = code
  }
}
