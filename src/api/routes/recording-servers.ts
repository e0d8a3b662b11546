/** Recording servers elsewhere: how they fare, and orders to send a live call there. */
import { z } from 'zod'
import type { App } from '../app.ts'
import type { ApiDeps } from '../deps.ts'
import { ApiError } from '../failures.ts'
import { problemResponses } from '../problem.ts'
import { idParams } from '../schemas/common.ts'
import { recordingServersSchema, type SentCall, sendCallSchema, sentCallSchema } from '../schemas/recording-servers.ts'

const tags = ['recordings']
const path = '/api/calls/:id/recording-servers'

export function recordingServerRoutes(app: App, { sender, liveCalls, history }: ApiDeps): void {
  const sentTo = async (id: string): Promise<SentCall> => {
    const sent = sender.of(id)
    if (sent) return sent
    throw new ApiError((await history.call(id)) || liveCalls.get(id) ? 'api.call-not-sent' : 'api.call-not-found')
  }

  app.get(
    '/api/recording-servers',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Recording servers that calls can be sent to, and whether they are up',
        response: { 200: recordingServersSchema, ...problemResponses },
      },
    },
    () => ({ items: sender.serverStates() }),
  )

  app.get(
    path,
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Where a live call is sent to be recorded',
        params: idParams,
        response: { 200: sentCallSchema, ...problemResponses },
      },
    },
    ({ params }) => sentTo(params.id),
  )

  app.put(
    path,
    {
      config: { access: 'admin', audit: 'call.sent' },
      schema: {
        tags,
        summary: 'Send a live call to these recording servers, and to no others any more',
        params: idParams,
        body: sendCallSchema,
        response: { 200: sentCallSchema, ...problemResponses },
      },
    },
    async ({ params, body }) => {
      const unknown = body.servers.flatMap((names) => names.split('|')).find((name) => !sender.servers.has(name))
      if (unknown !== undefined) throw new ApiError('api.server-not-found', unknown)
      const call = liveCalls.get(params.id)
      if (!call) throw new ApiError((await history.call(params.id)) ? 'api.call-not-live' : 'api.call-not-found')
      if (!call.sendTo?.(body.servers)) throw new ApiError('api.call-not-sent')
      return sentTo(params.id)
    },
  )

  app.delete(
    path,
    {
      config: { access: 'admin', audit: 'call.not-sent' },
      schema: {
        tags,
        summary: 'Send a live call to no recording server any more',
        params: idParams,
        response: { 204: z.undefined(), ...problemResponses },
      },
    },
    async ({ params }, reply) => {
      await sentTo(params.id)
      liveCalls.get(params.id)?.sendTo?.([])
      return reply.code(204).send()
    },
  )

  for (const [order, on, summary] of [
    ['pause', true, 'Send nothing of a call to its recording servers from now on; they are told'],
    ['resume', false, 'Go on'],
  ] as const)
    app.post(
      `${path}/${order}`,
      {
        config: { access: 'admin', audit: `call.sending-${order}` },
        schema: { tags, summary, params: idParams, response: { 200: sentCallSchema, ...problemResponses } },
      },
      async ({ params }) => {
        await sentTo(params.id)
        sender.pause(params.id, on)
        return sentTo(params.id)
      },
    )
}
