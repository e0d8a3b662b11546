/** Calls that live and calls that were. */
import { z } from 'zod'
import type { CallRecord } from '../../call/history.ts'
import type { LiveCallSnapshot } from '../../call/live-calls.ts'
import type { TracedMessage } from '../../events/catalogue.ts'
import type { App } from '../app.ts'
import type { ApiDeps } from '../deps.ts'
import { ApiError } from '../failures.ts'
import { fileResponses, messageFiles, sendMessages } from '../message-files.ts'
import { problemResponses } from '../problem.ts'
import {
  callDetailSchema,
  callsPageSchema,
  callsQuerySchema,
  liveCallsSchema,
  messagesSchema,
} from '../schemas/calls.ts'
import { idParams } from '../schemas/common.ts'
import { callMetadataSchema } from '../schemas/siprec.ts'

const tags = ['calls']

export function callRoutes(app: App, { history, liveCalls }: ApiDeps): void {
  const messagesOf = async (id: string): Promise<readonly TracedMessage[]> => {
    const live = liveCalls.get(id)
    if (live) return live.messages()
    const kept = await history.messages(id)
    if (kept.length === 0 && !(await history.call(id))) throw new ApiError('api.call-not-found')
    return kept
  }

  app.get(
    '/api/calls/live',
    {
      config: { access: 'viewer' },
      schema: { tags, summary: 'Calls that live now', response: { 200: liveCallsSchema, ...problemResponses } },
    },
    () => ({ items: liveCalls.list().map((call) => call.snapshot()) }),
  )

  app.get(
    '/api/calls',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Calls, newest first; one that still lives has no endedAtMs',
        querystring: callsQuerySchema,
        response: { 200: callsPageSchema, ...problemResponses },
      },
    },
    ({ query }) => history.calls(query),
  )

  app.get(
    '/api/calls/:id',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'One call, live or past',
        params: idParams,
        response: { 200: callDetailSchema, ...problemResponses },
      },
    },
    async ({ params }) => {
      const live = liveCalls.get(params.id)?.snapshot()
      const call = (await history.call(params.id)) ?? (live && recordOf(live))
      if (!call) throw new ApiError('api.call-not-found')
      const vendor = call.kind === 'siprec' ? (await history.metadata(params.id))?.vendor : undefined
      return { call, ...(live && { live }), ...(vendor && { vendor }) }
    },
  )

  app.get(
    '/api/calls/:id/metadata',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Recording metadata of a SIPREC session: documents as they came, and what they say together',
        params: idParams,
        response: { 200: callMetadataSchema, ...problemResponses },
      },
    },
    async ({ params }) => {
      const metadata = await history.metadata(params.id)
      if (metadata) return metadata
      if (!liveCalls.get(params.id) && !(await history.call(params.id))) throw new ApiError('api.call-not-found')
      return { documents: [], sessions: [] }
    },
  )

  app.get(
    '/api/calls/:id/messages',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'SIP messages of a call, in order',
        params: idParams,
        response: { 200: messagesSchema, ...problemResponses },
      },
    },
    async ({ params }) => ({ items: await messagesOf(params.id) }),
  )

  for (const kind of messageFiles) {
    app.get(
      `/api/calls/:id/sip.${kind.ending}`,
      {
        config: { access: 'viewer' },
        schema: {
          tags,
          summary: `SIP messages of a call, ${kind.what}`,
          params: idParams,
          response: fileResponses(kind),
        },
      },
      async ({ params }, reply) => sendMessages(reply, kind, params.id, await messagesOf(params.id)),
    )
  }

  app.delete(
    '/api/calls/:id',
    {
      config: { access: 'admin', audit: 'call.hung-up' },
      schema: {
        tags,
        summary: 'Hang up; answers when all is closed',
        params: idParams,
        response: { 204: z.undefined(), ...problemResponses },
      },
    },
    async ({ params }, reply) => {
      const live = liveCalls.get(params.id)
      if (!live) throw new ApiError((await history.call(params.id)) ? 'api.call-not-live' : 'api.call-not-found')
      await live.end('hangup')
      return reply.code(204).send()
    },
  )
}

/** A call so young that nothing of it is written yet. */
const recordOf = ({ id, kind, from, to, startedAtMs, answeredAtMs }: LiveCallSnapshot): CallRecord => ({
  id,
  kind,
  from,
  to,
  startedAtMs,
  ...(answeredAtMs !== undefined && { answeredAtMs }),
  legs: [],
  recordings: [],
})
