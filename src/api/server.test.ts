import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { FakeClock } from '../core/fake-clock.ts'
import { Health } from '../ops/health.ts'
import { createApi } from './server.ts'
import { fakeCall, startApi } from './test-support.ts'

test('health has the shape that SIPREC monitoring reads, and 503 when a check fails', async (t) => {
  const clock = new FakeClock()
  const checks = { database: () => Promise.resolve(), recordings: () => Promise.reject(new Error('disk is full')) }
  const health = new Health({ version: '1.2.3', clock, checks, activeCalls: () => 2, portsInUse: () => 4 })
  health.started()
  const { app } = await startApi(t, { health })

  const answer = await app.inject('/health')

  assert.equal(answer.statusCode, 503)
  const { system, ...rest } = answer.json()
  assert.deepEqual(rest, {
    status: 'unhealthy',
    timestamp: '2026-01-01T00:00:00.000Z',
    uptime: '0s',
    version: '1.2.3',
    checks: {
      database: { status: 'healthy', message: 'ok' },
      recordings: { status: 'unhealthy', message: 'disk is full' },
    },
  })
  assert.deepEqual(Object.keys(system), ['memory_mb', 'cpu_count', 'active_calls', 'ports_in_use'])
  assert.deepEqual((await app.inject('/health/live')).json(), { status: 'alive' })
  const ready = await app.inject('/health/ready')
  assert.equal(ready.statusCode, 503)
  assert.deepEqual(ready.json(), { status: 'not_ready', reasons: ['recordings: disk is full'] })
})

test('ready from the start to the stop', async (t) => {
  const { app, deps } = await startApi(t)
  assert.deepEqual((await app.inject('/health/ready')).json().reasons, ['starting'])
  deps.health.started()
  assert.equal((await app.inject('/health/ready')).statusCode, 200)
  deps.health.stopping()
  assert.deepEqual((await app.inject('/health/ready')).json().reasons, ['stopping'])
})

test('status says what to point a phone at', async (t) => {
  const { app, clock, liveCalls } = await startApi(t)
  liveCalls.add(fakeCall({ id: 'a' }))
  liveCalls.add(fakeCall({ id: 'b', kind: 'siprec' }))
  clock.advance(3_725_000)

  const answer = await app.inject('/status')

  assert.deepEqual(answer.json(), {
    status: 'ok',
    version: '1.2.3',
    started_at: '2026-01-01T00:00:00.000Z',
    uptime: '1h2m5s',
    uptimeSeconds: 3_725,
    active_calls: 2,
    active_sessions: 1,
    registrations: 0,
    media: { io: 'dgram' },
    sip: { domain: '192.0.2.1', listeners: [{ transport: 'udp', ip: '192.0.2.1', port: 5060 }] },
  })
})

test('metrics are open to a collector without a key, and name nobody', async (t) => {
  const { app } = await startApi(t)
  await app.inject('/api/me')

  const answer = await app.inject('/metrics')

  assert.match(String(answer.headers['content-type']), /^text\/plain; version=0\.0\.4/)
  assert.match(answer.body, /^siprec_active_calls 0$/m)
  assert.match(answer.body, /http_request_duration_seconds_count\{method="GET",route="\/api\/me",status="401"\} 1/)
})

interface Operation {
  readonly operationId: string
}

test('the OpenAPI document names every route and the page shows it without a script', async (t) => {
  const { app } = await startApi(t)

  const document = (await app.inject('/api/openapi.json')).json()
  const page = await app.inject('/api/docs')

  assert.equal(document.openapi, '3.1.0')
  assert.ok(document.paths['/api/recordings/{id}/files/{name}'].get)
  assert.ok(document.components.schemas.Call)
  assert.equal(document.paths['/api/calls/{id}/messages'].get.operationId, 'getCallsByIdMessages')
  const operations = Object.values<Record<string, Operation>>(document.paths).flatMap((methods) =>
    Object.values(methods),
  )
  assert.equal(new Set(operations.map(({ operationId }) => operationId)).size, operations.length)
  assert.deepEqual(document.paths['/health'].get.security, [])
  const refs = JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)
  assert.deepEqual(new Set([...refs].map(([, name]) => name)), new Set(Object.keys(document.components.schemas)))
  for (const path of Object.keys(document.paths)) assert.ok(page.body.includes(`${path}</code>`), `${path} is shown`)
  assert.doesNotMatch(page.body, /<script/)
  assert.equal((await app.inject('/api/docs/style.css')).headers['content-type'], 'text/css; charset=utf-8')
})

test('every answer forbids foreign scripts and frames, and no other site may read it', async (t) => {
  const { app } = await startApi(t)
  for (const url of ['/', '/api/me', '/api/nothing', '/health']) {
    const { headers } = await app.inject({ url, headers: { origin: 'http://evil.example' } })
    assert.match(String(headers['content-security-policy']), /default-src 'self';.*frame-ancestors 'none'/)
    assert.equal(headers['x-content-type-options'], 'nosniff')
    assert.equal(headers['access-control-allow-origin'], undefined)
  }
})

