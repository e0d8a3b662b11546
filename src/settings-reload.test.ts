import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AuditEntry } from './audit/types.ts'
import { FakeClock } from './core/fake-clock.ts'
import { silentLogger } from './core/logger.ts'
import { LiveSettings } from './core/settings/live.ts'
import { loadSettings } from './core/settings/load.ts'
import { FactBus } from './events/bus.ts'
import type { Fact } from './events/catalogue.ts'
import { SettingsReload } from './settings-reload.ts'
import { StartError } from './start-error.ts'

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
}

function world(env: Record<string, string> = {}) {
  const clock = new FakeClock()
  const bus = new FactBus()
  const facts: Fact[] = []
  bus.onAny((fact) => facts.push(fact))
  const audited: AuditEntry[] = []
  const given: Record<string, string> = { MEDIA_WORKERS: '1', ...env }
  const live = new LiveSettings(loadSettings({ env: given }).settings)
  const done: string[] = []
  const file = { seen: 'one' as string | undefined }
  const reload = new SettingsReload({
    live,
    read: () => loadSettings({ env: given }),
    check: ({ recording }) => {
      if (recording.dir === 'nowhere') throw new StartError('there is no such folder')
    },
    also: [() => void done.push('extensions'), async () => void done.push('certificates')],
    configFile: 'patchbay.yaml',
    clock,
    bus,
    log: silentLogger,
    audit: { record: (entry) => Promise.resolve(audited.push(entry) as never) },
    look: () => Promise.resolve(file.seen),
  })
  const pass = async (): Promise<void> => {
    clock.advance(2_000)
    await turns()
  }
  return { clock, live, given, facts, audited, done, file, reload, pass }
}

test('a change of the file is taken when the file has stood still, once', async () => {
  const { given, live, facts, file, pass, audited, done, reload } = world()
  await turns()
  given['RTP_TIMEOUT'] = '45s'
  given['PORTS'] = '5070'
  await pass()
  assert.equal(live.now.rtp.timeout, 30_000, 'the file is the same')
  file.seen = 'two'
  await pass()
  assert.equal(live.now.rtp.timeout, 30_000, 'it may still be written')
  await pass()
  await pass()
  assert.equal(live.now.rtp.timeout, 45_000)
  const change = { by: 'file', applied: ['rtp.timeout'], waiting: ['sip.ports'] }
  assert.deepEqual(facts, [{ name: 'server.settings-changed', atMs: facts[0]?.atMs, ...change }])
  assert.deepEqual(audited, [{ who: 'server', via: 'server', action: 'settings.reloaded', details: change }])
  assert.deepEqual(done, ['extensions', 'certificates'])
  assert.equal(reload.last?.ok, true)
})

test('a wrong file changes nothing, is told once, and the right one after it is taken', async () => {
  const { given, live, facts, file, pass, reload } = world()
  await turns()
  given['RTP_TIMEOUT'] = 'soon'
  given['LOG_LEVEL'] = 'debug'
  file.seen = 'two'
  for (let looks = 0; looks < 4; looks++) await pass()
  assert.equal(live.now.log.level, 'info')
  assert.deepEqual(
    facts.map((fact) => fact.name),
    ['server.settings-refused'],
  )
  assert.match(reload.last?.error ?? '', /^RTP_TIMEOUT: "soon" was given/)
  given['RTP_TIMEOUT'] = '45s'
  file.seen = 'three'
  for (let looks = 0; looks < 2; looks++) await pass()
  assert.deepEqual([live.now.rtp.timeout, live.now.log.level], [45_000, 'debug'])
})

test('a file that is away for a moment is not taken for a change', async () => {
  const { file, facts, pass } = world()
  await turns()
  file.seen = undefined
  for (let looks = 0; looks < 3; looks++) await pass()
  file.seen = 'one'
  for (let looks = 0; looks < 3; looks++) await pass()
  assert.deepEqual(facts, [])
})

test('nobody looks at the file when that is switched off, and nobody after the end', async () => {
  const off = world({ CONFIG_HOTRELOAD_ENABLED: 'false' })
  await turns()
  assert.equal(off.clock.pendingTimers, 0)
  assert.equal(off.reload.watched, undefined)
  assert.equal((await off.reload.reload('signal')).ok, true)
  const on = world()
  await turns()
  on.reload.close()
  assert.equal(on.clock.pendingTimers, 0)
})

test('what the API asked for the API records', async () => {
  const { reload, given, audited } = world()
  given['RTP_TIMEOUT'] = '45s'
  assert.deepEqual((await reload.reload('api')).applied, ['rtp.timeout'])
  assert.deepEqual(audited, [])
})

test('what a setting leads to is looked at before anything changes', async () => {
  const { reload, given, live, done } = world()
  given['RECORDING_DIR'] = 'nowhere'
  given['RTP_TIMEOUT'] = '45s'
  const outcome = await reload.reload('signal')
  assert.deepEqual([outcome.ok, outcome.error], [false, 'there is no such folder'])
  assert.equal(live.now.rtp.timeout, 30_000)
  assert.deepEqual(done, [])
})

test('a step that fails is told, and the next reload runs', async () => {
  const { reload, done } = world()
  const failing = { calls: 0 }
  done.push = () => {
    failing.calls++
    throw new Error('the directory is away')
  }
  assert.match((await reload.reload('signal')).error ?? '', /directory is away/)
  assert.equal((await reload.reload('signal')).ok, false)
  assert.equal(failing.calls, 2)
})
