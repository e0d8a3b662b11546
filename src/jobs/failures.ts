import type { FailureTable } from '../core/failures.ts'

export const jobFailures = {
  'job.not-found': { fault: 'caller', http: 404, text: 'No job has this id; one that is done is gone' },
  'job.running': { fault: 'caller', http: 409, text: 'The job runs already' },
  'job.crashed': { fault: 'us', text: 'The process died each time this job was begun' },
  'job.too-long': { fault: 'us', text: 'The job took too long' },
} as const satisfies FailureTable

export type JobFailure = keyof typeof jobFailures

export class JobError extends Error {
  override readonly name = 'JobError'
  readonly code: JobFailure
  constructor(code: JobFailure, options?: ErrorOptions) {
    super(jobFailures[code].text, options)
    this.code = code
  }
}

/** Thrown by a handler: no further attempt can succeed. The cause is what is told. */
export class HopelessError extends Error {
  override readonly name = 'HopelessError'
}
