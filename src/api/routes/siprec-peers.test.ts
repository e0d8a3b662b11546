import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startApi } from '../test-support.ts'

const url = '/api/siprec-peers'

test('a recording client is added, changed and deleted; its password is never shown', async (t) => {
  const { app, as, deps } = await startApi(t)
  const headers = await as('admin')
  const payload = {
    name: 'sbc',
    sources: ['192.0.2.0/24'],
    username: 'sbc',
    password: 'recorders-only',
    retentionDays: 30,
  }
  const added = await app.inject({ method: 'POST', url, headers, payload })
  assert.equal(added.statusCode, 201, added.body)
  assert.doesNotMatch(added.body, /recorders-only|hash|md5/i)
  const { id, dialect, origin } = added.json<{ id: string; dialect: string; origin: string }>()
  assert.deepEqual([dialect, origin], ['lenient', 'api'])
  assert.ok(deps.siprecPeers.hashesOf('sbc'))

  const changes = { dialect: 'network', retentionDays: null, tags: ['sales'], username: null }
  const changed = await app.inject({ method: 'PATCH', url: `${url}/${id}`, headers, payload: changes })
  assert.equal(changed.statusCode, 200, changed.body)
  const { items } = (await app.inject({ url, headers })).json<{ items: Record<string, unknown>[] }>()
  assert.deepEqual(items, [
    {
      id,
      origin: 'api',
      name: 'sbc',
      enabled: true,
      sources: ['192.0.2.0/24'],
      dialect: 'network',
      tags: ['sales'],
      createdAtMs: deps.clock.wallMs(),
      state: { sessionsNow: 0, sessions: 0 },
    },
  ])
  assert.equal((await app.inject({ method: 'DELETE', url: `${url}/${id}`, headers })).statusCode, 204)
  assert.equal((await app.inject({ url: `${url}/${id}`, headers })).statusCode, 404)
})

test('what cannot be known, a name that is taken, a network that is none: each refused by its code', async (t) => {
  const { app, as } = await startApi(t)
  const headers = await as('admin')
  const codeOf = async (payload: object, method: 'POST' | 'PATCH' = 'POST', at = url) => {
    const response = await app.inject({ method, url: at, headers, payload })
    return response.json<{ code?: string; id?: string }>()
  }
  const { id } = await codeOf({ name: 'a', sources: ['192.0.2.1'] })
  assert.equal((await codeOf({ name: 'a', sources: ['192.0.2.2'] })).code, 'siprec-peer.exists')
  assert.equal((await codeOf({ name: 'b' })).code, 'siprec-peer.unknowable')
  assert.equal((await codeOf({ name: 'b', username: 'u' })).code, 'siprec-peer.unknowable')
  assert.equal((await codeOf({ name: 'b', sources: ['192.0.2.1/99'] })).code, 'api.invalid')
  // Another user name makes the hashes useless.
  assert.equal((await codeOf({ username: 'u' }, 'PATCH', `${url}/${id}`)).code, 'siprec-peer.unknowable')
})

test('who may only look may not change', async (t) => {
  const { app, as } = await startApi(t)
  const headers = await as('viewer')
  assert.equal((await app.inject({ url, headers })).statusCode, 200)
  const payload = { name: 'a', sources: ['192.0.2.1'] }
  assert.equal((await app.inject({ method: 'POST', url, headers, payload })).statusCode, 403)
})

test('an operator has a recording client asked to send a session; the answer tells the call and how the client answered', async (t) => {
  const asked: unknown[] = []
  const { app, as } = await startApi(t, {
    orderRecording: (...order) => {
      asked.push(order)
      return Promise.resolve({ callId: 'c1', status: 200 })
    },
  })
  const headers = await as('admin')
  const response = await app.inject({
    method: 'POST',
    url: `${url}/p1/sessions`,
    headers,
    payload: { contact: 'sip:a@b' },
  })
  assert.deepEqual([response.statusCode, response.json()], [200, { callId: 'c1', status: 200 }])
  assert.deepEqual(asked, [['p1', 'sip:a@b']])
})
