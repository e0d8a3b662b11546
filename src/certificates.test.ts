import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { daysLeft, watchCertificates } from './certificates.ts'
import { FakeClock } from './core/fake-clock.ts'
import { silentLogger } from './core/logger.ts'
import { TestAuthority } from './net/test-support.ts'
import { TlsIdentity } from './net/tls-identity.ts'

const folder = mkdtempSync(join(tmpdir(), 'patchbay-certificates-'))
after(() => rmSync(folder, { recursive: true }))

test('a certificate that expires within two weeks is warned of once a day, and an expired one is an error', async () => {
  const { cert, key } = new TestAuthority().issueFor(16, 'sip.example.com')
  const [certPath, keyPath] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  writeFileSync(certPath, cert)
  writeFileSync(keyPath, key)
  const identity = new TlsIdentity({ certPath, keyPath, caPath: '', clientAuth: 'none' })
  const clock = new FakeClock(Date.now())
  const said: string[] = []
  const note = (level: string) => (_text: string, fields?: object) =>
    void said.push(`${level} ${(fields as { daysLeft?: number }).daysLeft ?? ''}`.trim())
  const log = { ...silentLogger, warn: note('warn'), error: note('error') }

  const [fact] = identity.certificates
  assert.equal(fact && Math.round(daysLeft(fact, Date.now())), 16)
  const watch = watchCertificates(identity, clock, log)
  const day = async () => {
    for (let look = 0; look < 24; look++) {
      clock.advance(3_600_000)
      // The look asks the file system, which has no clock of ours.
      await identity.reloadIfChanged()
      await new Promise((turn) => setImmediate(turn))
    }
  }
  await day()
  assert.deepEqual(said, [])
  for (let days = 0; days < 16; days++) await day()
  assert.equal(said[0], 'warn 13')
  assert.equal(said.at(-1), 'error')
  assert.ok(said.length >= 14 && said.length <= 17, said.join())
  watch.close()
})
