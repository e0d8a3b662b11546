/**
 * Who asks, and whether they may: before any route runs.
 *
 * An API key in `X-API-Key` or `Authorization: Bearer`, a token (JWT) there, else the console's cookie. A route says what it needs in its
 * config; one that says nothing needs an administrator. A browser sends the cookie by itself, so what changes
 * something must come from our own pages: the browser says so in Sec-Fetch-Site or Origin (OWASP, Cross-Site Request
 * Forgery Prevention). Programs that hold a cookie send an Origin too.
 */
import { timingSafeEqual } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Auth } from '../auth/auth.ts'
import { AuthError } from '../auth/failures.ts'
import { hashSecret } from '../auth/secrets.ts'
import { sessionMs } from '../auth/sessions.ts'
import { mayActAs, type Role } from '../auth/stores.ts'
import { looksLikeToken } from '../auth/tokens.ts'

/** What a route asks for. */
export type Access = 'public' | Role

export interface Identity {
  readonly name: string
  readonly role: Role
  readonly via: 'session' | 'api-key' | 'token'
  /** Whether it still holds; asked now and then by connections that stay open. */
  readonly holds: () => Promise<boolean>
}

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access
    /** PAUSE_RESUME_API_KEY opens it too. */
    pauseKey?: true
  }
  interface FastifyRequest {
    /** Who asks; null on public routes for strangers. */
    identity: Identity | null
  }
}

const cookieName = 'patchbay_session'
const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS'])

export interface AccessSettings {
  /** Take API keys. Default true. */
  readonly apiKeys?: boolean
  /** Take keys and tokens in the query too. Default false: they are refused with a word about it. */
  readonly keysInUrl?: boolean
  /** A key that opens the routes marked `pauseKey`, and no others. */
  readonly pauseKey?: string
}

export function guardRoutes(app: FastifyInstance, auth: Auth, settings: AccessSettings = {}): void {
  app.decorateRequest('identity', null)
  app.addHook('onRequest', async (request) => {
    if (request.is404) return
    const access = request.routeOptions.config.access ?? 'admin'
    const changes = !safeMethods.has(request.method)
    const key = keyOf(request, settings)
    const cookie = key === undefined ? request.cookies[cookieName] : undefined
    if (changes && key === undefined) refuseOtherSites(request, cookie !== undefined)
    if (access === 'public') return
    request.identity = key === undefined ? await bySession(auth, cookie) : await byKey(auth, settings, request, key)
    if (!request.identity) throw new AuthError('auth.required')
    if (request.ws && request.identity.via === 'session') refuseOtherSites(request, true)
    if (!mayActAs(request.identity.role, access)) throw new AuthError('auth.forbidden')
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

/** @throws {AuthError} `auth.secret-in-url` */
function keyOf({ headers, query }: FastifyRequest, { keysInUrl = false }: AccessSettings): string | undefined {
  const key = headers['x-api-key']
  if (typeof key === 'string') return key
  const bearer = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1]
  if (bearer !== undefined) return bearer
  const { api_key: inUrl, token } = (query ?? {}) as Record<string, unknown>
  const given = [inUrl, token].find((one) => typeof one === 'string')
  if (given !== undefined && !keysInUrl) throw new AuthError('auth.secret-in-url')
  return given
}

async function byKey(
  auth: Auth,
  { apiKeys = true, pauseKey }: AccessSettings,
  request: FastifyRequest,
  key: string,
): Promise<Identity | null> {
  // Before tokens: whoever chose it may have put dots into it.
  if (pauseKey && request.routeOptions.config.pauseKey && isSame(key, pauseKey))
    return { name: 'PAUSE_RESUME_API_KEY', role: 'operator', via: 'api-key', holds: () => Promise.resolve(true) }
  if (looksLikeToken(key)) return byToken(auth, key)
  if (!apiKeys) return null
  const found = await auth.apiKeys.find(key)
  if (!found) return null
  return {
    name: found.name,
    role: found.role,
    via: 'api-key',
    holds: async () => (await auth.apiKeys.find(key)) !== undefined,
  }
}

async function byToken(auth: Auth, token: string): Promise<Identity | null> {
  const holder = await auth.tokens.holderOf(token)
  return holder
    ? { ...holder, via: 'token', holds: async () => (await auth.tokens.holderOf(token)) !== undefined }
    : null
}

/** In a time that tells nothing: hashes are of one length. */
const isSame = (a: string, b: string): boolean =>
  timingSafeEqual(Buffer.from(hashSecret(a)), Buffer.from(hashSecret(b)))

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
