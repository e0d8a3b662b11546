import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SettingsDesk } from '../deps.ts'
import { startApi } from '../test-support.ts'

const outcome = { atMs: 1_000, by: 'api', ok: true, applied: ['rtp.timeout'], waiting: ['sip.ports'] } as const

const deskWith = (changes: Partial<SettingsDesk>): SettingsDesk => ({
  shown: () => ({ settings: { rtp: { timeout: '30s' } }, network: { rtp_timeout: '30s' } }),
  check: (candidate) => ({ valid: 'rtp' in candidate, errors: [], warnings: [], applied: [], waiting: [] }),
  reload: () => Promise.resolve(outcome),
  status: () => ({ enabled: true, watched: true, configFile: '/etc/patchbay.yaml', last: outcome }),
  ...changes,
})

test('settings are shown to operators, checked and read again by administrators', async (t) => {
  const { app, as, keyOf, deps } = await startApi(t, { settingsDesk: deskWith({}) })
  const operator = await keyOf('operator')
  const ask = (method: 'GET' | 'POST', url: string, headers: Record<string, string>, payload?: object) =>
    app.inject({ method, url, headers, ...(payload && { payload }) })
  const shown = (await ask('GET', '/api/config', operator)).json()
  assert.deepEqual(shown, { settings: { rtp: { timeout: '30s' } }, network: { rtp_timeout: '30s' } })
  assert.equal((await ask('GET', '/api/config', await as('viewer'))).statusCode, 403)
  assert.equal((await ask('POST', '/api/config/reload', operator)).statusCode, 403)
  const admin = await as('admin')
  assert.equal((await ask('POST', '/api/config/validate', admin, { rtp: {} })).json().valid, true)
  assert.equal((await ask('POST', '/api/config/validate', admin, [])).statusCode, 400)
  const told = {
    success: true,
    timestamp: '1970-01-01T00:00:01.000Z',
    by: 'api',
    applied: ['rtp.timeout'],
    waiting: ['sip.ports'],
  }
  assert.deepEqual((await ask('POST', '/api/config/reload', admin)).json(), told)
  assert.deepEqual((await ask('GET', '/api/config/reload/status', operator)).json(), {
    enabled: true,
    watching: true,
    config_file: '/etc/patchbay.yaml',
    last_reload: told,
  })
  const [record] = await deps.audit.list({ limit: 1, action: 'settings.reloaded' })
  assert.deepEqual([record?.who, record?.details], ['admin', { applied: ['rtp.timeout'], waiting: ['sip.ports'] }])
})

test('wrong settings are refused with the line that says why, and where they cannot be read again that is said', async (t) => {
  const failed = { ...outcome, ok: false, error: 'RTP_TIMEOUT: "soon" was given; must be …', applied: [], waiting: [] }
  const wrong = await startApi(t, { settingsDesk: deskWith({ reload: () => Promise.resolve(failed) }) })
  const answer = await wrong.app.inject({ method: 'POST', url: '/api/config/reload', headers: await wrong.as('admin') })
  assert.deepEqual([answer.statusCode, answer.json().code], [422, 'api.settings-refused'])
  assert.match(answer.json().detail, /RTP_TIMEOUT/)
  const fixed = await startApi(t, { settingsDesk: deskWith({ reload: () => undefined }) })
  const none = await fixed.app.inject({ method: 'POST', url: '/api/config/reload', headers: await fixed.as('admin') })
  assert.equal(none.json().code, 'api.no-reload')
})
