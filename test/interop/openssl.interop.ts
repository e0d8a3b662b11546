/**
 * DTLS with OpenSSL's command line at the other end, as client and as server, with certificates of both kinds and in pieces
 * of 400 bytes: both sides export the same keys of SRTP.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { systemClock } from '../../src/core/clock.ts'
import { DtlsConnection } from '../../src/dtls/connection.ts'
import type { DtlsKeys } from '../../src/dtls/conversation.ts'
import { fingerprintOf } from '../../src/dtls/identity.ts'
import { ownCertificate } from '../../src/dtls/test-support.ts'
import { freePort } from '../support/free-port.ts'
import { needs, startProgram } from '../support/program.ts'
import { until } from '../support/until.ts'

/** Keys and salts of AEAD_AES_128_GCM for both directions (RFC 5764 §4.2, RFC 7714 §12). */
const exportedBytes = 2 * (16 + 12)

let folder: string
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'patchbay-openssl-'))
})
after(() => rmSync(folder, { recursive: true, force: true }))

function newCertificate(kind: 'ec' | 'rsa') {
  const [cert, key] = [join(folder, `${kind}.pem`), join(folder, `${kind}-key.pem`)]
  const of = kind === 'ec' ? ['ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'] : ['rsa:2048']
  const files = ['-keyout', key, '-out', cert, '-subj', '/CN=peer', '-days', '2']
  execFileSync('openssl', ['req', '-x509', '-newkey', ...of, '-nodes', ...files], { stdio: 'ignore' })
  return { cert, key, fingerprint: fingerprintOf(new X509Certificate(readFileSync(cert)).raw) }
}

async function boundSocket(): Promise<Socket> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return socket
}

/** Client key, server key, client salt, server salt. */
function exported(keys: DtlsKeys, role: 'client' | 'server'): string {
  const [client, server] = role === 'client' ? [keys.send, keys.receive] : [keys.receive, keys.send]
  const parts = [client, server].map(({ master }) => Buffer.from(master))
  return Buffer.concat([...parts.map((all) => all.subarray(0, 16)), ...parts.map((all) => all.subarray(16))])
    .toString('hex')
    .toUpperCase()
}

for (const kind of ['ec', 'rsa'] as const)
  for (const role of ['client', 'server'] as const)
    test(`we are the ${role}, OpenSSL has a certificate of kind ${kind}`, needs('openssl'), async (t) => {
      const peer = newCertificate(kind)
      const socket = await boundSocket()
      const agreed: DtlsKeys[] = []
      const connection = new DtlsConnection({
        role,
        own: ownCertificate(),
        peer: [peer.fingerprint],
        proven: false,
        clock: systemClock,
        send: (datagram, to) => socket.send(datagram, to.port, to.ip),
        agreed: (keys) => agreed.push(keys),
        failed: (why) => assert.fail(why),
      })
      socket.on('message', (bytes, from) => connection.receive(bytes, { ip: from.address, port: from.port }))
      const port = await freePort()
      const options = ['-dtls1_2', '-mtu', '400', '-cert', peer.cert, '-key', peer.key]
      const keys = ['-keymatexport', 'EXTRACTOR-dtls_srtp', '-keymatexportlen', String(exportedBytes)]
      const srtp = ['-use_srtp', 'SRTP_AEAD_AES_128_GCM']
      const command =
        role === 'server'
          ? ['s_client', '-connect', `127.0.0.1:${socket.address().port}`]
          : ['s_server', '-accept', `127.0.0.1:${port}`, '-verify', '1', '-listen']
      const openssl = startProgram('openssl', [...command, ...options, ...srtp, ...keys], {
        timeoutMs: 30_000,
        reads: true,
      })
      t.after(async () => {
        connection.close()
        await openssl.stop()
        socket.close()
      })
      // Until it listens nobody hears our hello, which is sent again.
      connection.start({ ip: '127.0.0.1', port })
      const theirs = await until('OpenSSL to export its keys', 15_000, () =>
        agreed.length > 0 ? /Keying material: ([0-9A-F]+)/.exec(openssl.output())?.[1] : undefined,
      )
      const [ours] = agreed
      assert.ok(ours)
      assert.equal(theirs, exported(ours, role))
    })
