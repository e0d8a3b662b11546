import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ownOrigin, password, startApi } from './test-support.ts'

const login = { method: 'POST', url: '/api/login' } as const
const newExtension = { method: 'POST', url: '/api/extensions', payload: { number: '101' } } as const

test('every route that is not meant to be open asks who is there', async (t) => {
  const { app } = await startApi(t)
  const paths = Object.entries(app.swagger().paths ?? {})
  const open: string[] = []
  for (const [path, methods] of paths) {
    for (const method of Object.keys(methods ?? {})) {
      const url = path.replaceAll(/\{\w+\}/g, 'x')
      const headers = method === 'get' ? {} : { 'content-type': 'application/json' }
      const answer = await app.inject({ method: method.toUpperCase() as 'GET', url, headers, payload: '{}' })
      if (answer.statusCode !== 401) open.push(`${method} ${path}`)
      else assert.equal(answer.headers['content-type'], 'application/problem+json')
    }
  }
  assert.deepEqual(open.sort(), [
    'get /health',
    'get /health/live',
    'get /health/ready',
    'get /metrics',
    'get /metrics/simple',
    'get /status',
    'post /api/auth/token',
    'post /api/login',
    'post /api/login/code',
    'post /api/logout',
  ])
})

test('a viewer reads and changes nothing', async (t) => {
  const { app, as } = await startApi(t)
  const headers = await as('viewer')
  const letIn: string[] = []
  let refused = 0
  for (const [path, methods] of Object.entries(app.swagger().paths ?? {})) {
    if (path === '/api/logout') continue // would end the session that asks
    for (const method of Object.keys(methods ?? {}).filter((name) => name !== 'get')) {
      const url = path.replaceAll(/\{\w+\}/g, 'x')
      const payload = method === 'post' || method === 'patch' ? {} : undefined
      const answer = await app.inject({
        method: method.toUpperCase() as 'GET',
        url,
        headers,
        ...(payload && { payload }),
      })
      if (answer.statusCode === 403) refused++
      else letIn.push(`${method} ${path}`)
    }
  }
  // Who may hear a recording may have it checked.
  const checks = ['post /api/proofs/verify', 'post /api/recordings/{id}/proof/verify']
  assert.deepEqual(letIn.sort(), ['post /api/auth/token', 'post /api/login', 'post /api/login/code', ...checks])
  assert.ok(refused > 15)
  assert.equal((await app.inject({ url: '/api/extensions', headers })).statusCode, 200)
  assert.equal((await app.inject({ url: '/api/users', headers })).statusCode, 403)
})

test('signing in sets a cookie that scripts cannot read and other sites do not send', async (t) => {
  const { app } = await startApi(t)

  const answer = await app.inject({ ...login, payload: { name: ' Admin', password } })

  assert.deepEqual(answer.json(), { name: 'admin', role: 'admin', via: 'session' })
  const [cookie] = answer.cookies
  assert.match(cookie?.value ?? '', /^[\w-]{43}$/)
  assert.deepEqual(
    { ...cookie, value: '' },
    { name: 'patchbay_session', value: '', httpOnly: true, sameSite: 'Strict', path: '/', maxAge: 43_200 },
  )
  const me = await app.inject({ url: '/api/me', cookies: { patchbay_session: cookie?.value ?? '' } })
  assert.deepEqual(me.json(), { name: 'admin', role: 'admin', via: 'session' })
})

test('behind a trusted proxy that speaks TLS the cookie is for HTTPS only', async (t) => {
  const { app } = await startApi(t, { settings: { trustedProxies: ['127.0.0.1'] } })
  const headers = {
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'pbx.example.com',
    origin: 'https://pbx.example.com',
  }

  const answer = await app.inject({ ...login, headers, payload: { name: 'admin', password } })

  assert.equal(answer.cookies[0]?.secure, true)
})

test('signing out ends the session itself, not only the cookie', async (t) => {
  const { app, as } = await startApi(t)
  const headers = await as('admin')

  const answer = await app.inject({ method: 'POST', url: '/api/logout', headers })

  assert.equal(answer.statusCode, 204)
  assert.equal(answer.cookies[0]?.value, '')
  assert.equal((await app.inject({ url: '/api/me', headers })).statusCode, 401)
})

