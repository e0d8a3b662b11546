import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { withDatabase } from '../administration.ts'
import { loadSettings } from '../core/settings/load.ts'
import { UsageError } from './expected.ts'
import { runJobs } from './jobs.ts'

test('`jobs` lists what has to be done, retries what failed and cancels', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'jobs-'))
  t.after(() => rm(folder, { recursive: true }))
  const lines: string[] = []
  t.mock.method(console, 'log', (line: string) => lines.push(line))
  const { settings } = loadSettings({ env: { DATA_DIR: folder } })
  const id = await withDatabase(settings, async ({ jobs }) => {
    await jobs.add(
      [
        { kind: 'recording.archive', key: 'r/s3' },
        { kind: 'other', key: 'x' },
      ],
      0,
    )
    const [job] = await jobs.claim('recording.archive', 1, 1)
    await jobs.fail(job?.id ?? '', 'Access Denied')
    return job?.id ?? ''
  })
  const run = (rest: string[], more: { state?: string; kind?: string } = {}) => runJobs(settings, { rest, given: more })

  assert.equal(await run(['list'], { state: 'failed' }), 0)
  assert.deepEqual(lines.splice(0), [`${id}\tfailed\trecording.archive\tr/s3\t1\t\tAccess Denied`])
  assert.equal(await run(['retry', id]), 0)
  await run(['list'], { kind: 'recording.archive' })
  assert.match(lines.at(-1) ?? '', /\twaiting\trecording\.archive\tr\/s3\t0\t20\d\d-/)
  assert.equal(await run(['cancel', id]), 0)
  await assert.rejects(run(['cancel', id]), UsageError)
  await assert.rejects(run(['retry', id]), UsageError)
  await assert.rejects(run(['list'], { state: 'lost' }), UsageError)
  await assert.rejects(run(['push']), UsageError)
  lines.splice(0)
  await run(['list'])
  assert.equal(lines.length, 1)
})
