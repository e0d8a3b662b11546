import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AuditPage, AuditVerdict } from '../schemas/audit.ts'
import { startApi } from '../test-support.ts'

test('what is changed through the API is recorded: who, from where, what; passwords are not', async (t) => {
  const { app, as, keyOf } = await startApi(t)
  const headers = await as('admin')
  const payload = { number: '301', displayName: 'New', password: 'a-very-long-password' }
  await app.inject({ method: 'POST', url: '/api/extensions', headers, payload })
  await app.inject({
    method: 'PATCH',
    url: '/api/extensions/301',
    headers: await keyOf('admin'),
    payload: { ringSeconds: 20, password: 'another-long-password' },
  })
  await app.inject({ method: 'DELETE', url: '/api/extensions/999', headers })
  const answer = await app.inject({ url: '/api/audit', headers })
  const { items } = answer.json<AuditPage>()
  assert.deepEqual(
    items.map(({ who, via, source, action, subject, details }) => [who, via, source, action, subject, details]),
    [
      [
        'a admin',
        'api-key',
        '127.0.0.1',
        'extension.changed',
        'extension:301',
        { changed: ['ringSeconds', 'password'] },
      ],
      ['admin', 'session', '127.0.0.1', 'extension.added', 'extension:301', {}],
    ],
  )
  assert.doesNotMatch(answer.body, /long-password/)
})

test('the audit record is shown page by page, and says whether it is whole, to administrators alone', async (t) => {
  const { app, as, audit } = await startApi(t).then((api) => ({ ...api, audit: api.deps.audit }))
  for (let day = 1; day <= 3; day++) await audit.record({ who: 'server', via: 'server', action: 'recording.deleted' })
  const headers = await as('admin')
  const first = (await app.inject({ url: '/api/audit?limit=2', headers })).json<AuditPage>()
  assert.deepEqual([first.items.map(({ sequence }) => sequence), first.nextCursor], [[3, 2], 2])
  const rest = (await app.inject({ url: `/api/audit?limit=2&cursor=${first.nextCursor}`, headers })).json<AuditPage>()
  assert.deepEqual([rest.items.map(({ sequence }) => sequence), rest.nextCursor], [[1], undefined])
  const verdict = (await app.inject({ url: '/api/audit/verify', headers })).json<AuditVerdict>()
  assert.deepEqual([verdict.intact, verdict.records, verdict.head], [true, 3, first.items[0]?.hash])
  const lost = (await app.inject({ url: `/api/audit/verify?head=${'a'.repeat(64)}`, headers })).json<AuditVerdict>()
  assert.deepEqual([lost.intact, lost.headFound], [false, false])
  for (const url of ['/api/audit', '/api/audit/verify'])
    assert.equal((await app.inject({ url, headers: await as('viewer') })).statusCode, 403)
})

test('who signs in is recorded, who fails to is not', async (t) => {
  const { app, deps } = await startApi(t)
  const login = (password: string) =>
    app.inject({ method: 'POST', url: '/api/login', payload: { name: 'viewer', password } })
  await login('wrong password')
  await login('correct horse battery')
  const records = await deps.audit.list({ limit: 10 })
  assert.deepEqual(
    records.map(({ who, action }) => [who, action]),
    [['viewer', 'user.signed-in']],
  )
})

test('a pause of all recordings is recorded with who wanted it', async (t) => {
  const { app, as, deps } = await startApi(t)
  const answer = await app.inject({ method: 'POST', url: '/api/recordings/live/pause', headers: await as('admin') })
  assert.equal(answer.statusCode, 200)
  const [record] = await deps.audit.list({ limit: 1 })
  assert.deepEqual([record?.who, record?.action], ['admin', 'recording.paused'])
})
