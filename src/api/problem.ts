/**
 * Errors as problem documents (RFC 9457), each with a code to branch on.
 *
 * An error of a feature carries a code of its table; those of Fastify and its plugins are known by their HTTP status.
 * What nobody foresaw is answered 500 without a word about it, and logged.
 */
import { STATUS_CODES } from 'node:http'
import type { FastifyReply } from 'fastify'
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod'
import { archiveFailures } from '../archive/failures.ts'
import { authFailures } from '../auth/failures.ts'
import { complianceFailures } from '../compliance/failures.ts'
import type { FailureTable } from '../core/failures.ts'
import { databaseFailures } from '../database/failures.ts'
import { jobFailures } from '../jobs/failures.ts'
import { directoryFailures } from '../pbx/directory.ts'
import { proofFailures } from '../proof/failures.ts'
import { retentionFailures } from '../retention/failures.ts'
import { sealingFailures } from '../sealing/failures.ts'
import { peerFailures } from '../siprec/peers/peer.ts'
import { type ApiFailure, apiFailures } from './failures.ts'
import { type Problem, problemSchema } from './schemas/common.ts'

const known: FailureTable = {
  ...apiFailures,
  ...authFailures,
  ...directoryFailures,
  ...databaseFailures,
  ...sealingFailures,
  ...proofFailures,
  ...retentionFailures,
  ...complianceFailures,
  ...jobFailures,
  ...archiveFailures,
  ...peerFailures,
}

/** Statuses that Fastify and its plugins answer with by themselves. */
const byStatus: Readonly<Record<number, ApiFailure>> = {
  400: 'api.invalid',
  403: 'api.not-found', // a path outside the folder that is served
  404: 'api.not-found',
  412: 'api.precondition-failed',
  413: 'api.too-large',
  414: 'api.too-large',
  415: 'api.unsupported-media-type',
  416: 'api.range-not-satisfiable',
  429: 'api.too-many-requests',
  431: 'api.too-large',
  503: 'api.stopping',
}

export interface ProblemAnswer {
  readonly problem: Problem
  readonly headers: Readonly<Record<string, string>>
}

export function problemOf(error: unknown): ProblemAnswer {
  if (hasZodFastifySchemaValidationErrors(error)) return { problem: invalid(error), headers: {} }
  const { code, message, retryAfterSeconds, status, headers } = readError(error)
  const failure = known[code]
  if (failure?.http !== undefined) {
    const detail = message === failure.text ? undefined : message
    return { problem: problem(code, detail), headers: headersOf(failure.http, retryAfterSeconds) }
  }
  const own = byStatus[status] ?? (status >= 400 && status < 500 ? 'api.invalid' : 'api.internal')
  return { problem: problem(own, own === 'api.invalid' ? message : undefined), headers }
}

export const sendProblem = (reply: FastifyReply, { problem, headers }: ProblemAnswer): FastifyReply =>
  reply
    .code(problem.status)
    .headers(headers)
    .type('application/problem+json')
    .serializer((body: unknown) => JSON.stringify(body))
    .send(problem)

/** For the `response` of each route: what any of them may answer besides its success. */
export const problemResponses = {
  '4xx': {
    description: 'The request cannot be met; `code` says why.',
    content: { 'application/problem+json': { schema: problemSchema } },
  },
  '5xx': {
    description: 'The server failed.',
    content: { 'application/problem+json': { schema: problemSchema } },
  },
} as const

function problem(code: string, detail?: string): Problem {
  const { http = 500, text = STATUS_CODES[http] ?? 'Error' } = known[code] ?? {}
  return {
    type: `urn:patchbay:problem:${code}`,
    title: text,
    status: http,
    code,
    ...(detail && { detail }),
    error: detail ?? text,
  }
}

interface ValidationError {
  readonly validation: readonly { readonly instancePath: string; readonly message?: string | undefined }[]
  readonly validationContext?: string | undefined
}

function invalid(error: ValidationError): Problem {
  const where = (error.validationContext ?? 'request').replace('querystring', 'query')
  const fields = error.validation.map(({ instancePath, message }) => ({
    path: [where, ...instancePath.split('/').filter(Boolean)].join('.'),
    message: message === undefined ? 'wrong' : inWords(message),
  }))
  return { ...problem('api.invalid', fields.map(({ path, message }) => `${path}: ${message}`).join('; ')), fields }
}

/** zod tells what it expected and received; a person wants to know what to send. */
const inWords = (message: string): string =>
  /received (undefined|null)$/.test(message)
    ? 'is missing'
    : message.replace(/^Invalid (?:input|option): expected (.*?)(?:, received .*)?$/, 'must be $1')

function headersOf(status: number, retryAfterSeconds: number | undefined): Record<string, string> {
  if (status === 401) return { 'www-authenticate': 'Bearer realm="patchbay"' }
  if (status === 426) return { upgrade: 'websocket', connection: 'upgrade' } // RFC 9110 §15.5.22
  return retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }
}

interface ReadError {
  readonly code: string
  readonly message: string
  readonly status: number
  readonly retryAfterSeconds?: number
  /** What the answer has to carry by the convention of http-errors: the Content-Range of a 416. */
  readonly headers: Readonly<Record<string, string>>
}

function readError(error: unknown): ReadError {
  if (typeof error !== 'object' || error === null) return { code: '', message: '', status: 500, headers: {} }
  const { code, message, statusCode, retryAfterSeconds, headers } = error as Record<string, unknown>
  return {
    code: typeof code === 'string' ? code : '',
    message: typeof message === 'string' ? message : '',
    status: typeof statusCode === 'number' ? statusCode : 500,
    headers: typeof headers === 'object' ? { ...(headers as Record<string, string>) } : {},
    ...(typeof retryAfterSeconds === 'number' && { retryAfterSeconds }),
  }
}
