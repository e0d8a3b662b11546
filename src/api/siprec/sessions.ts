/** Recording sessions that live now: listed, looked at, ended, counted. */
import { z } from 'zod'
import type { App } from '../app.ts'
import type { ApiDeps } from '../deps.ts'
import { problemResponses } from '../problem.ts'
import {
  sessionParams,
  sessionStatsSchema,
  sessionsQuery,
  siprecSessionSchema,
  siprecSessionsSchema,
} from '../schemas/siprec-sessions.ts'
import { findSession, liveSessions, shownSession, statsOf } from './session-view.ts'

const tags = ['siprec']

export function sessionRoutes(app: App, deps: ApiDeps): void {
  app.get(
    '/api/sessions',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Recording sessions that live now',
        querystring: sessionsQuery,
        response: { 200: z.union([siprecSessionsSchema, siprecSessionSchema]), ...problemResponses },
      },
    },
    ({ query }) => {
      if (query.id !== undefined) return shownSession(findSession(deps, query.id), deps)
      const sessions = liveSessions(deps).map((session) => shownSession(session, deps))
      return { sessions, count: sessions.length }
    },
  )

  app.get(
    '/api/sessions/stats',
    {
      config: { access: 'viewer' },
      schema: { tags, summary: 'How many there are', response: { 200: sessionStatsSchema, ...problemResponses } },
    },
    () => statsOf(deps, deps.clock.wallMs()),
  )

  app.get(
    '/api/sessions/:id',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'One live recording session, by id or SIP Call-ID',
        params: sessionParams,
        response: { 200: siprecSessionSchema, ...problemResponses },
      },
    },
    ({ params }) => shownSession(findSession(deps, params.id), deps),
  )

  app.delete(
    '/api/sessions/:id',
    {
      config: { access: 'admin', audit: 'call.hung-up' },
      schema: {
        tags,
        summary: 'End a recording session by BYE; answers when its files are closed',
        params: sessionParams,
        response: { 204: z.undefined(), ...problemResponses },
      },
    },
    async ({ params, audited }, reply) => {
      const { call } = findSession(deps, params.id)
      audited.subject = `call:${call.id}`
      await call.end('hangup')
      return reply.code(204).send()
    },
  )
}
