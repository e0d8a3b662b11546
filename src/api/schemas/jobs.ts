/** Jobs: what still has to be done, and what has failed. */
import { z } from 'zod'
import { pageOf, pageQuery } from './common.ts'

export const jobStateSchema = z
  .enum(['waiting', 'running', 'failed'])
  .describe('`failed`: given up after its attempts; it is kept until somebody retries or cancels it.')
export type JobState = z.infer<typeof jobStateSchema>

export const jobSchema = z
  .object({
    id: z.string(),
    kind: z.string().describe('What has to be done: `recording.archive`.'),
    key: z.string().describe('What with; one job of a kind and key at a time.'),
    subject: z.string().optional().describe('The recording it is about.'),
    state: jobStateSchema,
    priority: z.enum(['urgent', 'normal', 'idle']),
    attempts: z.int(),
    notBeforeMs: z.number().describe('When it is tried next.'),
    addedAtMs: z.number(),
    lastError: z.string().optional(),
  })
  .meta({ id: 'Job' })
export type Job = z.infer<typeof jobSchema>

export const jobsQuerySchema = z.object({
  ...pageQuery,
  kind: z.string().max(64).optional(),
  state: jobStateSchema.optional(),
  subject: z.string().max(64).optional(),
})

export const jobsPageSchema = pageOf(jobSchema)
  .extend({
    counts: z
      .array(z.object({ kind: z.string(), state: jobStateSchema, jobs: z.int() }))
      .readonly()
      .describe('Of all jobs, whatever was asked for.'),
  })
  .meta({ id: 'JobsPage' })
export type JobsPage = z.infer<typeof jobsPageSchema>
