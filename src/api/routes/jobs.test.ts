import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JobsPage } from '../schemas/jobs.ts'
import { startApi } from '../test-support.ts'

test('jobs are listed page by page with their last error, without their payload', async (t) => {
  const { app, as, jobs } = await startApi(t)
  const disk = new Error('the disk is full')
  jobs.handle('copy', { handler: () => Promise.reject(disk), attempts: 1 })
  await jobs.add([
    { kind: 'copy', key: 'a', subject: 'r1', payload: { uploadId: 'inner' } },
    { kind: 'later', key: 'b', subject: 'r2' },
  ])
  await jobs.start()
  await jobs.idle()

  const ask = async (query: string) => {
    const { body } = await app.inject({ url: `/api/jobs?${query}`, headers: await as('viewer') })
    assert.doesNotMatch(body, /inner/)
    return JSON.parse(body) as JobsPage
  }
  const first = await ask('limit=1')
  assert.deepEqual(
    first.items.map(({ kind, key, subject, state, attempts, lastError }) => [
      kind,
      key,
      subject,
      state,
      attempts,
      lastError,
    ]),
    [['copy', 'a', 'r1', 'failed', 1, 'the disk is full']],
  )
  const second = await ask(`limit=1&cursor=${first.nextCursor}`)
  assert.deepEqual([second.items.map(({ key }) => key), second.nextCursor], [['b'], undefined])
  assert.deepEqual((await ask('state=failed')).items.length, 1)
  assert.deepEqual((await ask('subject=r2')).items.length, 1)
  assert.deepEqual(second.counts, [
    { kind: 'copy', state: 'failed', jobs: 1 },
    { kind: 'later', state: 'waiting', jobs: 1 },
  ])
})

test('an administrator retries and cancels jobs; a viewer does neither, and what is gone is told so', async (t) => {
  const { app, as, jobs } = await startApi(t)
  let broken = true
  jobs.handle('copy', { handler: () => (broken ? Promise.reject(new Error('no')) : Promise.resolve()), attempts: 1 })
  await jobs.add([
    { kind: 'copy', key: 'a' },
    { kind: 'never', key: 'b' },
  ])
  await jobs.start()
  await jobs.idle()
  const list = async () => {
    const { body } = await app.inject({ url: '/api/jobs', headers: await as('viewer') })
    return (JSON.parse(body) as JobsPage).items
  }
  const [failed, waiting] = await list()
  const change = async (role: 'admin' | 'viewer', method: 'POST' | 'DELETE', url: string) => {
    const { statusCode, body } = await app.inject({ method, url, headers: await as(role) })
    return body === '' ? statusCode : `${statusCode} ${(JSON.parse(body) as { code: string }).code}`
  }
  assert.equal(await change('viewer', 'POST', `/api/jobs/${failed?.id}/retry`), '403 auth.forbidden')
  assert.equal(await change('viewer', 'DELETE', `/api/jobs/${waiting?.id}`), '403 auth.forbidden')
  broken = false
  assert.equal(await change('admin', 'POST', `/api/jobs/${failed?.id}/retry`), 204)
  await jobs.idle()
  assert.equal(await change('admin', 'DELETE', `/api/jobs/${waiting?.id}`), 204)
  assert.deepEqual(await list(), [])
  assert.equal(await change('admin', 'POST', `/api/jobs/${failed?.id}/retry`), '404 job.not-found')
  assert.equal(await change('admin', 'DELETE', `/api/jobs/${waiting?.id}`), '404 job.not-found')
})
