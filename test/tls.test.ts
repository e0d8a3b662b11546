/** The whole server over TLS: a trunk reached by it, and a certificate renewed while it runs. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { connect } from 'node:tls'
import { systemClock } from '../src/core/clock.ts'
import { silentLogger } from '../src/core/logger.ts'
import { TestAuthority } from '../src/net/test-support.ts'
import { TlsIdentity } from '../src/net/tls-identity.ts'
import { createSipStack } from '../src/sip/stack.ts'
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
  renew()
})

test('a call goes out by a trunk that speaks TLS', async (t) => {
  const files = { certPath: path('cert'), keyPath: path('key'), caPath: path('ca'), clientAuth: 'none' } as const
  const carrier = await createSipStack({
    clock: systemClock,
    log: silentLogger,
    tls: new TlsIdentity(files),
    listen: [{ transport: 'tls', ip: '127.0.0.1', port: 0 }],
  })
  t.after(() => carrier.close())
  const seen: string[] = []
  carrier.on('invite', (invite) => {
    seen.push(`${invite.flow.transport} ${invite.request.uri.split('@')[0]}`)
    invite.reject(486)
  })
  const trunk = { name: 'carrier', host: '127.0.0.1', port: carrier.listening[0]?.port, transport: 'tls' }
  const server = await startTestServer({ ...tls, trunks: [{ ...trunk, outbound: [{ prefix: '0' }] }] })
  t.after(() => server.close())
  const phone = await server.phone('101')
  await phone.call('0555').outcome
  assert.deepEqual(seen, ['tls sip:0555'])
})
