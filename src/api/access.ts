/**
 * Who asks, and whether they may: before any route runs.
 *
 * An API key in `X-API-Key` or `Authorization: Bearer`, else the console's cookie. A route says what it needs in its
 * config; one that says nothing needs an administrator. A browser sends the cookie by itself, so what changes
 * something must come from our own pages: the browser says so in Sec-Fetch-Site or Origin (OWASP, Cross-Site Request
 * Forgery Prevention). Programs that hold a cookie send an Origin too.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Auth } from '../auth/auth.ts'
import { AuthError } from '../auth/failures.ts'
import { sessionMs } from '../auth/sessions.ts'
import type { Role } from '../auth/stores.ts'

/** What a route asks for. */
export type Access = 'public' | Role

export interface Identity {
  readonly name: string
  readonly role: Role
  readonly via: 'session' | 'api-key'
  /** Whether it still holds; asked now and then by connections that stay open. */
  readonly holds: () => Promise<boolean>
}

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access
  }
  interface FastifyRequest {
    /** Who asks; null on public routes for strangers. */
    identity: Identity | null
  }
}

const cookieName = 'patchbay_session'
const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS'])

export function guardRoutes(app: FastifyInstance, auth: Auth): void {
  app.decorateRequest('identity', null)
  app.addHook('onRequest', async (request) => {
    if (request.is404) return
    const access = request.routeOptions.config.access ?? 'admin'
    const changes = !safeMethods.has(request.method)
    const key = keyOf(request)
    const cookie = key === undefined ? request.cookies[cookieName] : undefined
    if (changes && key === undefined) refuseOtherSites(request, cookie !== undefined)
    if (access === 'public') return
    request.identity = key === undefined ? await bySession(auth, cookie) : await byKey(auth, key)
    if (!request.identity) throw new AuthError('auth.required')
    if (request.ws && request.identity.via === 'session') refuseOtherSites(request, true)
    if (access === 'admin' && request.identity.role !== 'admin') throw new AuthError('auth.forbidden')
  })
}

export function setSessionCookie(request: FastifyRequest, reply: FastifyReply, value: string): void {
  reply.setCookie(cookieName, value, { ...cookieOptions(request), maxAge: sessionMs / 1_000 })
}

/** Forget the cookie; the value it had, to end the session. */
export function clearSessionCookie(request: FastifyRequest, reply: FastifyReply): string | undefined {
  reply.clearCookie(cookieName, cookieOptions(request))
  return request.cookies[cookieName]
}

const cookieOptions = (request: FastifyRequest) => ({
  path: '/',
  httpOnly: true,
  sameSite: 'strict' as const,
  secure: request.protocol === 'https',
})

function keyOf({ headers }: FastifyRequest): string | undefined {
  const key = headers['x-api-key']
  if (typeof key === 'string') return key
  return /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1]
}

async function byKey(auth: Auth, key: string): Promise<Identity | null> {
  const found = await auth.apiKeys.find(key)
  if (!found) return null
  return {
    name: found.name,
    role: found.role,
    via: 'api-key',
    holds: async () => (await auth.apiKeys.find(key)) !== undefined,
  }
}

async function bySession(auth: Auth, cookie: string | undefined): Promise<Identity | null> {
  const user = cookie === undefined ? undefined : await auth.sessions.userOf(cookie)
  if (!user || cookie === undefined) return null
  return { name: user.name, role: user.role, via: 'session', holds: () => auth.sessions.lives(cookie) }
}

/** @param mustSay Silence about where the request comes from is refused too. */
function refuseOtherSites(request: FastifyRequest, mustSay: boolean): void {
  const { origin, 'sec-fetch-site': site } = request.headers
  if (typeof site === 'string' ? site === 'same-origin' || site === 'none' : isOwn(request, origin, mustSay)) return
  throw new AuthError('auth.cross-site')
}

function isOwn(request: FastifyRequest, origin: string | undefined, mustSay: boolean): boolean {
  if (origin === undefined) return !mustSay
  if (!URL.canParse(origin)) return false
  const { protocol, host } = new URL(origin)
  const own = `${protocol}//${request.host}`
  return URL.canParse(own) && new URL(own).host === host
}
