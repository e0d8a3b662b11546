/** Jobs: what waits, runs and has failed; an administrator tries one again or takes it away. */
import { z } from 'zod'
import type { App } from '../app.ts'
import type { ApiDeps } from '../deps.ts'
import { problemResponses } from '../problem.ts'
import { idParams } from '../schemas/common.ts'
import { jobsPageSchema, jobsQuerySchema } from '../schemas/jobs.ts'

const tags = ['jobs']
const nothing = { 204: z.undefined(), ...problemResponses }

export function jobRoutes(app: App, { jobs, jobList }: ApiDeps): void {
  app.get(
    '/api/jobs',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Jobs that are not done, oldest first',
        querystring: jobsQuerySchema,
        response: { 200: jobsPageSchema, ...problemResponses },
      },
    },
    async ({ query }) => ({ ...(await jobList.list(query)), counts: await jobList.counts() }),
  )

  app.post(
    '/api/jobs/:id/retry',
    {
      config: { access: 'admin', audit: 'job.retried' },
      schema: { tags, summary: 'Try a job now, with all its attempts', params: idParams, response: nothing },
    },
    async ({ params }, reply) => {
      await jobs.retry(params.id)
      return reply.code(204).send()
    },
  )

  app.delete(
    '/api/jobs/:id',
    {
      config: { access: 'admin', audit: 'job.cancelled' },
      schema: { tags, summary: 'Take a job away; what it had to do is not done', params: idParams, response: nothing },
    },
    async ({ params }, reply) => {
      await jobs.cancel(params.id)
      return reply.code(204).send()
    },
  )
}
