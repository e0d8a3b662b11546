import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { changedAtOnce, LiveSettings } from './live.ts'
import { loadSettings, settingLeaves } from './load.ts'

const settingsOf = (env: Record<string, string>) => loadSettings({ env: { MEDIA_WORKERS: '1', ...env } }).settings

test('what can change at once is in force, what cannot keeps the value that is in force and is named', () => {
  const live = new LiveSettings(settingsOf({}))
  const change = live.change(settingsOf({ RTP_TIMEOUT: '45s', PORTS: '5070', LOG_LEVEL: 'debug' }))
  assert.deepEqual(change, { applied: ['rtp.timeout', 'log.level'], waiting: ['sip.ports'] })
  assert.equal(live.now.rtp.timeout, 45_000)
  assert.deepEqual(live.now.sip.ports, [5060])
})

test('what waits is named again each time, and no more when it is taken back', () => {
  const live = new LiveSettings(settingsOf({}))
  live.change(settingsOf({ PORTS: '5070' }))
  assert.deepEqual(live.change(settingsOf({ PORTS: '5070' })), { applied: [], waiting: ['sip.ports'] })
  assert.deepEqual(live.change(settingsOf({})), { applied: [], waiting: [] })
})

test('looking changes nothing', () => {
  const live = new LiveSettings(settingsOf({}))
  assert.deepEqual(live.compare(settingsOf({ RTP_TIMEOUT: '45s' })).applied, ['rtp.timeout'])
  assert.equal(live.now.rtp.timeout, 30_000)
})

test('each path that changes at once is a setting', () => {
  const paths = new Set([...settingLeaves().map(({ path }) => path.join('.')), 'extensions'])
  assert.deepEqual(
    [...changedAtOnce].filter((path) => !paths.has(path)),
    [],
  )
})

test('docs/configuration.md names each variable that changes at once', () => {
  const page = readFileSync(new URL('../../../docs/configuration.md', import.meta.url), 'utf8')
  const [, told = ''] = /In force at once: ([^]*?)\n\n/.exec(page) ?? []
  const names = settingLeaves().filter(({ path }) => changedAtOnce.has(path.join('.')))
  assert.deepEqual(
    names.map(({ env }) => env).filter((env) => !told.includes(`\`${env}\``) && !env.startsWith('OPUS_')),
    [],
  )
})