test('a one-time code signs in once', async (t) => {
  const { app, auth, database } = await startApi(t)
  const admin = await database.users.byName('admin')
  assert.ok(admin)
  const payload = { code: ` ${auth.codes.issue(admin).toLowerCase()} ` }

  const first = await app.inject({ method: 'POST', url: '/api/login/code', payload })
  const second = await app.inject({ method: 'POST', url: '/api/login/code', payload })

  assert.equal(first.json().name, 'admin')
  assert.equal(second.statusCode, 401)
  assert.equal(second.json().code, 'auth.wrong-code')
})

test('an API key works in either header, and a wrong one is not saved by a good cookie', async (t) => {
  const { app, as, keyOf } = await startApi(t)
  const key = (await keyOf('admin'))['x-api-key']

  assert.equal((await app.inject({ url: '/api/me', headers: { 'x-api-key': key } })).json().via, 'api-key')
  assert.equal((await app.inject({ url: '/api/me', headers: { authorization: `Bearer ${key}` } })).statusCode, 200)
  assert.equal((await app.inject({ ...newExtension, headers: { 'x-api-key': key } })).statusCode, 201)
  const both = { ...(await as('admin')), 'x-api-key': 'pb_wrong' }
  const answer = await app.inject({ url: '/api/me', headers: both })
  assert.equal(answer.statusCode, 401)
  assert.equal(answer.headers['www-authenticate'], 'Bearer realm="patchbay"')
})

for (const [what, headers, status] of [
  ['an Origin of ours', { origin: ownOrigin }, 201],
  ['an Origin of another site', { origin: 'http://evil.example' }, 403],
  ['an Origin with another port', { origin: 'http://localhost:8080' }, 403],
  ['an opaque Origin', { origin: 'null' }, 403],
  ['no word of where it comes from', {}, 403],
  ['Sec-Fetch-Site: same-origin', { 'sec-fetch-site': 'same-origin' }, 201],
  ['Sec-Fetch-Site: same-site', { 'sec-fetch-site': 'same-site', origin: ownOrigin }, 403],
  ['Sec-Fetch-Site: cross-site', { 'sec-fetch-site': 'cross-site' }, 403],
] as const) {
  test(`a change by cookie with ${what} is answered ${status}`, async (t) => {
    const { app, as } = await startApi(t)
    const { cookie } = await as('admin')

    const answer = await app.inject({ ...newExtension, headers: { cookie, ...headers } })

    assert.equal(answer.statusCode, status)
    if (status === 403) assert.equal(answer.json().code, 'auth.cross-site')
  })
}

test('another site cannot sign a browser in, a program without an Origin can', async (t) => {
  const { app } = await startApi(t)
  const payload = { name: 'admin', password }

  const foreign = await app.inject({ ...login, payload, headers: { origin: 'http://evil.example' } })
  const program = await app.inject({ ...login, payload })

  assert.equal(foreign.json().code, 'auth.cross-site')
  assert.equal(program.statusCode, 200)
})

test('a session ends twelve hours after its last use', async (t) => {
  const { app, as, clock } = await startApi(t)
  const headers = await as('admin')
  const hourMs = 60 * 60_000

  clock.advance(11 * hourMs)
  assert.equal((await app.inject({ url: '/api/me', headers })).statusCode, 200)
  clock.advance(11 * hourMs)
  assert.equal((await app.inject({ url: '/api/me', headers })).statusCode, 200)
  clock.advance(12 * hourMs)
  assert.equal((await app.inject({ url: '/api/me', headers })).statusCode, 401)
})

test('guessing from one address is slowed down and told; the right password from another gets in', async (t) => {
  const { app, bus } = await startApi(t)
  const told: string[] = []
  bus.on('security.refused', ({ source, why }) => told.push(`${source} ${why}`))
  const guess = (secret: string, remoteAddress: string) =>
    app.inject({ ...login, remoteAddress, payload: { name: 'admin', password: secret } })

  for (let guesses = 0; guesses < 5; guesses++) assert.equal((await guess('wrong', '192.0.2.1')).statusCode, 401)
  const sixth = await guess(password, '192.0.2.1')
  const other = await guess(password, '192.0.2.2')

  assert.equal(sixth.statusCode, 429)
  assert.equal(sixth.json().code, 'auth.throttled')
  assert.equal(sixth.headers['retry-after'], '1')
  assert.equal(other.statusCode, 200)
  assert.deepEqual(told.slice(-2), ['192.0.2.1 auth.wrong-credentials', '192.0.2.1 auth.throttled'])
})

