/** The Fastify instance with zod as its type provider, and the type that the routes take. */

import type { FastifyBaseLogger, RawReplyDefaultExpression, RawRequestDefaultExpression } from 'fastify'
import Fastify, { type FastifyInstance, type RawServerDefault } from 'fastify'
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod'
import type { ApiSettings } from './deps.ts'
import { ApiError } from './failures.ts'
import { problemOf, sendProblem } from './problem.ts'

export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>

/** Nothing that is sent to this API is larger. */
const bodyLimit = 64 * 1_024
/** How long a client may take to send a request. */
const requestTimeoutMs = 30_000
/** SIPREC file names carry a Call-ID, percent-encoded once more in the path. */
const maxParamLength = 2_048

export function createApp(settings: ApiSettings): App {
  const app = Fastify({
    ...(settings.tls && { https: settings.tls() }),
    logger: false,
    bodyLimit,
    requestTimeout: requestTimeoutMs,
    routerOptions: { maxParamLength },
    trustProxy: settings.trustedProxies ? [...settings.trustedProxies] : false,
    forceCloseConnections: true,
    frameworkErrors: (error, _request, reply) => void sendProblem(reply, problemOf(error)),
  })
  // JSON only: what else a form on another site can send is refused before it is read.
  app.removeContentTypeParser('text/plain')
  // curl -d says it sends a form. No form of another site can send a key with it.
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (request, body, done) => {
    const { 'x-api-key': key, authorization } = request.headers
    if (key === undefined && authorization === undefined) return done(new ApiError('api.unsupported-media-type'))
    try {
      done(null, JSON.parse(String(body)))
    } catch {
      done(new ApiError('api.unsupported-media-type'))
    }
  })
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  return app.withTypeProvider<ZodTypeProvider>()
}
