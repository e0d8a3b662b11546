/** What loreste/siprec shows of itself besides: counters as JSON, and what is switched on for the law. */
import { z } from 'zod'
import type { App } from '../app.ts'
import type { ApiDeps } from '../deps.ts'
import { problemResponses } from '../problem.ts'
import { complianceStatusSchema, simpleMetricsSchema } from '../schemas/siprec-status.ts'
import { liveSessions } from './session-view.ts'

export function siprecStatusRoutes(app: App, deps: ApiDeps): void {
  const { health, liveCalls, metrics, settingsDesk, version } = deps
  if (metrics)
    app.get(
      '/metrics/simple',
      {
        config: { access: 'public' },
        schema: {
          tags: ['status'],
          summary: 'The figures that matter most as JSON; as text for Prometheus with Accept: text/plain',
          response: { 200: z.union([simpleMetricsSchema, z.string()]), ...problemResponses },
        },
      },
      async (request, reply) => {
        if (/text\/plain|openmetrics/.test(request.headers.accept ?? ''))
          return reply
            .type(metrics.contentType)
            .serializer((text: string) => text)
            .send(await metrics.text())
        const { status, system } = await health.report()
        return reply.send({
          status,
          version,
          uptime_seconds: health.uptimeSeconds,
          active_calls: liveCalls.size,
          active_sessions: liveSessions(deps).length,
          ports_in_use: system.ports_in_use,
          memory_mb: system.memory_mb,
        })
      },
    )

  app.get(
    '/api/compliance/status',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['siprec'],
        summary: 'What protects recordings and people, as far as it is built',
        response: { 200: complianceStatusSchema, ...problemResponses },
      },
    },
    () => {
      const { settings } = settingsDesk.shown()
      const at = (section: string, key: string): unknown =>
        (settings[section] as Record<string, unknown> | undefined)?.[key]
      return {
        pci_enabled: false,
        pii_detection_enabled: false,
        gdpr_enabled: true,
        audit_tamper_proof: true,
        tls_enabled: at('tls', 'enable') === true,
        tls_only: at('tls', 'enable') === true && JSON.stringify(at('sip', 'ports')) === '[]',
        srtp_enabled: at('siprec', 'srtp') !== 'none',
        srtp_required: at('siprec', 'srtp') === 'mandatory',
        recording_encryption_enabled: at('sealing', 'recordings') === true,
        api_authentication_enabled: true,
      }
    },
  )
}