test('what is too large, not JSON or nowhere is answered with a problem', async (t) => {
  const { app, as } = await startApi(t)
  const headers = { ...(await as('admin')), 'content-type': 'application/json' }
  const post = (payload: string, type = 'application/json', url = '/api/extensions') =>
    app.inject({ method: 'POST', url, headers: { ...headers, 'content-type': type }, payload })

  for (const [answer, status, code] of [
    [await post(`{"number":"${'1'.repeat(70_000)}"}`), 413, 'api.too-large'],
    [await post('number=101', 'application/x-www-form-urlencoded'), 415, 'api.unsupported-media-type'],
    [await post('{"number":"101"}', 'text/plain'), 415, 'api.unsupported-media-type'],
    [await post('{"number":'), 400, 'api.invalid'],
    [await post('{}', 'application/json', '/api/nowhere'), 404, 'api.not-found'],
    [await app.inject('/api/%zz'), 400, 'api.invalid'],
    [await app.inject({ method: 'PUT', url: '/' }), 404, 'api.not-found'],
  ] as const) {
    assert.deepEqual([answer.statusCode, answer.json().code], [status, code])
    assert.equal(answer.headers['content-type'], 'application/problem+json')
  }
})

test('a flood from one address is answered 429', async (t) => {
  const { app } = await startApi(t, { settings: { requestsPerMinute: 2 } })
  const ask = (remoteAddress: string) => app.inject({ url: '/health/live', remoteAddress })

  await ask('192.0.2.1')
  await ask('192.0.2.1')
  const third = await ask('192.0.2.1')

  assert.deepEqual([third.statusCode, third.json().code], [429, 'api.too-many-requests'])
  assert.ok(Number(third.headers['retry-after']) > 0)
  assert.equal((await ask('192.0.2.2')).statusCode, 200)
})

test('what fails here is answered 500 without a word about it', async (t) => {
  const { app, as, liveCalls } = await startApi(t)
  const broken = { ...fakeCall({ id: 'a' }), end: () => Promise.reject(new Error('/secret/path')) }
  liveCalls.add(broken)

  const answer = await app.inject({ method: 'DELETE', url: '/api/calls/a', headers: await as('admin') })

  assert.deepEqual([answer.statusCode, answer.json().code], [500, 'api.internal'])
  assert.doesNotMatch(answer.body, /secret/)
})

test('the console: pages are index.html, assets are kept, nothing beside the folder is served', async (t) => {
  let folder: string | undefined
  const api = await startApi(t, { consoleFolder: () => folder })
  const built = join(api.folder, 'dist')
  mkdirSync(join(built, 'assets'), { recursive: true })
  writeFileSync(join(api.folder, 'secret.txt'), 'secret')
  writeFileSync(join(built, '.hidden'), 'secret')
  writeFileSync(join(built, 'index.html'), '<title>console</title>')
  writeFileSync(join(built, 'assets', 'index-abc.js'), 'let a')
  const get = (url: string) => api.app.inject({ url })

  assert.match((await get('/')).body, /being built/)
  folder = built

  for (const url of ['/', '/calls/abc', '/recordings?x=1', '/../secret.txt', '/%2e%2e/secret.txt', '/.hidden']) {
    const page = await get(url)
    assert.deepEqual([url, page.statusCode, page.body], [url, 200, '<title>console</title>'])
    assert.equal(page.headers['cache-control'], 'no-cache')
  }
  const asset = await get('/assets/index-abc.js')
  assert.equal(asset.body, 'let a')
  assert.equal(asset.headers['cache-control'], 'public, max-age=31536000, immutable')
  assert.equal((await get('/assets/index-old.js')).statusCode, 404)
  assert.equal((await get('/api')).statusCode, 404)
})

test('a port in use is said as such', async (t) => {
  const { deps } = await startApi(t)
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  t.after(() => other.close())
  const api = await createApi(deps)
  t.after(() => api.close())

  const { port } = other.address() as AddressInfo
  await assert.rejects(api.listen({ host: '127.0.0.1', port }), { code: 'api.port-in-use' })
})

test('the address that is told can be opened, also when all addresses are listened on', async (t) => {
  const { deps } = await startApi(t)
  const hasIPv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'))
  for (const [host, shown] of [
    ['0.0.0.0', /^http:\/\/127\.0\.0\.1:\d+$/],
    ['::', /^http:\/\/\[::1\]:\d+$/],
  ] as const) {
    if (host === '::' && !hasIPv6) continue
    const api = await createApi(deps)
    t.after(() => api.close())
    assert.match(await api.listen({ host, port: 0 }), shown)
  }
})
