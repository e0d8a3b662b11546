/** `patchbay jobs`: what still has to be done, straight from the database, whether or not the server runs. */
import { auditHere, withDatabase } from '../administration.ts'
import { jobsQuerySchema } from '../api/schemas/jobs.ts'
import type { Settings } from '../core/settings/schema.ts'
import type { CommandContext } from './commands.ts'
import { UsageError, wrongWord } from './expected.ts'

export async function runJobs(
  settings: Settings,
  { rest, given }: Pick<CommandContext, 'rest' | 'given'>,
): Promise<number> {
  const [action = 'list', id = ''] = rest
  if (!['list', 'retry', 'cancel'].includes(action)) throw wrongWord('jobs', action, 'list, retry or cancel')
  if (action === 'list') return list(settings, given)
  if (id === '') throw new UsageError('the job is missing; see patchbay jobs list')
  return withDatabase(settings, async (database) => {
    const { jobs } = database
    if (action === 'cancel') {
      if (!(await jobs.remove(id))) throw new UsageError(`no job ${id} is there; one that is done is gone`)
      await auditHere(database, 'job.cancelled', `job:${id}`)
      console.log(`job ${id} cancelled`)
      return 0
    }
    if (!(await jobs.retry(id, Date.now()))) throw new UsageError(`no job ${id} waits or has failed`)
    await auditHere(database, 'job.retried', `job:${id}`)
    console.log(`job ${id} is tried again`)
    return 0
  })
}

async function list(settings: Settings, { state, kind }: CommandContext['given']): Promise<number> {
  const query = jobsQuerySchema.safeParse({ state, kind, limit: 200 })
  if (!query.success) throw new UsageError(`jobs: the state must be waiting, running or failed`)
  return withDatabase(settings, async ({ jobs }) => {
    let cursor: string | undefined
    do {
      const page = await jobs.list({ ...query.data, cursor })
      for (const job of page.items) {
        const next = job.state === 'waiting' ? new Date(job.notBeforeMs).toISOString() : ''
        console.log([job.id, job.state, job.kind, job.key, job.attempts, next, job.lastError ?? ''].join('\t'))
      }
      cursor = page.nextCursor
    } while (cursor !== undefined)
    return 0
  })
}
