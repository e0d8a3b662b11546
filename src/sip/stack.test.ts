/** The stack on real sockets of the loopback interface. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { until } from '../../test/support/until.ts'
import { systemClock } from '../core/clock.ts'
import { silentLogger } from '../core/logger.ts'
import { DigestVerifier, digestHashes } from './auth/digest.ts'
import { SipError } from './dialog/failures.ts'
import { type CountedSipStack, createSipStack, type SipStackOptions } from './stack.ts'

const both = (ip: string) =>
  [
    { transport: 'udp', ip, port: 0 },
    { transport: 'tcp', ip, port: 0 },
  ] as const

const open = (options: Partial<SipStackOptions> = {}): Promise<CountedSipStack> =>
  createSipStack({ clock: systemClock, log: silentLogger, listen: both('127.0.0.1'), ...options })

const portOf = (stack: CountedSipStack): number => stack.listening[0]?.port ?? 0

test('port 0 gives UDP and TCP the same free number', async () => {
  const stack = await open()
  const [udp, tcp] = stack.listening
  assert.ok(udp && udp.port > 0)
  assert.equal(tcp?.port, udp.port)
  await stack.close()
})

test('an address in use ends the start with sip.cannot-listen', async () => {
  const first = await open()
  const port = portOf(first)
  await assert.rejects(
    open({ listen: [{ transport: 'udp', ip: '127.0.0.1', port }] }),
    (error) => error instanceof SipError && error.code === 'sip.cannot-listen',
  )
  await first.close()
})

for (const [ip, transport] of [
  ['127.0.0.1', 'udp'],
  ['127.0.0.1', 'tcp'],
  ['::1', 'udp'],
  ['::1', 'tcp'],
] as const) {
  test(`a call over ${transport} and ${ip}: ring, answer, re-INVITE, BYE`, async () => {
    const caller = await open({ listen: both(ip) })
    const callee = await open({ listen: both(ip) })
    const host = ip === '::1' ? '[::1]' : ip
    const seen: string[] = []
    callee.on('invite', (invite) => {
      invite.ring(180)
      const dialog = invite.answer({ body: 'v=0\r\n', contentType: 'application/sdp' })
      dialog.on('request', (incoming) => {
        seen.push(incoming.request.method)
        incoming.respond(200)
      })
      dialog.on('ended', (end) => seen.push(end.by))
    })
    const ringing: number[] = []
    const outcome = await caller.invite({
      target: { uri: `sip:102@${host}:${portOf(callee)};transport=${transport}` },
      from: `<sip:101@${host}>`,
      to: `<sip:102@${host}>`,
      onProvisional: (response) => ringing.push(response.status),
    }).outcome
    assert.ok(outcome.answered)
    assert.equal(outcome.dialog.flow.transport, transport)
    assert.deepEqual(ringing, [180])
    assert.equal((await outcome.dialog.request('INVITE')).status, 200)
    await outcome.dialog.bye()
    assert.deepEqual(seen, ['INVITE', 'remote'])
    assert.deepEqual([caller.counts().dialogs, callee.counts().dialogs], [0, 0])
    await caller.close()
    await callee.close()
    assert.deepEqual(callee.counts(), { dialogs: 0, transactions: 0, connections: 0 })
  })
}

test('a REGISTER answers its challenge with the next CSeq and the same Call-ID; the 401 leaves no state', async () => {
  const verifier = new DigestVerifier({ realm: 'patchbay', clock: systemClock })
  const hashes = digestHashes('101', 'patchbay', 'secret')
  const seen: string[] = []
  const transactionsAtChallenge: number[] = []
  const server = await open({
    guard: (request) => {
      seen.push(`${request.headers.get('CSeq')} ${request.headers.get('Call-ID')}`)
      const header = request.headers.get('Authorization')
      const { method, uri: requestUri, body } = request
      const result = verifier.verify({ header, method, requestUri, body, hashesOf: () => hashes })
      if (result.ok) return 'pass'
      transactionsAtChallenge.push(server.counts().transactions)
      return { status: 401, headers: { 'WWW-Authenticate': verifier.challenges() } }
    },
  })
  server.on('request', (incoming) => incoming.respond(200, { headers: { Expires: '60' } }))
  const phone = await open()
  const register = (password: string) =>
    phone.request('REGISTER', {
      target: { uri: `sip:127.0.0.1:${portOf(server)}` },
      from: '<sip:101@patchbay>',
      to: '<sip:101@patchbay>',
      callId: password,
      credentials: { username: '101', password },
    })
  const response = await register('secret')
  assert.equal(response.status, 200)
  assert.equal(response.headers.get('Expires'), '60')
  assert.deepEqual(seen, ['1 REGISTER secret', '2 REGISTER secret'])
  assert.deepEqual(transactionsAtChallenge, [0])
  assert.equal((await register('wrong')).status, 401)
  await phone.close()
  await server.close()
})

test('strangers by the thousand who are turned away leave nothing behind', async () => {
  const server = await open({ guard: () => ({ status: 401 }) })
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  let answers = 0
  socket.on('message', () => answers++)
  const flood = 2_000
  for (let n = 0; n < flood; n++) {
    const text =
      `INVITE sip:900@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:1;rport;branch=z9hG4bK${n}\r\nFrom: <sip:${n}@x>;tag=${n}\r\n` +
      `To: <sip:900@x>\r\nCall-ID: ${n}\r\nCSeq: 1 INVITE\r\nContact: <sip:x@127.0.0.1>\r\nContent-Length: 0\r\n\r\n`
    socket.send(text, portOf(server), '127.0.0.1')
    if (n % 50 === 0) await new Promise((go) => setImmediate(go))
  }
  await until('all to be turned away', 10_000, () => server.counters.guarded === flood, 5)
  assert.deepEqual(server.counts(), { dialogs: 0, transactions: 0, connections: 0 })
  assert.ok(answers > 0)
  socket.close()
  await server.close()
})

test('a connection to a port nobody listens on fails the request with 503 at once', async () => {
  const stack = await open()
  const response = await stack.request('OPTIONS', {
    target: { uri: 'sip:127.0.0.1:1;transport=tcp' },
    from: '<sip:a@x>',
    to: '<sip:b@x>',
  })
  assert.equal(response.status, 503)
  assert.equal(stack.counts().connections, 0)
  await stack.close()
})

test('garbage over TCP closes that connection and no other', async () => {
  const stack = await open()
  stack.on('request', (incoming) => incoming.respond(200))
  const good = connect(portOf(stack), '127.0.0.1')
  const bad = connect(portOf(stack), '127.0.0.1')
  await Promise.all([once(good, 'connect'), once(bad, 'connect')])
  bad.on('error', () => {})
  bad.resume()
  bad.write(Buffer.alloc(70_000, 'x'))
  await once(bad, 'close')
  good.write('\r\n\r\n')
  assert.equal(String((await once(good, 'data'))[0]), '\r\n')
  good.write(
    'OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:1;branch=z9hG4bK1\r\nFrom: <sip:a@x>;tag=1\r\nTo: <sip:b@x>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n',
  )
  assert.match(String((await once(good, 'data'))[0]), /^SIP\/2\.0 200 /)
  good.destroy()
  await stack.close()
})
