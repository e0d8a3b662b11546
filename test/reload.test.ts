/** The settings read again by a real server: from its file, by the API, at SIGHUP. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { silentLogger } from '../src/core/logger.ts'
import { loadSettings } from '../src/core/settings/load.ts'
import { startServer } from '../src/main.ts'
import { until } from './support/until.ts'

const adminPassword = 'admin-for-tests-only'

test('a server takes from its file what can change, says what waits, and keeps what it has when the file is wrong', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-reload-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const configFile = join(folder, 'patchbay.yaml')
  const write = (more: string): void =>
    writeFileSync(
      configFile,
      `sip: {host: 127.0.0.1, ports: [0]}
http: {port: 0, adminPassword: ${adminPassword}}
rtp: {portMin: 15000, portMax: 15099, workers: 1}
recording: {dir: ${join(folder, 'recordings')}}
data: {dir: ${join(folder, 'data')}}
reload: {every: 500ms}
${more}`,
    )
  write('')
  const read = () => loadSettings({ env: {}, configFile })
  const server = await startServer({ loaded: read(), again: read, log: silentLogger })
  t.after(() => server.stop())
  const ask = async (path: string, method = 'GET', headers: Record<string, string> = {}) => {
    const answer = await fetch(new URL(path, server.url), { method, headers })
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
  }
  const token = await fetch(new URL('/api/auth/token', server.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: 'admin', password: adminPassword }),
  }).then((answer) => answer.json() as Promise<{ token: string }>)
  const headers = { authorization: `Bearer ${token.token}` }
  const shown = async (): Promise<Record<string, Record<string, unknown>>> =>
    (await ask('/api/config', 'GET', headers)).body['settings'] as Record<string, Record<string, unknown>>

  write('siprec: {askWhenSilent: 60s}\nextensions: [{number: "777", password: "12345678"}]\nmedia: {}\n')
  const refused = await ask('/api/config/reload', 'POST', headers)
  assert.deepEqual([refused.status, refused.body['code']], [422, 'api.settings-refused'])
  assert.equal((await shown())['siprec']?.['askWhenSilent'], '300s')

  write('siprec: {askWhenSilent: 60s}\nextensions: [{number: "777", password: "12345678"}]\nshutdownTimeout: 5s\n')
  await until('the file to be read', 20_000, async () => (await shown())['siprec']?.['askWhenSilent'] === '60s')
  const { body } = await ask('/api/config/reload/status', 'GET', headers)
  const last = body['last_reload'] as Record<string, unknown>
  assert.deepEqual(
    [last['success'], last['by'], last['applied']],
    [true, 'file', ['siprec.askWhenSilent', 'extensions']],
  )
  assert.deepEqual(last['waiting'], ['shutdownTimeout'])
  assert.equal((await ask('/api/extensions/777', 'GET', headers)).status, 200)

  write('siprec: {askWhenSilent: 90s}\n')
  await server.reloadSettings()
  assert.equal((await shown())['siprec']?.['askWhenSilent'], '90s')
})
