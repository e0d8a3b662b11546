import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { silentLogger } from './core/logger.ts'
import { loadSettings, SettingsError } from './core/settings/load.ts'
import { httpsIdentity } from './https-identity.ts'
import { startServer } from './main.ts'
import { TestAuthority } from './net/test-support.ts'
import { StartError } from './start-error.ts'

const settingsOf = (env: Record<string, string>) => loadSettings({ env: { MEDIA_WORKERS: '1', ...env } })

test('HTTPS wants both files, and each that cannot be used ends the start with a line that names it', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-https-'))
  t.after(() => rmSync(folder, { recursive: true }))
  assert.throws(() => settingsOf({ HTTP_TLS_ENABLED: 'true' }), SettingsError)
  const file = join(folder, 'none.pem')
  const env = { HTTP_TLS_ENABLED: 'true', HTTP_TLS_CERT_FILE: file, HTTP_TLS_KEY_FILE: file }
  const read = httpsIdentity(settingsOf(env).settings) ?? assert.fail()
  assert.throws(read, { name: StartError.name, message: /^HTTP_TLS_CERT_FILE: .*none\.pem cannot be read/ })
  writeFileSync(file, 'no certificate')
  assert.throws(read, { name: StartError.name, message: /^HTTP_TLS_CERT_FILE, HTTP_TLS_KEY_FILE: / })
  assert.equal(httpsIdentity(settingsOf({}).settings), undefined)
})

test('the API answers by HTTPS, and by a renewed certificate when the settings are read again', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-https-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const authorities = [new TestAuthority(), new TestAuthority()] as const
  const write = (authority: TestAuthority): void => {
    const { cert, key } = authority.issue('127.0.0.1')
    writeFileSync(join(folder, 'cert.pem'), cert)
    writeFileSync(join(folder, 'key.pem'), key)
  }
  write(authorities[0])
  const read = () =>
    settingsOf({
      SIP_HOST: '127.0.0.1',
      PORTS: '0',
      HTTP_PORT: '0',
      RTP_PORT_MIN: '15200',
      RTP_PORT_MAX: '15299',
      DATA_DIR: join(folder, 'data'),
      RECORDING_DIR: join(folder, 'recordings'),
      MASTER_KEY_PATH: join(folder, 'keys'),
      PATCHBAY_ADMIN_PASSWORD: 'admin-for-tests-only',
      HTTP_TLS_ENABLED: 'true',
      HTTP_TLS_CERT_FILE: join(folder, 'cert.pem'),
      HTTP_TLS_KEY_FILE: join(folder, 'key.pem'),
    })
  const server = await startServer({ loaded: read(), again: read, log: silentLogger })
  t.after(() => server.stop())
  const statusBy = ({ cert }: TestAuthority): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const asked = request(new URL('/health/live', server.url), { ca: cert, agent: false }, (answer) => {
        answer.resume()
        resolve(answer.statusCode)
      })
      asked.on('error', reject)
      asked.end()
    })
  assert.match(server.url, /^https:/)
  assert.equal(await statusBy(authorities[0]), 200)
  write(authorities[1])
  await server.reloadSettings()
  assert.equal(await statusBy(authorities[1]), 200)
  await assert.rejects(statusBy(authorities[0]))
})
