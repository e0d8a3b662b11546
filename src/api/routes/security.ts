/** Bans: who is not listened to, why, since when; and their release. */
import { z } from 'zod'
import type { App } from '../app.ts'
import type { ApiDeps } from '../deps.ts'
import { ApiError } from '../failures.ts'
import { problemResponses } from '../problem.ts'
import { banQuerySchema, bansSchema } from '../schemas/security.ts'

const tags = ['security']

export function securityRoutes(app: App, { bans }: ApiDeps): void {
  app.get(
    '/api/security/bans',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Sources that are banned from SIP, newest first',
        response: { 200: bansSchema, ...problemResponses },
      },
    },
    () => ({ items: bans.list() }),
  )

  app.delete(
    '/api/security/bans',
    {
      config: { access: 'admin', audit: 'ban.lifted' },
      schema: {
        tags,
        summary: 'Listen to a banned source again',
        querystring: banQuerySchema,
        response: { 204: z.undefined(), ...problemResponses },
      },
    },
    async ({ query }, reply) => {
      if (!bans.release(query.source)) throw new ApiError('api.ban-not-found')
      return reply.code(204).send()
    },
  )
}
