import type { FailureTable } from '../core/failures.ts'

export const authFailures = {
  'auth.required': { fault: 'caller', http: 401, text: 'Sign in first, or send an API key' },
  'auth.wrong-credentials': { fault: 'caller', http: 401, text: 'The name or the password is wrong' },
  'auth.wrong-code': { fault: 'caller', http: 401, text: 'The code is wrong, used or expired' },
  'auth.throttled': { fault: 'caller', http: 429, text: 'Too many failed sign-ins from here; try again later' },
  'auth.forbidden': { fault: 'caller', http: 403, text: 'Your role may not do this' },
  'auth.secret-in-url': {
    fault: 'caller',
    http: 401,
    text: 'Send the key as X-API-Key or the token as Authorization: Bearer; in the address it would be kept in logs',
  },
  'auth.cross-site': { fault: 'caller', http: 403, text: 'The request came from another site' },
  'auth.user-exists': { fault: 'caller', http: 409, text: 'A user with this name exists' },
  'auth.key-not-found': { fault: 'caller', http: 404, text: 'No API key has this id' },
} as const satisfies FailureTable

export class AuthError extends Error {
  override readonly name = 'AuthError'
  readonly code: keyof typeof authFailures
  /** `auth.throttled` only: when to try again. */
  readonly retryAfterSeconds: number | undefined
  constructor(code: keyof typeof authFailures, options?: ErrorOptions & { readonly retryAfterSeconds?: number }) {
    super(authFailures[code].text, options)
    this.code = code
    this.retryAfterSeconds = options?.retryAfterSeconds
  }
}
