/** Exports and erasures, for administrators. */
import { z } from 'zod'
import type { ErasureRecord } from '../../compliance/types.ts'
import type { App } from '../app.ts'
import { askerOf } from '../audited.ts'
import type { ApiDeps } from '../deps.ts'
import { problemResponses } from '../problem.ts'
import { idParams } from '../schemas/common.ts'
import {
  type Erasure,
  erasurePreviewSchema,
  erasureRequestSchema,
  erasureSchema,
  erasuresSchema,
  exportRequestSchema,
  exportSchema,
  exportsSchema,
} from '../schemas/compliance.ts'

const tags = ['compliance']
const mostListed = 200

export function complianceRoutes(app: App, deps: ApiDeps): void {
  exportRoutes(app, deps)
  erasureRoutes(app, deps)
}

function exportRoutes(app: App, { life: { exports } }: ApiDeps): void {
  app.post(
    '/api/compliance/export',
    {
      config: { access: 'admin', audit: false },
      schema: {
        tags,
        summary: 'Put everything of a call or a person into one archive, in the background',
        body: exportRequestSchema,
        response: { 202: exportSchema, ...problemResponses },
      },
    },
    async (request, reply) => {
      const made = await exports.request(request.body, askerOf(request))
      return reply.code(202).header('location', `/api/compliance/exports/${made.id}`).send(made)
    },
  )

  app.get(
    '/api/compliance/exports',
    {
      config: { access: 'admin' },
      schema: { tags, summary: 'The latest exports', response: { 200: exportsSchema, ...problemResponses } },
    },
    async () => ({ items: await exports.list(mostListed) }),
  )

  app.get(
    '/api/compliance/exports/:id',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'How far an export is',
        params: idParams,
        response: { 200: exportSchema, ...problemResponses },
      },
    },
    ({ params }) => exports.find(params.id),
  )

  app.get(
    '/api/compliance/exports/:id/file',
    {
      config: { access: 'admin', audit: 'export.downloaded' },
      schema: {
        tags,
        summary: 'The archive, once it is ready',
        params: idParams,
        response: {
          200: { description: 'A zip archive.', content: { 'application/zip': { schema: z.unknown() } } },
          ...problemResponses,
        },
      },
    },
    async ({ params }, reply) => {
      const { folder, name } = await exports.fileOf(params.id)
      reply.header('content-disposition', `attachment; filename="${name}"`)
      reply.header('cache-control', 'no-store')
      return reply.sendFile(name, folder, { cacheControl: false })
    },
  )

  app.delete(
    '/api/compliance/exports/:id',
    {
      config: { access: 'admin', audit: 'export.deleted' },
      schema: {
        tags,
        summary: 'Delete the archive before its time',
        params: idParams,
        response: { 204: z.undefined(), ...problemResponses },
      },
    },
    async ({ params }, reply) => {
      await exports.find(params.id)
      await exports.expire(params.id)
      return reply.code(204).send()
    },
  )
}

function erasureRoutes(app: App, { life: { erasures } }: ApiDeps): void {
  app.post(
    '/api/compliance/erase',
    {
      config: { access: 'admin', audit: false },
      schema: {
        tags,
        summary: 'Erase everything of a call or a person; unless told otherwise only say what would go',
        body: erasureRequestSchema,
        response: { 200: erasurePreviewSchema, 202: erasureSchema, ...problemResponses },
      },
    },
    async (request, reply) => {
      const { dryRun, why = '', ...wanted } = request.body
      if (dryRun) return erasures.preview(wanted)
      const begun = await erasures.begin(wanted, why, askerOf(request))
      return reply.code(202).header('location', `/api/compliance/erasures/${begun.id}`).send(shown(begun))
    },
  )

  app.get(
    '/api/compliance/erasures',
    {
      config: { access: 'admin' },
      schema: { tags, summary: 'The latest erasures', response: { 200: erasuresSchema, ...problemResponses } },
    },
    async () => ({ items: (await erasures.list(mostListed)).map(shown) }),
  )

  app.get(
    '/api/compliance/erasures/:id',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'What an erasure took away, and whether anything is left',
        params: idParams,
        response: { 200: erasureSchema, ...problemResponses },
      },
    },
    async ({ params }) => shown(await erasures.find(params.id)),
  )
}

/** Whom it is about is nobody's business but the server's. */
function shown(record: ErasureRecord): Erasure {
  const { id, kind, state, askedBy, askedAtMs, finishedAtMs, report, waits, auditHash } = record
  return {
    id,
    kind,
    state,
    askedBy,
    askedAtMs,
    ...(finishedAtMs !== undefined && { finishedAtMs }),
    ...(report && { report: { ...report, rows: { ...report.rows }, copies: { ...report.copies } } }),
    ...(waits !== undefined && { waits }),
    ...(auditHash !== undefined && { auditHash }),
  }
}
