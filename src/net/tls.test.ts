/** TLS between two sockets of the loopback interface, with certificates made here. */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect as connectPlain, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { TlsError } from './failures.ts'
import { hostNetwork } from './host-network.ts'
import type { TcpConnection } from './network.ts'
import { TestAuthority, type TestCertificate } from './test-support.ts'
import { type ClientAuth, TlsIdentity } from './tls-identity.ts'
import { withHandshake } from './tls-socket.ts'

const folder = mkdtempSync(join(tmpdir(), 'patchbay-tls-'))
after(() => rmSync(folder, { recursive: true }))

const authority = new TestAuthority()
const loopback = { ip: '127.0.0.1', port: 0 }
let files = 0

function file(text: string): string {
  const path = join(folder, `${++files}.pem`)
  writeFileSync(path, text)
  return path
}

const filesOf = (own: TestCertificate) => ({ certPath: file(own.cert), keyPath: file(own.key) })

function identity(own: TestCertificate | undefined, clientAuth: ClientAuth = 'none', ca = authority.cert): TlsIdentity {
  const [certPath, keyPath] = own ? [file(own.cert), file(own.key)] : ['', '']
  return new TlsIdentity({ certPath, keyPath, caPath: file(ca), clientAuth })
}

/** A server that says back what it hears. */
async function echo(own: TlsIdentity) {
  const heard: string[] = []
  const listener = await hostNetwork.listen(
    loopback,
    (connection) =>
      connection.start({
        data: (chunk) => {
          heard.push(chunk.toString())
          connection.write(chunk)
        },
        closed: () => {},
      }),
    own,
  )
  return { heard, listener, at: listener.local }
}

/** Says `hello` and resolves with what came back, or with why nothing did. */
function hello(connection: TcpConnection): Promise<string> {
  return new Promise((resolve) => {
    connection.start({
      data: (chunk) => {
        resolve(chunk.toString())
        connection.destroy()
      },
      closed: (error) => resolve(`closed: ${error && 'code' in error ? String(error.code) : 'no error'}`),
    })
    connection.write(Buffer.from('hello'))
  })
}

test('bytes written at once arrive after the handshake', async () => {
  const server = await echo(identity(authority.issue('sip.example.com')))
  const towards = { identity: identity(undefined), serverName: 'sip.example.com' }
  assert.equal(await hello(hostNetwork.connect(server.at, towards)), 'hello')
  await server.listener.close()
})

test('a server whose certificate holds another name, or is from an unknown authority, hears nothing (RFC 5922 §7.1)', async () => {
  const server = await echo(identity(authority.issue('sip.example.com', '127.0.0.1')))
  const believing = identity(undefined)
  const strange = identity(undefined, 'none', new TestAuthority().cert)
  const say = (client: TlsIdentity, serverName?: string) =>
    hello(hostNetwork.connect(server.at, { identity: client, serverName }))
  assert.equal(await say(believing, 'sip.example.net'), 'closed: ERR_TLS_CERT_ALTNAME_INVALID')
  assert.match(await say(strange, 'sip.example.com'), /^closed: (UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|SELF_SIGNED)/)
  assert.deepEqual(server.heard, [])
  assert.equal(await say(believing), 'hello', 'the address itself stands in the certificate')
  await server.listener.close()
})

test('a certificate is asked of clients as the setting says', async () => {
  const good = identity(authority.issue('phone.example.com'))
  const wrong = identity(new TestAuthority().issue('phone.example.com'))
  const outcomes: Record<string, string[]> = {}
  for (const clientAuth of ['none', 'request', 'require'] as const) {
    const server = await echo(identity(authority.issue('127.0.0.1'), clientAuth))
    const from = async (client: TlsIdentity) =>
      (await hello(hostNetwork.connect(server.at, { identity: client }))) === 'hello' ? 'heard' : 'refused'
    outcomes[clientAuth] = [await from(good), await from(identity(undefined)), await from(wrong)]
    await server.listener.close()
  }
  assert.deepEqual(outcomes, {
    none: ['heard', 'heard', 'heard'],
    request: ['heard', 'heard', 'refused'],
    require: ['heard', 'refused', 'refused'],
  })
})

