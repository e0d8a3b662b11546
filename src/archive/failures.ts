import type { FailureTable } from '../core/failures.ts'

/** Why a store did not do what was asked. Shown with the store's name; the store's own words stand in the message. */
export const archiveFailures = {
  'archive.refused': { fault: 'us', http: 502, text: 'The store refuses the credentials, or they may not do this' },
  'archive.no-bucket': { fault: 'us', text: 'The bucket, container or folder is not there' },
  'archive.full': { fault: 'upstream', text: 'The store is full, or its quota is used up' },
  'archive.busy': { fault: 'upstream', http: 503, text: 'The store asks to be left alone for a while' },
  'archive.unreachable': { fault: 'upstream', http: 502, text: 'The store does not answer' },
  'archive.clock-skew': { fault: 'us', text: 'The clock of this machine is wrong, so the store refuses what it signs' },
  'archive.damaged': { fault: 'upstream', text: 'What the store has is not what was sent' },
  'archive.locked': { fault: 'upstream', text: 'The store keeps the object under a lock or a legal hold' },
  'archive.object-gone': { fault: 'upstream', http: 404, text: 'The store has no such object' },
  'archive.file-gone': { fault: 'us', text: 'A file of the recording is neither on the disk nor in the store' },
  'archive.client-missing': { fault: 'us', text: 'The client of this store is not installed' },
  'archive.bad-settings': { fault: 'us', text: 'The settings of this store cannot be used' },
  'archive.failed': { fault: 'upstream', http: 502, text: 'The store failed' },
} as const satisfies FailureTable

export type ArchiveFailure = keyof typeof archiveFailures

export class ArchiveError extends Error {
  override readonly name = 'ArchiveError'
  readonly code: ArchiveFailure
  constructor(code: ArchiveFailure, detail?: string, options?: ErrorOptions) {
    super(detail ? `${archiveFailures[code].text}: ${detail}` : archiveFailures[code].text, options)
    this.code = code
  }
}

/** Codes of the network that say that nobody answered. */
const networkCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EPIPE',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'TimeoutError',
  'REQUEST_SEND_ERROR',
])

/** What all stores say alike: by the code of the network or the file system, then by the HTTP status. */
export function failureOf(code: string | undefined, status: number | undefined): ArchiveFailure {
  if (code !== undefined && networkCodes.has(code)) return 'archive.unreachable'
  if (code === 'ENOSPC' || code === 'EDQUOT' || status === 507) return 'archive.full'
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS' || status === 401 || status === 403)
    return 'archive.refused'
  if (status === 404) return 'archive.object-gone'
  if (status === 429 || status === 503 || status === 408) return 'archive.busy'
  if (status === 500 || status === 502 || status === 504) return 'archive.unreachable'
  return 'archive.failed'
}

/** The one line of an error, without what could hold a secret of a signed address. */
export const wordsOf = (error: unknown): string =>
  String((error as { message?: unknown } | undefined)?.message ?? error)
    .split('\n')[0]
    ?.replaceAll(/([?&](?:sig|signature|X-Amz-[A-Za-z-]+|upload_id)=)[^&\s"']+/gi, '$1…')
    .slice(0, 300) ?? ''
