import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { ended, started, stored } from '../../database/test-support.ts'
import type { Erasure, ErasurePreview, Export } from '../schemas/compliance.ts'
import { startApi } from '../test-support.ts'

async function withCall(t: TestContext) {
  const api = await startApi(t)
  const { bus, folder, app } = api
  bus.publish(started('c'))
  bus.publish(stored('c', 'r'))
  bus.publish(ended('c'))
  writeFileSync(join(folder, 'r.wav'), 'sound')
  await api.jobs.start()
  const headers = await api.as('admin')
  const ask = (method: 'GET' | 'POST' | 'DELETE', url: string, payload?: object) =>
    app.inject({ method, url, headers, ...(payload && { payload }) })
  return { ...api, ask }
}

test('an export is asked for, awaited, downloaded and deleted; each is recorded', async (t) => {
  const { ask, jobs, deps } = await withCall(t)
  const asked = await ask('POST', '/api/compliance/export', { person: '101' })
  assert.equal(asked.statusCode, 202)
  const { id } = asked.json<Export>()
  await jobs.idle()
  assert.equal((await ask('GET', String(asked.headers['location']))).json<Export>().state, 'ready')
  const file = await ask('GET', `/api/compliance/exports/${id}/file`)
  assert.deepEqual(
    [file.statusCode, file.headers['content-type'], file.rawPayload.subarray(0, 2).toString()],
    [200, 'application/zip', 'PK'],
  )
  assert.equal((await ask('DELETE', `/api/compliance/exports/${id}`)).statusCode, 204)
  assert.equal(
    (await ask('GET', `/api/compliance/exports/${id}/file`)).json<{ code: string }>().code,
    'compliance.export-not-ready',
  )
  const actions = (await deps.audit.list({ limit: 9 })).map(({ action, subject }) => [action, subject])
  assert.deepEqual(actions, [
    ['export.deleted', `export:${id}`],
    ['export.downloaded', `export:${id}`],
    ['export.requested', `export:${id}`],
  ])
})

test('an erasure only tells what would go, unless it is told to erase; its report names nobody', async (t) => {
  const { ask, jobs, deps } = await withCall(t)
  const preview = (
    await ask('POST', '/api/compliance/erase', { person: ['101', 'sip:102@example.com'] })
  ).json<ErasurePreview>()
  assert.deepEqual([preview.calls, preview.recordings, preview.files], [1, 1, 1])
  assert.ok(await deps.history.call('c'))
  assert.equal((await ask('POST', '/api/compliance/erase', { person: '101', dryRun: false })).statusCode, 400, 'why')
  const begun = await ask('POST', '/api/compliance/erase', { person: '101', dryRun: false, why: 'asked' })
  assert.equal(begun.statusCode, 202)
  assert.doesNotMatch(begun.body, /101/)
  await jobs.idle()
  const erasure = (await ask('GET', `/api/compliance/erasures/${begun.json<Erasure>().id}`)).json<Erasure>()
  assert.deepEqual([erasure.state, erasure.report?.calls, erasure.report?.verified], ['done', 1, true])
  assert.equal(await deps.history.call('c'), undefined)
  assert.equal((await ask('POST', '/api/compliance/erase', { person: '101', dryRun: false, why: 'x' })).statusCode, 404)
})

test('viewers give nothing away and take nothing away', async (t) => {
  const { app, as } = await withCall(t)
  const headers = await as('viewer')
  for (const url of ['/api/compliance/export', '/api/compliance/erase'])
    assert.equal((await app.inject({ method: 'POST', url, headers, payload: { callId: 'c' } })).statusCode, 403)
  for (const url of ['/api/compliance/exports', '/api/compliance/erasures', '/api/compliance/exports/x/file'])
    assert.equal((await app.inject({ url, headers })).statusCode, 403)
})
