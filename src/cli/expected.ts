/** Errors that are somebody's mistake or the world's state, not a fault of ours: one line, no stack. */
const names = new Set([
  'SettingsError',
  'DirectoryError',
  'DatabaseError',
  'AuthError',
  'UsageError',
  'ApiError',
  'StartError',
  'SipError',
  'PromptError',
  'ArchiveError',
  'SealingError',
  'ProofError',
  'RetentionError',
  'ComplianceError',
])

export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** For a second word that is missing or none of the command's own. */
export function wrongWord(command: string, given: string, words: string): UsageError {
  return new UsageError(given === '' ? `${command}: give ${words}` : `${command}: "${given}" is not ${words}`)
}

export function isExpected(error: unknown): error is Error {
  if (!(error instanceof Error)) return false
  return (
    names.has(error.name) ||
    ('code' in error && typeof error.code === 'string' && error.code.startsWith('ERR_PARSE_ARGS'))
  )
}
