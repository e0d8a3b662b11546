/**
 * Recordings that are being made: pause, resume, mute.
 *
 * An order is on its way to the media thread when the answer is sent, and obeyed some milliseconds later. Who gave it
 * stands in the mark that the recording keeps.
 */
import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { ActiveRecording } from '../../recording/types.ts'
import type { App } from '../app.ts'
import type { ApiDeps } from '../deps.ts'
import { ApiError } from '../failures.ts'
import { problemResponses } from '../problem.ts'
import {
  type LiveRecording,
  liveRecordingSchema,
  liveRecordingsSchema,
  muteSchema,
  pauseSchema,
  resumeSchema,
} from '../schemas/live-recordings.ts'

const tags = ['recordings']
const callParams = z.object({ callId: z.string().min(1).max(128) })

export function liveRecordingRoutes(app: App, { liveRecordings, history }: ApiDeps): void {
  const find = async (callId: string): Promise<ActiveRecording> => {
    const recording = liveRecordings.liveOf(callId)
    if (recording) return recording
    throw new ApiError((await history.call(callId)) ? 'api.call-not-recorded' : 'api.call-not-found')
  }

  app.get(
    '/api/recordings/live',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Recordings that are being made, and what is paused of them',
        response: { 200: liveRecordingsSchema, ...problemResponses },
      },
    },
    () => ({ items: liveRecordings.live().map(shown) }),
  )

  app.get(
    '/api/recordings/live/:callId',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'The recording of a live call',
        params: callParams,
        response: { 200: liveRecordingSchema, ...problemResponses },
      },
    },
    async ({ params }) => shown(await find(params.callId)),
  )

  for (const [order, summary, body] of [
    ['pause', 'Keep what comes from now on off the disk; silence takes its place', pauseSchema],
    ['resume', 'Go on', resumeSchema],
  ] as const) {
    app.post(
      `/api/recordings/live/:callId/${order}`,
      {
        config: { access: 'operator', pauseKey: true, audit: `recording.${order}d` },
        schema: {
          tags,
          summary,
          params: callParams,
          body: body.nullish(),
          response: { 200: liveRecordingSchema, ...problemResponses },
        },
      },
      async (request) => {
        const recording = await find(request.params.callId)
        recording[order](orderOf(request))
        return shown(recording)
      },
    )

    app.post(
      `/api/recordings/live/${order}`,
      {
        config: { access: 'operator', pauseKey: true, audit: `recording.${order}d` },
        schema: {
          tags,
          summary: `${summary}: all calls`,
          body: body.nullish(),
          response: { 200: liveRecordingsSchema, ...problemResponses },
        },
      },
      (request) => {
        const recordings = liveRecordings.live()
        for (const recording of recordings) recording[order](orderOf(request))
        return { items: recordings.map(shown) }
      },
    )
  }

  for (const [order, summary] of [
    ['mute', 'Keep some of its legs off the disk; all of them unless they are named'],
    ['unmute', 'Record them again'],
  ] as const)
    app.post(
      `/api/recordings/live/:callId/${order}`,
      {
        config: { access: 'operator', pauseKey: true, audit: `recording.${order}d` },
        schema: {
          tags,
          summary,
          params: callParams,
          body: muteSchema.nullish(),
          response: { 200: liveRecordingSchema, ...problemResponses },
        },
      },
      async (request) => {
        const recording = await find(request.params.callId)
        const legIds = request.body?.legIds ?? recording.legIds
        const strange = legIds.find((legId) => !recording.legIds.includes(legId))
        if (strange !== undefined) throw new ApiError('api.leg-not-recorded', strange)
        for (const legId of legIds) recording[order](legId, { by: 'api', ...whoOf(request) })
        return shown(recording)
      },
    )
}

const whoOf = ({ identity }: FastifyRequest): { who?: string } => (identity ? { who: identity.name } : {})

interface PauseBody {
  readonly what?: 'recording' | 'transcription' | 'both' | undefined
  readonly autoResumeSeconds?: number | undefined
}

function orderOf(request: FastifyRequest) {
  const { what, autoResumeSeconds } = (request.body ?? {}) as PauseBody
  return {
    by: 'api' as const,
    ...whoOf(request),
    ...(what && { what }),
    ...(autoResumeSeconds !== undefined && { autoResumeMs: autoResumeSeconds * 1000 }),
  }
}

const shown = ({ id, callId, legIds, status }: ActiveRecording): LiveRecording => ({ id, callId, legIds, ...status })
