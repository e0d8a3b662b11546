import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LiveSettings } from './core/settings/live.ts'
import { loadSettings } from './core/settings/load.ts'
import { createSettingsDesk } from './settings-desk.ts'

const env = {
  MEDIA_WORKERS: '1',
  PATCHBAY_ADMIN_PASSWORD: 'hush-hush-hush',
  AUTH_JWT_SECRET: 's'.repeat(32),
  PORTS: '5070',
}

function desk() {
  const loaded = loadSettings({ env })
  return createSettingsDesk({ live: new LiveSettings(loaded.settings), loaded, reload: undefined, env })
}

test('settings are shown in both shapes, durations as people write them, and no secret', () => {
  const shown = desk().shown() as Record<string, Record<string, unknown>>
  assert.deepEqual(shown['network']?.['ports'], [5070])
  assert.equal(shown['network']?.['rtp_timeout'], '30s')
  assert.equal(shown['http']?.['port'], 8080)
  assert.equal(shown['recording']?.['directory'], './recordings')
  assert.equal(shown['logging']?.['level'], 'info')
  assert.equal(shown['resources']?.['max_concurrent_calls'], 500)
  const text = JSON.stringify(shown)
  assert.ok(!text.includes('hush-hush-hush') && !text.includes('s'.repeat(32)))
  assert.equal((shown['settings']?.['http'] as { adminPassword?: string } | undefined)?.adminPassword, '********')
})

test('what is shown can be checked as it is, and changes nothing', () => {
  const { shown, check } = desk()
  const { settings } = shown()
  const { http, ...others } = settings as { http: Record<string, unknown> }
  const { adminPassword: _, jwtSecret: __, ...rest } = http
  assert.deepEqual(check({ ...others, http: rest }), {
    valid: true,
    errors: [],
    warnings: [],
    applied: [],
    waiting: [],
  })
})

test('a candidate says what would be in force at once, what would wait, and what is not supported', () => {
  const { check } = desk()
  const candidate = { network: { rtp_timeout: '45s' }, http: { port: 9090 }, pii: { enabled: true } }
  assert.deepEqual(check(candidate), {
    valid: true,
    errors: [],
    warnings: ['PII_DETECTION_ENABLED: personal data in speech is not found or masked yet'],
    applied: ['rtp.timeout'],
    waiting: ['http.port'],
  })
  assert.deepEqual(candidate.network, { rtp_timeout: '45s' }, 'the candidate stays as it was')
  const wrong = check({ network: { rtp_timeout: 'soon' } })
  assert.equal(wrong.valid, false)
  assert.match(wrong.errors[0] ?? '', /rtp\.timeout: "soon" was given/)
})