test('TLS 1.2 and 1.3 are spoken, 1.1 is not (RFC 8996)', async () => {
  const server = await echo(identity(authority.issue('127.0.0.1')))
  const speak = (version: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3') =>
    new Promise<string>((resolve) => {
      const options = { host: '127.0.0.1', port: server.at.port, ca: authority.cert }
      const ciphers = 'DEFAULT:@SECLEVEL=0'
      const socket = connectTls({ ...options, ciphers, minVersion: version, maxVersion: version }, () => {
        resolve(String(socket.getProtocol()))
        socket.destroy()
      })
      socket.on('error', () => resolve('refused'))
    })
  assert.deepEqual(
    [await speak('TLSv1.1'), await speak('TLSv1.2'), await speak('TLSv1.3')],
    ['refused', 'TLSv1.2', 'TLSv1.3'],
  )
  await server.listener.close()
})

test('a hundred handshakes from one source may be under way; one more is refused until one ends', async () => {
  const server = await echo(identity(authority.issue('127.0.0.1')))
  const silent = Array.from({ length: 100 }, () => connectPlain(server.at.port, '127.0.0.1').on('error', () => {}))
  await Promise.all(silent.map((socket) => new Promise((connected) => socket.once('connect', connected))))
  const say = () => hello(hostNetwork.connect(server.at, { identity: identity(undefined) }))
  assert.match(await say(), /^closed/)
  silent[0]?.destroy()
  let answer = ''
  for (let tries = 0; tries < 100 && answer !== 'hello'; tries++) answer = await say()
  assert.equal(answer, 'hello')
  for (const socket of silent) socket.destroy()
  await server.listener.close()
})

test('who connects and does not finish a handshake in time is closed', async () => {
  const handshakes = withHandshake(identity(authority.issue('127.0.0.1')), () => assert.fail('there was none'), 50)
  const server = createServer(handshakes.begin).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const silent = connectPlain(port, '127.0.0.1')
  const half = connectPlain(port, '127.0.0.1')
  half.write(Buffer.from('160301', 'hex')) // the beginning of a ClientHello
  await Promise.all([silent, half].map((socket) => once(socket.resume(), 'close')))
  handshakes.close()
  server.close()
})

test('a renewed certificate is shown to the next connection; a wrong one changes nothing', async () => {
  const first = authority.issue('127.0.0.1')
  const [certPath, keyPath] = [file(first.cert), file(first.key)]
  const own = new TlsIdentity({ certPath, keyPath, caPath: '', clientAuth: 'none' })
  const server = await echo(own)
  const serial = () =>
    new Promise<string>((resolve) => {
      const socket = connectTls({ host: '127.0.0.1', port: server.at.port, ca: authority.cert }, () => {
        resolve(socket.getPeerCertificate().serialNumber)
        socket.destroy()
      })
    })
  const before = await serial()
  assert.equal(await own.reloadIfChanged(), false)
  assert.equal(await own.reloadIfChanged(), false)

  const second = authority.issue('127.0.0.1', 'more.example.com')
  writeFileSync(certPath, second.cert)
  await assert.rejects(own.reloadIfChanged(), TlsError)
  assert.equal(await serial(), before)
  writeFileSync(keyPath, second.key)
  assert.equal(await own.reloadIfChanged(), true)
  assert.notEqual(await serial(), before)
  await server.listener.close()
})

test('of several certificates the one is shown that holds the name asked for, also after a renewal (RFC 6066 §3)', async () => {
  const [first, second, wild] = [
    authority.issue('a.example'),
    authority.issue('b.example'),
    authority.issue('*.c.example'),
  ]
  const renewed = authority.issue('b.example', 'd.example')
  const others = [filesOf(second), filesOf(wild)]
  const own = new TlsIdentity({ ...filesOf(first), caPath: '', clientAuth: 'none', more: others })
  const server = await echo(own)
  const shownTo = (servername: string) =>
    new Promise<string | undefined>((resolve) => {
      const options = { host: '127.0.0.1', port: server.at.port, ca: authority.cert, servername }
      const socket = connectTls({ ...options, checkServerIdentity: () => undefined }, () => {
        resolve(socket.getPeerCertificate().subjectaltname)
        socket.destroy()
      })
    })
  assert.equal(await shownTo('a.example'), 'DNS:a.example')
  assert.equal(await shownTo('b.example'), 'DNS:b.example')
  assert.equal(await shownTo('x.c.example'), 'DNS:*.c.example')
  assert.equal(await shownTo('other.example'), 'DNS:a.example')
  assert.equal(own.certificates.length, 3)

  await own.reloadIfChanged()
  writeFileSync(others[0]?.certPath ?? '', renewed.cert)
  writeFileSync(others[0]?.keyPath ?? '', renewed.key)
  assert.equal(await own.reloadIfChanged(), true)
  assert.equal(await shownTo('d.example'), 'DNS:b.example, DNS:d.example')
  await server.listener.close()
})

test('files that cannot be used are named in one line', () => {
  const { cert, key } = authority.issue('127.0.0.1')
  const problem = (certPath: string, keyPath: string, caPath = ''): string => {
    try {
      return assert.fail(new TlsIdentity({ certPath, keyPath, caPath, clientAuth: 'none' }).clientAuth)
    } catch (error) {
      assert.ok(error instanceof TlsError)
      return error.message.replaceAll(folder, '')
    }
  }
  const missing = join(folder, 'missing.pem')
  const certFile = file(cert)
  assert.equal(problem(missing, file(key)), '/missing.pem cannot be read: ENOENT')
  assert.match(problem(file('no PEM'), file(key)), /holds no certificate in PEM$/)
  assert.match(problem(certFile, file('no PEM')), /holds no private key in PEM/)
  assert.match(problem(certFile, file(authority.issue('x').key)), /is not the key of the certificate in /)
  assert.match(problem(certFile, file(key), file('no PEM')), /holds no certificate in PEM$/)
})

test('a client is known by the names and the fingerprint of its certificate, and by nothing without one', async () => {
  const client = authority.issue('SBC.example.com', 'sbc2.example.com')
  const own = identity(authority.issue('127.0.0.1'), 'request')
  const accepted: (TcpConnection['certificate'] | 'none')[] = []
  const listener = await hostNetwork.listen(
    { ip: '127.0.0.1', port: 0 },
    (connection) => {
      accepted.push(connection.certificate ?? 'none')
      connection.start({ data: () => connection.destroy(), closed: () => {} })
    },
    own,
  )
  for (const shown of [client, {}]) {
    const at = { host: '127.0.0.1', port: listener.local.port, ca: authority.cert }
    const socket = connectTls({ ...at, ...shown })
    socket.write('x')
    await once(socket, 'close')
  }
  await listener.close()
  const sha256 = new X509Certificate(client.cert).fingerprint256.replaceAll(':', '').toLowerCase()
  assert.deepEqual(accepted, [{ names: ['sbc.example.com', 'sbc2.example.com'], sha256 }, 'none'])
})
