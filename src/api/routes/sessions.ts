/** SIPREC recording sessions: the live calls of that kind. */
import { z } from 'zod'
import type { LiveCall, LiveCallSnapshot } from '../../call/live-calls.ts'
import type { App } from '../app.ts'
import type { ApiDeps } from '../deps.ts'
import { ApiError } from '../failures.ts'
import { problemResponses } from '../problem.ts'
import { liveCallSchema, sessionsSchema } from '../schemas/calls.ts'
import { idParams } from '../schemas/common.ts'

const tags = ['siprec']

export function sessionRoutes(app: App, { liveCalls }: ApiDeps): void {
  const sessions = (): LiveCallSnapshot[] =>
    liveCalls
      .list()
      .map((call) => call.snapshot())
      .filter(({ kind }) => kind === 'siprec')

  const session = (id: string): LiveCall => {
    const call = liveCalls.get(id)
    if (call?.snapshot().kind !== 'siprec') throw new ApiError('api.session-not-found')
    return call
  }

  app.get(
    '/api/sessions',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Recording sessions that live now',
        response: { 200: sessionsSchema, ...problemResponses },
      },
    },
    () => {
      const found = sessions()
      return { sessions: found, count: found.length }
    },
  )

  app.get(
    '/api/sessions/:id',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'One live recording session',
        params: idParams,
        response: { 200: liveCallSchema, ...problemResponses },
      },
    },
    ({ params }) => session(params.id).snapshot(),
  )

  app.delete(
    '/api/sessions/:id',
    {
      config: { access: 'admin', audit: 'call.hung-up' },
      schema: {
        tags,
        summary: 'End a recording session by BYE; answers when its files are closed',
        params: idParams,
        response: { 204: z.undefined(), ...problemResponses },
      },
    },
    async ({ params }, reply) => {
      await session(params.id).end('hangup')
      return reply.code(204).send()
    },
  )
}
