/**
 * Recordings and their files. Only a file that the recording names is sent, with ranges, HEAD and ETag, so that a
 * player can seek in it (RFC 9110 §14). Sealed files are sent in the clear.
 */
import { stat } from 'node:fs/promises'
import { isAbsolute, join, normalize, sep } from 'node:path'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { RecordingWithCall } from '../../call/history.ts'
import type { RecordingFile } from '../../events/catalogue.ts'
import type { OpenKey } from '../../sealing/container/reader.ts'
import { openSource, plainName, sealedExtension } from '../../sealing/stored-file.ts'
import type { App } from '../app.ts'
import type { ApiDeps } from '../deps.ts'
import { ApiError } from '../failures.ts'
import { problemResponses } from '../problem.ts'
import { idParams } from '../schemas/common.ts'
import {
  copiesSchema,
  recordingFileParams,
  recordingsPageSchema,
  recordingsQuerySchema,
  recordingWithCallSchema,
} from '../schemas/recordings.ts'
import { sendOpened, sendSealed } from '../send-sealed.ts'

const tags = ['recordings']
const audio = {
  200: { description: 'The file; a Range gives 206.', content: { 'audio/wav': { schema: z.unknown() } } },
  ...problemResponses,
}

export function recordingRoutes(app: App, { history, recordingDir, openKey, archive }: ApiDeps): void {
  const place = { folder: recordingDir, openKey, archive }

  const find = async (id: string): Promise<RecordingWithCall> => {
    const recording = await history.recording(id)
    if (!recording) throw new ApiError('api.recording-not-found')
    return recording
  }

  app.get(
    '/api/recordings',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Recordings, newest first',
        querystring: recordingsQuerySchema,
        response: { 200: recordingsPageSchema, ...problemResponses },
      },
    },
    ({ query }) => history.recordings(query),
  )

  app.get(
    '/api/recordings/:id',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'One recording',
        params: idParams,
        response: { 200: recordingWithCallSchema, ...problemResponses },
      },
    },
    ({ params }) => find(params.id),
  )

  app.get(
    '/api/recordings/:id/copies',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Copies of its files in archives',
        params: idParams,
        response: { 200: copiesSchema, ...problemResponses },
      },
    },
    async ({ params }) => {
      await find(params.id)
      return { items: await archive.of(params.id) }
    },
  )

  app.get(
    '/api/recordings/:id/audio',
    {
      config: { access: 'viewer', audit: 'recording.read' },
      schema: { tags, summary: 'All voices in one file, or the only leg', params: idParams, response: audio },
    },
    async (request, reply) => {
      leaveOutFurtherRanges(request)
      const files = (await find(request.params.id)).files.filter(({ kind }) => kind !== 'raw')
      const file = files.find(({ kind }) => kind === 'combined') ?? (files.length === 1 ? files[0] : undefined)
      if (!file) throw new ApiError('api.no-audio')
      return sendFile(request, reply, place, request.params.id, file)
    },
  )

  app.get(
    '/api/recordings/:id/files/:name',
    {
      config: { access: 'viewer', audit: 'recording.read' },
      schema: { tags, summary: 'One file', params: recordingFileParams, response: audio },
    },
    async (request, reply) => {
      leaveOutFurtherRanges(request)
      const { params } = request
      const { files } = await find(params.id)
      const file = files.find(({ name }) => name === params.name)
      if (!file) throw new ApiError('api.file-not-found')
      return sendFile(request, reply, place, params.id, file)
    },
  )
}

/** A player asks for one piece after the other: recorded is who began to listen. */
function leaveOutFurtherRanges(request: FastifyRequest): void {
  const { range } = request.headers
  if (request.method === 'HEAD' || (range !== undefined && !/^bytes=0?-/.test(range))) request.audited.kept = true
}

interface Place {
  readonly folder: string
  readonly openKey: OpenKey
  readonly archive: ApiDeps['archive']
}

async function sendFile(
  request: FastifyRequest,
  reply: FastifyReply,
  { folder, openKey, archive }: Place,
  recordingId: string,
  { name }: RecordingFile,
): Promise<FastifyReply> {
  if (!staysInside(name)) throw new ApiError('api.file-not-found')
  const there = await stat(join(folder, name)).catch(() => undefined)
  const shown = plainName(name.slice(name.lastIndexOf('/') + 1))
  reply.header('content-disposition', `inline; filename*=UTF-8''${encodeURIComponent(shown)}`)
  // A repaired file has the same address as the broken one before it: ask again, the ETag makes that cheap.
  reply.header('cache-control', 'private, no-cache')
  if (!there?.isFile()) {
    const copy = await archive.open(recordingId, name)
    if (!copy) throw new ApiError('api.file-not-found', 'it is gone from the disk')
    const open = () => openSource(copy, { openKey })
    return sendOpened({ request, reply, name, etag: `"${copy.sha256}"`, modifiedMs: copy.storedAtMs, open })
  }
  if (name.endsWith(sealedExtension)) return sendSealed({ request, reply, path: join(folder, name), openKey })
  return reply.sendFile(name, folder, { cacheControl: false })
}

/** Names come from our own records; a record that somebody else wrote must not reach outside the folder. */
function staysInside(name: string): boolean {
  return !isAbsolute(name) && !normalize(name).split(sep).includes('..') && !name.includes('\0')
}
