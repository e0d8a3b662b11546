/** The settings in force, the check of others, and reading them again. */
import type { App } from '../app.ts'
import type { ApiDeps, SettingsReloaded } from '../deps.ts'
import { ApiError } from '../failures.ts'
import { problemResponses } from '../problem.ts'
import {
  candidateSchema,
  type Reload,
  reloadSchema,
  reloadStatusSchema,
  settingsCheckSchema,
  shownSettingsSchema,
} from '../schemas/settings.ts'

const tags = ['settings']

export function settingsRoutes(app: App, { settingsDesk }: ApiDeps): void {
  app.get(
    '/api/config',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'The settings in force, secrets masked',
        response: { 200: shownSettingsSchema, ...problemResponses },
      },
    },
    () => settingsDesk.shown(),
  )

  app.post(
    '/api/config/validate',
    {
      config: { access: 'admin', audit: false },
      schema: {
        tags,
        summary: 'What would become of a settings file; nothing changes',
        body: candidateSchema,
        response: { 200: settingsCheckSchema, ...problemResponses },
      },
    },
    ({ body }) => settingsDesk.check(body),
  )

  app.post(
    '/api/config/reload',
    {
      config: { access: 'admin', audit: 'settings.reloaded' },
      schema: {
        tags,
        summary: 'Read settings and certificates again; a wrong file changes nothing',
        response: { 200: reloadSchema, ...problemResponses },
      },
    },
    async (request, reply) => {
      const outcome = await settingsDesk.reload()
      if (!outcome) throw new ApiError('api.no-reload')
      if (!outcome.ok) throw new ApiError('api.settings-refused', outcome.error)
      request.audited.details = { applied: outcome.applied, waiting: outcome.waiting }
      return reply.send(shown(outcome))
    },
  )

  app.get(
    '/api/config/reload/status',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Whether the settings can be read again, and what became of it last',
        response: { 200: reloadStatusSchema, ...problemResponses },
      },
    },
    () => {
      const { enabled, watched, configFile, last } = settingsDesk.status()
      return {
        enabled,
        watching: watched,
        ...(configFile !== undefined && { config_file: configFile }),
        last_reload: last ? shown(last) : null,
      }
    },
  )
}

const shown = ({ atMs, ok, by, applied, waiting, error }: SettingsReloaded): Reload => ({
  success: ok,
  timestamp: new Date(atMs).toISOString(),
  by,
  applied,
  waiting,
  ...(error !== undefined && { error }),
})
