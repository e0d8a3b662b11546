/** Health, status and metrics: open, for they name nobody and hold no secret. HTTP_ENABLE_METRICS=false takes /metrics away. */

import { z } from 'zod'
import type { App } from '../app.ts'
import type { ApiDeps } from '../deps.ts'
import { problemResponses } from '../problem.ts'
import { aliveSchema, healthSchema, readySchema, statusSchema } from '../schemas/status.ts'

const tags = ['status']

export function healthRoutes(app: App, deps: ApiDeps): void {
  app.get(
    '/health',
    {
      config: { access: 'public' },
      schema: { tags, summary: 'All checks', response: { 200: healthSchema, 503: healthSchema } },
    },
    async (_request, reply) => {
      const report = await deps.health.report()
      return reply.code(report.status === 'healthy' ? 200 : 503).send(report)
    },
  )

  app.get(
    '/health/live',
    {
      config: { access: 'public' },
      schema: { tags, summary: 'The process answers', response: { 200: aliveSchema } },
    },
    () => ({ status: 'alive' as const }),
  )

  app.get(
    '/health/ready',
    {
      config: { access: 'public' },
      schema: { tags, summary: 'Calls may be sent here', response: { 200: readySchema, 503: readySchema } },
    },
    async (_request, reply) => {
      const reasons = await deps.health.reasonsNotReady()
      if (reasons.length > 0) return reply.code(503).send({ status: 'not_ready', reasons })
      return reply.send({ status: 'ready', reasons })
    },
  )

  app.get(
    '/status',
    {
      config: { access: 'public' },
      schema: { tags, summary: 'Version, load, and what to point a phone at', response: { 200: statusSchema } },
    },
    async () => {
      const { uptime } = await deps.health.report()
      const { uptimeSeconds } = deps.health
      return {
        status: 'ok' as const,
        version: deps.version,
        started_at: new Date(deps.clock.wallMs() - uptimeSeconds * 1_000).toISOString(),
        uptime,
        uptimeSeconds,
        active_calls: deps.liveCalls.size,
        active_sessions: deps.liveCalls.list().filter((call) => call.snapshot().kind === 'siprec').length,
        registrations: deps.registrations.count(),
        media: { io: deps.mediaIo },
        sip: deps.sip(),
      }
    },
  )

  const { metrics } = deps
  if (!metrics) return
  app.get(
    '/metrics',
    {
      config: { access: 'public' },
      schema: {
        tags,
        summary: 'Counters for Prometheus',
        response: {
          200: { description: 'Text format 0.0.4', content: { 'text/plain': { schema: z.string() } } },
          ...problemResponses,
        },
      },
    },
    async (_request, reply) =>
      reply
        .type(metrics.contentType)
        .serializer((text: string) => text)
        .send(await metrics.text()),
  )
}
