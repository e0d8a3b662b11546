import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startApi } from '../test-support.ts'

test('a person added can sign in; hashes are never shown', async (t) => {
  const { app, as } = await startApi(t)
  const headers = await as('admin')

  const added = await app.inject({
    method: 'POST',
    url: '/api/users',
    headers,
    payload: { name: 'Carol', role: 'viewer' },
  })
  assert.equal(added.statusCode, 201)
  const { user, password } = added.json()
  assert.deepEqual([user.name, user.role, user.passwordHash], ['carol', 'viewer', undefined])

  const signedIn = await app.inject({ method: 'POST', url: '/api/login', payload: { name: 'carol', password } })
  assert.equal(signedIn.statusCode, 200)
  const list = await app.inject({ url: '/api/users', headers })
  assert.deepEqual(
    list.json().items.map(({ name }: { name: string }) => name),
    ['admin', 'carol', 'viewer'],
  )
  assert.doesNotMatch(list.body, /scrypt/)
  const twice = await app.inject({
    method: 'POST',
    url: '/api/users',
    headers,
    payload: { name: 'CAROL', role: 'admin' },
  })
  assert.deepEqual([twice.statusCode, twice.json().code], [409, 'auth.user-exists'])
})

test('an API key is shown once, works, and stops working when it is revoked', async (t) => {
  const { app, as, clock } = await startApi(t)
  const headers = await as('admin')

  const made = await app.inject({
    method: 'POST',
    url: '/api/api-keys',
    headers,
    payload: { name: 'CRM', role: 'viewer' },
  })
  const { apiKey, key } = made.json()
  assert.equal(made.statusCode, 201)
  assert.match(key, /^pb_[\w-]{43}$/)
  assert.deepEqual(apiKey, { id: apiKey.id, name: 'CRM', role: 'viewer', createdAtMs: clock.wallMs() })

  assert.equal((await app.inject({ url: '/api/me', headers: { 'x-api-key': key } })).json().name, 'CRM')
  const list = (await app.inject({ url: '/api/api-keys', headers })).json()
  assert.deepEqual(list, { items: [{ ...apiKey, lastUsedAtMs: clock.wallMs() }] })

  const url = `/api/api-keys/${apiKey.id}`
  assert.equal((await app.inject({ method: 'DELETE', url, headers })).statusCode, 204)
  assert.equal((await app.inject({ url: '/api/me', headers: { 'x-api-key': key } })).statusCode, 401)
  assert.equal((await app.inject({ method: 'DELETE', url, headers })).json().code, 'auth.key-not-found')
})
