import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { ended, started, stored } from '../../database/test-support.ts'
import type { Hold, Holds, Preview, RecordingRetention, RetentionRule, RetentionRules } from '../schemas/retention.ts'
import { startApi } from '../test-support.ts'

async function withRecording(t: TestContext) {
  const api = await startApi(t)
  const { bus, folder, app } = api
  const endMs = api.clock.wallMs() - 100 * 86_400_000
  bus.publish(started('c', endMs - 9_000))
  bus.publish({ ...stored('c', 'r'), atMs: endMs, origin: { peer: 'sbc' } })
  bus.publish(ended('c', endMs))
  writeFileSync(join(folder, 'r.wav'), 'sound')
  const headers = await api.as('admin')
  const ask = (method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, payload?: object) =>
    app.inject({ method, url, headers, ...(payload && { payload }) })
  return { ...api, ask, headers }
}

test('rules are added, replaced and removed, and say why a recording stays', async (t) => {
  const { ask, deps } = await withRecording(t)
  const added = (
    await ask('POST', '/api/retention/rules', { name: 'sbc', peer: 'sbc', days: 200 })
  ).json<RetentionRule>()
  assert.equal(
    (await ask('PUT', `/api/retention/rules/${added.id}`, { name: 'sbc', peer: 'sbc', days: 300 })).statusCode,
    200,
  )
  const { items, settingDays } = (await ask('GET', '/api/retention/rules')).json<RetentionRules>()
  assert.deepEqual([items.length, items[0]?.days, settingDays], [1, 300, 0])
  const why = (await ask('GET', '/api/recordings/r/retention')).json<RecordingRetention>()
  assert.deepEqual(why.counts, { by: 'rule', ruleId: added.id, name: 'sbc', days: 300 })
  assert.equal(why.keepUntilMs, (await deps.history.recording('r'))!.startedAtMs + 8_000 + 300 * 86_400_000)
  assert.equal((await ask('DELETE', `/api/retention/rules/${added.id}`)).statusCode, 204)
  assert.equal(
    (await ask('DELETE', `/api/retention/rules/${added.id}`)).json<{ code: string }>().code,
    'retention.rule-not-found',
  )
  const actions = (await deps.audit.list({ limit: 9 })).map(({ action, subject }) => `${action} ${subject}`)
  const about = `retention-rule:${added.id}`
  assert.deepEqual(actions, [
    `retention-rule.removed ${about}`,
    `retention-rule.replaced ${about}`,
    `retention-rule.added ${about}`,
  ])
})

test('a preview tries rules; a sweep deletes', async (t) => {
  const { ask, jobs, folder, clock } = await withRecording(t)
  await jobs.start()
  const rule = { name: 'short', days: 99 }
  const preview = (await ask('POST', '/api/retention/preview', { rules: [rule] })).json<Preview>()
  assert.deepEqual([preview.due, preview.items[0]?.recordingId, preview.items[0]?.counts.days], [1, 'r', 99])
  assert.deepEqual((await ask('POST', '/api/retention/sweep')).json(), { looked: 0, deleted: 0, held: 0 })
  await ask('POST', '/api/retention/rules', rule)
  assert.deepEqual((await ask('POST', '/api/retention/sweep')).json(), { looked: 1, deleted: 1, held: 0 })
  await jobs.idle()
  assert.equal(existsSync(join(folder, 'r.wav')), false)
  const deleted = (await ask('GET', '/api/recordings/r')).json<{ state: string; deletedAtMs: number }>()
  assert.deepEqual([deleted.state, deleted.deletedAtMs], ['deleted', clock.wallMs()])
  assert.equal((await ask('GET', '/api/recordings/r/retention')).json<{ code: string }>().code, 'retention.not-stored')
})

test('a held recording is not deleted, by whom and why is said; once the hold is lifted it is', async (t) => {
  const { ask } = await withRecording(t)
  const hold = (await ask('POST', '/api/holds', { person: '101', why: 'case 5' })).json<Hold>()
  assert.deepEqual([hold.kind, hold.subject, hold.placedBy], ['person', 'number:101', 'admin'])
  const refused = await ask('DELETE', '/api/recordings/r?why=asked')
  assert.equal(refused.statusCode, 409)
  assert.match(refused.body, /retention\.held.*case 5/)
  assert.equal((await ask('DELETE', `/api/holds/${hold.id}`)).statusCode, 400, 'without a reason')
  assert.equal((await ask('DELETE', `/api/holds/${hold.id}?why=closed`)).json<Hold>().liftedWhy, 'closed')
  assert.deepEqual((await ask('GET', '/api/holds')).json<Holds>().items, [])
  assert.equal((await ask('GET', '/api/holds?all=true')).json<Holds>().items.length, 1)
  assert.equal((await ask('DELETE', '/api/recordings/r?why=asked')).statusCode, 202)
  assert.equal((await ask('POST', '/api/holds', { person: '101', callId: 'c', why: 'both' })).statusCode, 400)
})

test('viewers see rules and reasons, and change nothing', async (t) => {
  const { app, as } = await withRecording(t)
  const headers = await as('viewer')
  const status = async (method: 'GET' | 'POST' | 'DELETE', url: string): Promise<number> =>
    (await app.inject({ method, url, headers, ...(method === 'POST' && { payload: {} }) })).statusCode
  assert.equal(await status('GET', '/api/recordings/r/retention'), 200)
  assert.equal(await status('GET', '/api/retention/rules'), 200)
  for (const [method, url] of [
    ['DELETE', '/api/recordings/r?why=x'],
    ['GET', '/api/holds'],
    ['POST', '/api/holds'],
    ['POST', '/api/retention/rules'],
    ['POST', '/api/retention/sweep'],
    ['POST', '/api/retention/preview'],
    ['GET', '/api/retention/orphans'],
  ] as const)
    assert.equal(await status(method, url), 403, url)
})
