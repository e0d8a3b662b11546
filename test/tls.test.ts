/** The whole server over TLS: its certificate is renewed while it runs. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { connect } from 'node:tls'
import { TestAuthority } from '../src/net/test-support.ts'
import { startTestServer } from './support/in-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'patchbay-tls-server-'))
after(() => rmSync(folder, { recursive: true }))
const authority = new TestAuthority()
const path = (name: string): string => join(folder, name)
writeFileSync(path('ca'), authority.cert)

function renew(): void {
  const { cert, key } = authority.issue('127.0.0.1')
  writeFileSync(path('cert'), cert)
  writeFileSync(path('key'), key)
}
renew()

const tls = {
  'tls.enable': true,
  'tls.port': 0,
  'tls.certPath': path('cert'),
  'tls.keyPath': path('key'),
  'tls.caFile': path('ca'),
}

test('a certificate is renewed while the server runs', async (t) => {
  const server = await startTestServer(tls)
  t.after(() => server.close())
  const port = server.running.sip.find(({ transport }) => transport === 'tls')?.port ?? 0
  const serial = () =>
    new Promise<string>((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port, ca: authority.cert }, () => {
        resolve(socket.getPeerCertificate().serialNumber)
        socket.destroy()
      }).on('error', reject)
    })
  const before = await serial()
  renew()
  server.running.reloadCertificates()
  const renewed = await serial()
  assert.notEqual(renewed, before)
  writeFileSync(path('key'), 'no key')
  server.running.reloadCertificates()
  assert.equal(await serial(), renewed, 'a fault changes nothing')
})
