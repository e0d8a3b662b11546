/**
 * HTTP: the API, the live events, the console's files.
 *
 *   browsers, programs ── HTTP, WebSocket ──▶ here ── asks ──▶ history, live calls, directory, registrations, auth
 *                                              ▲── facts ─── FactBus
 *
 * Every answer carries a strict content security policy; there is no CORS, so other sites' scripts read nothing.
 * HTTPS by a setting, or by a proxy in front. What may be asked stands in routes/, who may ask in access.ts.
 */

import type { Server } from 'node:https'
import cookie from '@fastify/cookie'
import helmet from '@fastify/helmet'
import rateLimit from '@fastify/rate-limit'
import fastifyStatic from '@fastify/static'
import websocket from '@fastify/websocket'
import { guardRoutes } from './access.ts'
import { type App, createApp } from './app.ts'
import { auditChanges } from './audited.ts'
import { isConsoleAddress, sendConsole } from './console-files.ts'
import type { ApiDeps } from './deps.ts'
import { EventHub } from './event-hub.ts'
import { ApiError } from './failures.ts'
import { describeRoutes } from './openapi.ts'
import { problemOf, sendProblem } from './problem.ts'
import { accountRoutes } from './routes/accounts.ts'
import { auditRoutes } from './routes/audit.ts'
import { authRoutes } from './routes/auth.ts'
import { callRoutes } from './routes/calls.ts'
import { cdrRoutes } from './routes/cdr.ts'
import { complianceRoutes } from './routes/compliance.ts'
import { docsRoutes } from './routes/docs.ts'
import { eventRoutes } from './routes/events.ts'
import { extensionRoutes } from './routes/extensions.ts'
import { healthRoutes } from './routes/health.ts'
import { jobRoutes } from './routes/jobs.ts'
import { labelRoutes } from './routes/labels.ts'
import { liveRecordingRoutes } from './routes/live-recordings.ts'
import { proofRoutes } from './routes/proofs.ts'
import { recordingServerRoutes } from './routes/recording-servers.ts'
import { recordingRoutes } from './routes/recordings.ts'
import { registrationRoutes } from './routes/registrations.ts'
import { retentionRoutes } from './routes/retention.ts'
import { securityRoutes } from './routes/security.ts'
import { settingsRoutes } from './routes/settings.ts'
import { sipMessageRoutes } from './routes/sip-messages.ts'
import { siprecPeerRoutes } from './routes/siprec-peers.ts'
import { trunkRoutes } from './routes/trunks.ts'
import { gdprRoutes } from './siprec/gdpr.ts'
import { missingRoutes } from './siprec/missing.ts'
import { pauseRoutes } from './siprec/pauses.ts'
import { sessionRoutes } from './siprec/sessions.ts'
import { siprecStatusRoutes } from './siprec/status.ts'

const defaultRequestsPerMinute = 1_200
/** A subscription is the largest message a reader sends. */
const maxMessageBytes = 4_096

export interface Api {
  /**
   * @returns The address to open in a browser, with the port that was taken when 0 was asked for.
   * @throws {ApiError} `api.port-in-use`, `api.cannot-listen`
   */
  listen(at: { readonly host: string; readonly port: number }): Promise<string>
  /** Read the certificate of HTTPS again. @throws What the file or the certificate is not good for. */
  renewCertificate(): void
  /** Stop listening, end open connections. Twice is fine. */
  close(): Promise<void>
}

export async function createApi(deps: ApiDeps): Promise<Api> {
  const app = await buildApp(deps)
  return {
    async listen({ host, port }) {
      try {
        // Fastify names 127.0.0.1 for 0.0.0.0; no browser opens `[::]` either.
        return (await app.listen({ host, port })).replace('//[::]:', '//[::1]:')
      } catch (error) {
        const inUse = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
        throw new ApiError(inUse ? 'api.port-in-use' : 'api.cannot-listen', `${host}:${port}`, { cause: error })
      }
    },
    renewCertificate() {
      const tls = deps.settings?.tls
      const { server } = app as unknown as { readonly server: Server }
      if (tls) server.setSecureContext(tls())
    },
    close: () => app.close(),
  }
}

