/** Signing in and out. */
import { z } from 'zod'
import { AuthError } from '../../auth/failures.ts'
import type { SignedIn } from '../../auth/sign-in.ts'
import { clearSessionCookie, setSessionCookie } from '../access.ts'
import type { App } from '../app.ts'
import type { ApiDeps } from '../deps.ts'
import { problemResponses } from '../problem.ts'
import { codeLoginSchema, loginSchema, type Me, meSchema, tokenRequestSchema, tokenSchema } from '../schemas/auth.ts'

const tags = ['sign-in']

const meOf = ({ user }: SignedIn): Me => ({ name: user.name, role: user.role, via: 'session' })

export function authRoutes(app: App, { auth, clock }: ApiDeps): void {
  app.post(
    '/api/login',
    {
      config: { access: 'public', audit: 'user.signed-in' },
      schema: {
        tags,
        summary: 'Sign in with a name and a password; the answer sets the session cookie',
        body: loginSchema,
        response: { 200: meSchema, ...problemResponses },
      },
    },
    async (request, reply) => {
      const signedIn = await auth.signIn.withPassword(request.body.name, request.body.password, request.ip)
      setSessionCookie(request, reply, signedIn.cookie)
      request.audited.who = signedIn.user.name
      return meOf(signedIn)
    },
  )

  app.post(
    '/api/login/code',
    {
      config: { access: 'public', audit: 'user.signed-in' },
      schema: {
        tags,
        summary: 'Sign in with a one-time code',
        body: codeLoginSchema,
        response: { 200: meSchema, ...problemResponses },
      },
    },
    async (request, reply) => {
      const signedIn = await auth.signIn.withCode(request.body.code, request.ip)
      setSessionCookie(request, reply, signedIn.cookie)
      request.audited.who = signedIn.user.name
      return meOf(signedIn)
    },
  )

  app.post(
    '/api/auth/token',
    {
      config: { access: 'public', audit: 'user.given-token' },
      schema: {
        tags,
        summary: 'A token (JWT) for a program, for a name and a password',
        body: tokenRequestSchema,
        response: { 200: tokenSchema, ...problemResponses },
      },
    },
    async (request, reply) => {
      const { username, name, password } = request.body
      const user = await auth.signIn.check(username ?? name ?? '', password, request.ip)
      request.audited.who = user.name
      const { token, expiresAtMs } = await auth.tokens.issue(user)
      return reply.send({
        token,
        token_type: 'Bearer' as const,
        expires_in: Math.max(0, Math.round((expiresAtMs - clock.wallMs()) / 1_000)),
        expires_at: new Date(expiresAtMs).toISOString(),
        role: user.role,
      })
    },
  )

  app.post(
    '/api/logout',
    {
      config: { access: 'public', audit: false },
      schema: { tags, summary: 'End the session', response: { 204: z.undefined(), ...problemResponses } },
    },
    async (request, reply) => {
      const cookie = clearSessionCookie(request, reply)
      if (cookie !== undefined) await auth.sessions.end(cookie)
      return reply.code(204).send()
    },
  )

  app.get(
    '/api/me',
    {
      config: { access: 'viewer' },
      schema: { tags, summary: 'Who asks', response: { 200: meSchema, ...problemResponses } },
    },
    ({ identity }) => {
      if (!identity) throw new AuthError('auth.required')
      return { name: identity.name, role: identity.role, via: identity.via }
    },
  )
}
