/** What the client of S3 throws, in the words of archiveFailures. Codes: API_ErrorResponses of the S3 reference. */
import { ArchiveError, type ArchiveFailure, failureOf, wordsOf } from '../failures.ts'

interface S3Fault {
  readonly name?: string
  readonly code?: string
  readonly Code?: string
  readonly $metadata?: { readonly httpStatusCode?: number }
}

const byName: Readonly<Record<string, ArchiveFailure>> = {
  NoSuchBucket: 'archive.no-bucket',
  NoSuchKey: 'archive.object-gone',
  NotFound: 'archive.object-gone',
  AccessDenied: 'archive.refused',
  InvalidAccessKeyId: 'archive.refused',
  SignatureDoesNotMatch: 'archive.refused',
  ExpiredToken: 'archive.refused',
  InvalidToken: 'archive.refused',
  CredentialsProviderError: 'archive.refused',
  RequestTimeTooSkewed: 'archive.clock-skew',
  SlowDown: 'archive.busy',
  ServiceUnavailable: 'archive.busy',
  TooManyRequests: 'archive.busy',
  QuotaExceeded: 'archive.full',
  EntityTooLarge: 'archive.failed',
  BadDigest: 'archive.damaged',
  InvalidDigest: 'archive.damaged',
  XAmzContentSHA256Mismatch: 'archive.damaged',
  InvalidObjectState: 'archive.failed',
  TimeoutError: 'archive.unreachable',
}

/** @param what The key or bucket it was about. */
export function s3Error(error: unknown, what: string): ArchiveError {
  if (error instanceof ArchiveError) return error
  const { name, code, Code, $metadata } = error as S3Fault
  const failure = byName[Code ?? ''] ?? byName[name ?? ''] ?? failureOf(code ?? name, $metadata?.httpStatusCode)
  // A name that says more than "Unknown" stands before the words.
  const told = [name === 'Error' ? undefined : name, wordsOf(error)].filter(Boolean).join(': ')
  return new ArchiveError(failure, `${what}: ${told}`, { cause: error })
}

/** A HEAD has no body, so its answer is all there is to go by. */
export const isMissing = (error: unknown): boolean => (error as S3Fault).$metadata?.httpStatusCode === 404

export const hasName = (error: unknown, ...names: readonly string[]): boolean => {
  const { name = '', Code = '' } = error as S3Fault
  return names.includes(name) || names.includes(Code)
}
