/** The audit record, for administrators. */
import type { App } from '../app.ts'
import type { ApiDeps } from '../deps.ts'
import { problemResponses } from '../problem.ts'
import { auditPageSchema, auditQuerySchema, auditVerdictSchema, auditVerifyQuery } from '../schemas/audit.ts'

const tags = ['audit']

export function auditRoutes(app: App, { audit }: ApiDeps): void {
  app.get(
    '/api/audit',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Who did what, newest first',
        querystring: auditQuerySchema,
        response: { 200: auditPageSchema, ...problemResponses },
      },
    },
    async ({ query: { cursor, limit, ...query } }) => {
      const records = await audit.list({ ...query, limit: limit + 1, before: cursor })
      const items = records.slice(0, limit)
      const last = items.at(-1)
      return records.length > limit && last ? { items, nextCursor: last.sequence } : { items }
    },
  )

  app.get(
    '/api/audit/verify',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Whether the record is whole: each hash covers the one before',
        querystring: auditVerifyQuery,
        response: { 200: auditVerdictSchema, ...problemResponses },
      },
    },
    ({ query }) => audit.verify(query.head),
  )
}
