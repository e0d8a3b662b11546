/**
 * The HTTP API, as one function with types: JSON in, JSON out, problem documents (RFC 9457) as errors.
 *
 * The session is a cookie that scripts cannot read; the browser sends it along.
 */
import type { Problem } from '../../../src/api/schemas/common.ts'

/** The server said no, or did not answer (`code` is `console.offline` then). Branch on `code` or `status`. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  /** HTTP status; 0 when there was no answer. */
  readonly status: number
  readonly code: string
  readonly detail: string | undefined
  /** Validation: what is wrong where. */
  readonly fields: NonNullable<Problem['fields']>

  constructor(problem: Omit<Problem, 'type'>, options?: ErrorOptions) {
    super(problem.title, options)
    this.status = problem.status
    this.code = problem.code
    this.detail = problem.detail
    this.fields = problem.fields ?? []
  }
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** Ask the API. @throws {ApiError} for every answer but 2xx, and when there is none. */
export async function request<Answer>(
  method: Method,
  path: string,
  body?: unknown,
  signal?: AbortSignal,
): Promise<Answer> {
  const headers: Record<string, string> = { accept: 'application/json' }
  if (body !== undefined) headers['content-type'] = 'application/json'
  let response: Response
  try {
    response = await fetch(path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
    })
  } catch (cause) {
    if (signal?.aborted) throw cause
    throw new ApiError(
      {
        title: 'The server does not answer',
        status: 0,
        code: 'console.offline',
        detail: 'Check that Patchbay is running and that this computer reaches it. The page tries again by itself.',
      },
      { cause },
    )
  }
  const text = await response.text()
  const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '')
  const answer: unknown = isJson && text !== '' ? JSON.parse(text) : undefined
  if (response.ok) return answer as Answer
  throw new ApiError(problemOf(answer, response))
}

function problemOf(answer: unknown, response: Response): Omit<Problem, 'type'> {
  if (typeof answer === 'object' && answer !== null && 'title' in answer && 'code' in answer) {
    return { ...(answer as Problem), status: response.status }
  }
  const title = response.statusText || 'The server could not answer'
  return { title, status: response.status, code: 'console.unexpected-answer' }
}

/** `path?a=1&b=x` of the values that are set. */
export function withQuery(path: string, query: Readonly<Record<string, string | number | undefined>>): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') parameters.set(name, String(value))
  }
  const text = parameters.toString()
  return text === '' ? path : `${path}?${text}`
}
