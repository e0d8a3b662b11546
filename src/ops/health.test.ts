import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { FakeClock } from '../core/fake-clock.ts'
import { folderHasRoom, folderIsWritable, Health, type HealthCheck, workersRun } from './health.ts'
import { formatUptime } from './uptime.ts'

function start(check: HealthCheck): { clock: FakeClock; health: Health } {
  const clock = new FakeClock()
  const health = new Health({ version: '1', clock, checks: { it: check }, activeCalls: () => 0, portsInUse: () => 0 })
  return { clock, health }
}

test('checks run at most once a second, however often strangers ask', async () => {
  let runs = 0
  const { clock, health } = start(() => {
    runs += 1
    return Promise.resolve()
  })
  await Promise.all([health.report(), health.report()])
  clock.advance(999)
  await health.report()
  assert.equal(runs, 1)
  clock.advance(1)
  await health.report()
  assert.equal(runs, 2)
})

test('a check that does not answer within two seconds has failed', async () => {
  const { clock, health } = start(() => new Promise(() => {}))
  const report = health.report()
  clock.advance(2_000)
  assert.deepEqual((await report).checks, { it: { status: 'unhealthy', message: 'no answer within 2 s' } })
})

test('a check that passes may say a word about it', async () => {
  const { health } = start(() => Promise.resolve('3 wait, 1 run'))
  const { status, checks } = await health.report()
  assert.deepEqual([status, checks], ['healthy', { it: { status: 'healthy', message: '3 wait, 1 run' } }])
})

test('no timer is left when a check has answered', async () => {
  const { clock, health } = start(() => Promise.reject(new Error('no')))
  assert.equal((await health.report()).status, 'unhealthy')
  await Promise.resolve()
  assert.equal(clock.pendingTimers, 0)
})

test('a folder for recordings that is not there yet is made; one that cannot be is said as such', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-health-'))
  t.after(() => rmSync(folder, { recursive: true }))
  await folderIsWritable(join(folder, 'a', 'b'))()
  assert.equal(statSync(join(folder, 'a', 'b')).mode & 0o777, 0o700)
  await assert.rejects(folderIsWritable('/dev/null/recordings')(), { code: 'ENOTDIR' })
})

test('a disk that is nearly full is said before recordings fail', async () => {
  await folderHasRoom(tmpdir(), 1)()
  await assert.rejects(folderHasRoom(tmpdir(), 2 ** 60)(), /^Error: the disk is nearly full: \d+ MiB are left$/)
})

test('a media thread that stands still, or is missing, for five seconds is said', async () => {
  const running = { worker: 0, state: 'running', downMs: 0 } as const
  await workersRun(() => [running, { worker: 1, state: 'stalled', downMs: 4_500 }])()
  const message = 'media thread 1 is stalled for 5 s; media thread 2 is lost for 7 s'
  const down = [
    { worker: 1, state: 'stalled', downMs: 5_000 },
    { worker: 2, state: 'lost', downMs: 7_400 },
  ] as const
  await assert.rejects(workersRun(() => [running, ...down])(), { message })
})

test('uptime is short', () => {
  assert.deepEqual([0, 59, 60, 3_600, 90_061].map(formatUptime), ['0s', '59s', '1m0s', '1h0m0s', '25h1m1s'])
})