/** The app with all routes, ready for requests; tests ask it without a socket. */
export async function buildApp(deps: ApiDeps): Promise<App> {
  const app = createApp(deps.settings ?? {})
  const hub = new EventHub(deps)
  await addPlugins(app, deps, hub)
  observe(app, deps)
  guardRoutes(app, deps.auth, deps.settings)
  auditChanges(app, deps.audit)
  answerErrors(app, deps)
  healthRoutes(app, deps)
  authRoutes(app, deps)
  callRoutes(app, deps)
  sessionRoutes(app, deps)
  pauseRoutes(app, deps)
  siprecStatusRoutes(app, deps)
  gdprRoutes(app, deps)
  missingRoutes(app)
  recordingRoutes(app, deps)
  proofRoutes(app, deps)
  liveRecordingRoutes(app, deps)
  extensionRoutes(app, deps)
  registrationRoutes(app, deps)
  trunkRoutes(app, deps)
  recordingServerRoutes(app, deps)
  siprecPeerRoutes(app, deps)
  accountRoutes(app, deps)
  securityRoutes(app, deps)
  jobRoutes(app, deps)
  auditRoutes(app, deps)
  retentionRoutes(app, deps)
  complianceRoutes(app, deps)
  labelRoutes(app, deps)
  cdrRoutes(app, deps)
  sipMessageRoutes(app, deps)
  settingsRoutes(app, deps)
  eventRoutes(app, hub)
  docsRoutes(app)
  await app.ready()
  return app
}

async function addPlugins(app: App, deps: ApiDeps, hub: EventHub): Promise<void> {
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        // The console's components set style attributes.
        styleSrc: ["'self'", "'unsafe-inline'"],
        imgSrc: ["'self'", 'data:'],
        mediaSrc: ["'self'", 'blob:'],
        objectSrc: ["'none'"],
        baseUri: ["'none'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
      },
    },
    // These three mean something over HTTPS only, which a proxy speaks; over HTTP browsers complain about them.
    strictTransportSecurity: false,
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
  })
  await app.register(cookie)
  const wanted = deps.settings?.requestsPerMinute ?? defaultRequestsPerMinute
  const max = (): number => (typeof wanted === 'function' ? wanted() : wanted) || Number.MAX_SAFE_INTEGER
  await app.register(rateLimit, { max, timeWindow: 60_000 })
  await app.register(websocket, {
    options: { maxPayload: maxMessageBytes },
    preClose(done) {
      hub.close()
      app.websocketServer.close()
      done()
    },
  })
  await app.register(fastifyStatic, { serve: false, dotfiles: 'deny', index: false })
  await describeRoutes(app, deps.version)
}

/** Count and log each answer; the address asked for stays out of the log, since it may name people. */
function observe(app: App, { metrics, log }: ApiDeps): void {
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? '(none)'
    const { method } = request
    const status = reply.statusCode
    metrics?.httpAnswered({ method, route, status, seconds: reply.elapsedTime / 1_000 })
    log.debug('HTTP request answered', { method, route, status, ms: Math.round(reply.elapsedTime) })
    done()
  })
}

function answerErrors(app: App, { log, consoleFolder }: ApiDeps): void {
  app.setErrorHandler((error, request, reply) => {
    const answer = problemOf(error)
    if (answer.problem.status >= 500) {
      log.error('An HTTP request failed', {
        method: request.method,
        route: request.routeOptions.url,
        reason: error instanceof Error ? error.stack : String(error),
      })
    }
    return sendProblem(reply, answer)
  })
  app.setNotFoundHandler((request, reply) =>
    isConsoleAddress(request)
      ? sendConsole(request, reply, consoleFolder())
      : sendProblem(reply, problemOf(new ApiError('api.not-found'))),
  )
}
