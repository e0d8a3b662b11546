/**
 * Pause, resume and mute as loreste/siprec has them: the routes of its code, and those of its README beside them.
 *
 * One implementation underneath: the orders of `/api/recordings/live`. Transcription is remembered and has no effect, as
 * long as nothing transcribes.
 */
import type { FastifyRequest } from 'fastify'
import type { ActiveRecording, PauseScope } from '../../recording/types.ts'
import type { App } from '../app.ts'
import type { ApiDeps, PauseDefaults } from '../deps.ts'
import { ApiError } from '../failures.ts'
import { problemResponses } from '../problem.ts'
import {
  type MuteOrder,
  muteOrderSchema,
  muteStatusesSchema,
  muteStatusSchema,
  type PauseOrder,
  pausedAllSchema,
  pauseOrderSchema,
  pauseStatusesSchema,
  pauseStatusSchema,
  sessionParams,
} from '../schemas/siprec-sessions.ts'
import { findSession, legsBySide, liveSessions, muteOf, pauseOf, type Session } from './session-view.ts'

const tags = ['siprec']
const reading = { access: 'viewer', pauseKey: true } as const
const changing = { access: 'operator', pauseKey: true } as const

export function pauseRoutes(app: App, deps: ApiDeps): void {
  const defaults = deps.pauseDefaults ?? (() => ({ recording: true, transcription: true }))
  const statusOf = (session: Session) => pauseOf(session, deps.clock.wallMs())
  const all = <Value>(shown: (session: Session) => Value): Record<string, Value> =>
    Object.fromEntries(liveSessions(deps).map((session) => [session.callId, shown(session)]))

  for (const [order, past] of [
    ['pause', 'paused'],
    ['resume', 'resumed'],
  ] as const) {
    for (const url of [`/api/sessions/:id/${order}`, `/api/${order}/:id`])
      app.post(
        url,
        {
          config: { ...changing, audit: `recording.${past}` },
          schema: {
            tags,
            summary: order === 'pause' ? 'Keep what comes from now on off the disk; silence takes its place' : 'Go on',
            params: sessionParams,
            body: pauseOrderSchema.nullish(),
            response: { 200: pauseStatusSchema, ...problemResponses },
          },
        },
        (request) => {
          const session = findSession(deps, request.params.id)
          request.audited.subject = `call:${session.snapshot.id}`
          obey(order, recordingOf(session), request, defaults())
          return statusOf(session)
        },
      )

    for (const url of [`/api/sessions/${order}-all`, `/api/${order}/all`])
      app.post(
        url,
        {
          config: { ...changing, audit: `recording.all-${past}` },
          schema: {
            tags,
            summary: `The same for all recording sessions`,
            body: pauseOrderSchema.nullish(),
            response: { 200: pausedAllSchema, ...problemResponses },
          },
        },
        (request) => {
          for (const { recording } of liveSessions(deps)) if (recording) obey(order, recording, request, defaults())
          return { message: `All sessions ${past}`, statuses: all(statusOf) }
        },
      )
  }

  for (const url of ['/api/sessions/:id/pause-status', '/api/status/:id'])
    app.get(
      url,
      {
        config: reading,
        schema: {
          tags,
          summary: 'What is paused of a session',
          params: sessionParams,
          response: { 200: pauseStatusSchema, ...problemResponses },
        },
      },
      ({ params }) => statusOf(findSession(deps, params.id)),
    )

  app.get(
    '/api/sessions/pause-status',
    {
      config: reading,
      schema: {
        tags,
        summary: 'What is paused, by Call-ID',
        response: { 200: pauseStatusesSchema, ...problemResponses },
      },
    },
    () => all(statusOf),
  )

  for (const order of ['mute', 'unmute'] as const)
    app.post(
      `/api/sessions/:id/${order}`,
      {
        config: { ...changing, audit: `recording.${order}d` },
        schema: {
          tags,
          summary:
            order === 'mute' ? "Keep the caller's stream, or the others, off the disk" : 'Record both sides again',
          params: sessionParams,
          body: muteOrderSchema.nullish(),
          response: { 200: muteStatusSchema, ...problemResponses },
        },
      },
      (request) => {
        const session = findSession(deps, request.params.id)
        request.audited.subject = `call:${session.snapshot.id}`
        muteSides(order, session, request)
        return muteOf(session)
      },
    )

  app.get(
    '/api/sessions/:id/mute-status',
    {
      config: reading,
      schema: {
        tags,
        summary: 'Which sides of a session are muted',
        params: sessionParams,
        response: { 200: muteStatusSchema, ...problemResponses },
      },
    },
    ({ params }) => muteOf(findSession(deps, params.id)),
  )

  app.get(
    '/api/sessions/mute-status',
    {
      config: reading,
      schema: {
        tags,
        summary: 'Which sides are muted, by Call-ID',
        response: { 200: muteStatusesSchema, ...problemResponses },
      },
    },
    () => all(muteOf),
  )
}

function recordingOf({ recording }: Session): ActiveRecording {
  if (!recording) throw new ApiError('api.call-not-recorded')
  return recording
}

const orderer = ({ identity }: FastifyRequest) => ({ by: 'api' as const, ...(identity && { who: identity.name }) })

function obey(
  order: 'pause' | 'resume',
  recording: ActiveRecording,
  request: FastifyRequest,
  defaults: PauseDefaults,
): void {
  const what = order === 'resume' ? 'both' : scopeOf(request.body ?? {}, defaults)
  if (what) recording[order]({ ...orderer(request), what })
}

/** What is left out is as the settings say; a body that says no to both asks for nothing. */
function scopeOf(body: PauseOrder, defaults: PauseDefaults): PauseScope | undefined {
  const recording = body.pause_recording ?? defaults.recording
  const transcription = body.pause_transcription ?? defaults.transcription
  if (recording && transcription) return 'both'
  if (recording) return 'recording'
  return transcription ? 'transcription' : undefined
}

function muteSides(order: 'mute' | 'unmute', session: Session, request: FastifyRequest): void {
  const recording = recordingOf(session)
  const { mute_inbound: inbound = true, mute_outbound: outbound = true }: MuteOrder = request.body ?? {}
  const sides = legsBySide(session)
  const wanted = [...(inbound ? sides.inbound : []), ...(outbound ? sides.outbound : [])]
  for (const legId of wanted.filter((id) => recording.legIds.includes(id))) recording[order](legId, orderer(request))
}
