/** Call detail records: page by page, or all that fit as a file. */
import { z } from 'zod'
import { cdrFormats, cdrStream } from '../../cdr/print.ts'
import type { App } from '../app.ts'
import type { ApiDeps } from '../deps.ts'
import { ApiError } from '../failures.ts'
import { problemResponses } from '../problem.ts'
import { cdrFilterSchema, cdrPageSchema, cdrQuerySchema, cdrSchema } from '../schemas/cdr.ts'
import { idParams } from '../schemas/common.ts'

const tags = ['calls']
const contentTypes = { csv: 'text/csv; charset=utf-8', jsonl: 'application/jsonl' } as const

export function cdrRoutes(app: App, { life: { cdr } }: ApiDeps): void {
  app.get(
    '/api/cdr',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Call detail records of calls that have ended, newest first',
        querystring: cdrQuerySchema,
        response: { 200: cdrPageSchema, ...problemResponses },
      },
    },
    ({ query: { limit, cursor, ...filter } }) => cdr.page(filter, limit, cursor),
  )

  app.get(
    '/api/calls/:id/cdr',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'The call detail record of one call that has ended',
        params: idParams,
        response: { 200: cdrSchema, ...problemResponses },
      },
    },
    async ({ params }) => {
      const record = await cdr.one(params.id)
      if (!record) throw new ApiError('api.call-not-found')
      return record
    },
  )

  for (const format of cdrFormats)
    app.get(
      `/api/cdr.${format}`,
      {
        config: { access: 'viewer', audit: 'cdr.exported' },
        schema: {
          tags,
          summary: `All call detail records that fit, as ${format === 'csv' ? 'CSV (RFC 4180)' : 'JSON lines'}`,
          querystring: cdrFilterSchema,
          response: {
            200: { description: 'The file.', content: { [contentTypes[format]]: { schema: z.unknown() } } },
            ...problemResponses,
          },
        },
      },
      ({ query }, reply) =>
        reply
          .type(contentTypes[format])
          .header('content-disposition', `attachment; filename="cdr.${format}"`)
          .send(cdrStream(cdr, query, format)),
    )
}