test('an unknown name answers like a wrong password', async (t) => {
  const { app } = await startApi(t)

  const unknown = await app.inject({ ...login, payload: { name: 'nobody', password: 'wrong' } })
  const wrong = await app.inject({ ...login, payload: { name: 'admin', password: 'wrong' } })

  assert.equal(unknown.statusCode, 401)
  assert.equal(unknown.body, wrong.body)
})

test('a name and a password are changed for a token, which opens what its role may', async (t) => {
  const { app, deps } = await startApi(t)
  const ask = (payload: object) => app.inject({ method: 'POST', url: '/api/auth/token', payload })
  const answer = await ask({ username: 'viewer', password })
  assert.equal(answer.statusCode, 200)
  const { token, ...rest } = answer.json<{ token: string }>()
  assert.deepEqual(
    { ...rest, expires_at: '' },
    { token_type: 'Bearer', expires_in: 86_400, expires_at: '', role: 'viewer' },
  )
  assert.equal(answer.headers['set-cookie'], undefined)
  const headers = { authorization: `Bearer ${token}` }
  assert.deepEqual((await app.inject({ url: '/api/me', headers })).json(), {
    name: 'viewer',
    role: 'viewer',
    via: 'token',
  })
  assert.equal((await app.inject({ ...newExtension, headers })).statusCode, 403)
  assert.equal((await ask({ name: 'viewer', password: 'wrong' })).json().code, 'auth.wrong-credentials')
  assert.equal((await ask({ name: 'viewer', username: 'viewer', password })).statusCode, 400)
  const [record] = await deps.audit.list({ limit: 5, action: 'user.given-token' })
  assert.equal(record?.who, 'viewer')
})

test('a key in the address is refused with a word about it, unless a setting takes it', async (t) => {
  const strict = await startApi(t)
  const key = (await strict.keyOf('viewer'))['x-api-key']
  const refused = await strict.app.inject({ url: `/api/me?api_key=${key}` })
  assert.deepEqual([refused.statusCode, refused.json().code], [401, 'auth.secret-in-url'])
  const lenient = await startApi(t, { settings: { keysInUrl: true } })
  const taken = (await lenient.keyOf('viewer'))['x-api-key']
  assert.equal((await lenient.app.inject({ url: `/api/me?api_key=${taken}` })).statusCode, 200)
  assert.equal((await lenient.app.inject({ url: `/api/me?api_key=wrong` })).statusCode, 401)
})

test('without API keys, tokens and people still come in', async (t) => {
  const { app, as, keyOf, auth, database } = await startApi(t, { settings: { apiKeys: false } })
  assert.equal((await app.inject({ url: '/api/me', headers: await keyOf('admin') })).statusCode, 401)
  assert.equal((await app.inject({ url: '/api/me', headers: await as('viewer') })).statusCode, 200)
  const user = await database.users.byId('viewer')
  const { token } = await auth.tokens.issue(user ?? assert.fail())
  assert.equal((await app.inject({ url: '/api/me', headers: { authorization: `Bearer ${token}` } })).statusCode, 200)
})

test('the key for pauses opens pauses and nothing else; an operator pauses too', async (t) => {
  const pauseKey = 'a-key.for-pauses.alone'
  const { app, keyOf } = await startApi(t, { settings: { pauseKey } })
  const pause = (headers: Record<string, string>) =>
    app.inject({ method: 'POST', url: '/api/recordings/live/pause', headers }).then(({ statusCode }) => statusCode)
  assert.equal(await pause({ 'x-api-key': pauseKey }), 200)
  assert.equal(await pause({ 'x-api-key': `${pauseKey}x` }), 401)
  assert.equal(await pause(await keyOf('operator')), 200)
  assert.equal(await pause(await keyOf('viewer')), 403)
  assert.equal((await app.inject({ url: '/api/me', headers: { 'x-api-key': pauseKey } })).statusCode, 401)
})
