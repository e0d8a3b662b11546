/** Tags and notes that people give calls and recordings. */
import { z } from 'zod'
import { newId } from '../../core/random.ts'
import type { App } from '../app.ts'
import type { ApiDeps } from '../deps.ts'
import { ApiError } from '../failures.ts'
import { problemResponses } from '../problem.ts'
import { idParams } from '../schemas/common.ts'
import { labelsSchema, newNoteSchema, noteParams, noteSchema, tagsBodySchema } from '../schemas/labels.ts'

const tags = ['calls']

export function labelRoutes(app: App, { life: { labels }, clock }: ApiDeps): void {
  app.get(
    '/api/calls/:id/labels',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Tags and notes of a call',
        params: idParams,
        response: { 200: labelsSchema, ...problemResponses },
      },
    },
    async ({ params }) => {
      const found = await labels.ofCall(params.id)
      if (!found) throw new ApiError('api.call-not-found')
      return found
    },
  )

  app.put(
    '/api/calls/:id/tags',
    {
      config: { access: 'operator', audit: 'call.tagged' },
      schema: {
        tags,
        summary: 'Replace the tags of a call',
        params: idParams,
        body: tagsBodySchema,
        response: { 204: z.undefined(), ...problemResponses },
      },
    },
    async ({ params, body }, reply) => {
      if (!(await labels.tagCall(params.id, body.tags))) throw new ApiError('api.call-not-found')
      return reply.code(204).send()
    },
  )

  app.put(
    '/api/recordings/:id/tags',
    {
      config: { access: 'operator', audit: 'recording.tagged' },
      schema: {
        tags: ['recordings'],
        summary: 'Replace the tags of a recording; rules of retention look at them',
        params: idParams,
        body: tagsBodySchema,
        response: { 204: z.undefined(), ...problemResponses },
      },
    },
    async ({ params, body }, reply) => {
      if (!(await labels.tagRecording(params.id, body.tags))) throw new ApiError('api.recording-not-found')
      return reply.code(204).send()
    },
  )

  app.post(
    '/api/calls/:id/notes',
    {
      config: { access: 'operator', audit: 'call.noted' },
      schema: {
        tags,
        summary: 'Write a note to a call',
        params: idParams,
        body: newNoteSchema,
        response: { 201: noteSchema, ...problemResponses },
      },
    },
    async ({ params, body, identity }, reply) => {
      const note = { id: newId(), atMs: clock.wallMs(), who: identity?.name ?? 'nobody', text: body.text }
      const done = await labels.addNote(params.id, note)
      if (done === 'gone') throw new ApiError('api.call-not-found')
      if (done === 'full') throw new ApiError('api.too-many-notes')
      return reply.code(201).send(note)
    },
  )

  app.delete(
    '/api/calls/:id/notes/:note',
    {
      config: { access: 'operator', audit: 'call.note-removed' },
      schema: {
        tags,
        summary: 'Take a note away',
        params: noteParams,
        response: { 204: z.undefined(), ...problemResponses },
      },
    },
    async ({ params }, reply) => {
      if (!(await labels.removeNote(params.id, params.note))) throw new ApiError('api.note-not-found')
      return reply.code(204).send()
    },
  )
}
