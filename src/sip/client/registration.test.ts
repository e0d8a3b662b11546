import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DigestVerifier, digestHashes } from '../auth/digest.ts'
import { calleeIp, callerIp, pair, settle, turn } from '../dialog/test-support.ts'
import type { SipRequest } from '../message/types.ts'
import type { Answer, IncomingRequest } from '../stack.types.ts'
import type { RegistrationOptions, RegistrationState } from './registration.types.ts'

/** A registrar that answers by a script; the last answer stays. What it was asked is kept. */
async function registrar(network: { loss?: number; duplicates?: number; seed?: number } = {}) {
  const net = await pair({ network })
  const asked: { readonly atMs: number; readonly request: SipRequest; readonly incoming: IncomingRequest }[] = []
  const script: ((incoming: IncomingRequest) => void)[] = []
  let latest = ok()
  net.callee.on('request', (incoming) => {
    asked.push({ atMs: net.clock.now(), request: incoming.request, incoming })
    latest = script.shift() ?? latest
    latest(incoming)
  })
  const register = (more: Partial<RegistrationOptions> = {}) => {
    const registration = net.caller.register({
      registrar: `sip:${calleeIp}`,
      aor: 'sip:alice@example.com',
      ...more,
    })
    const states: RegistrationState[] = []
    registration.on('changed', (state) => states.push(state))
    return { registration, states }
  }
  const expires = () => asked.map(({ request }) => request.headers.get('Expires'))
  return { ...net, asked, script, register, expires }
}

const answer =
  (status: number, more: Answer = {}) =>
  (incoming: IncomingRequest) =>
    incoming.respond(status, more)

/** 200 with the Contact as it came. */
const ok =
  (more: Record<string, string> = {}, params = ';expires=3600') =>
  (incoming: IncomingRequest) =>
    incoming.respond(200, { headers: { Contact: `${incoming.request.headers.get('Contact')}${params}`, ...more } })

test('an address is registered, and refreshed before it expires with the next CSeq of the same Call-ID', async () => {
  const { asked, register, run, clock } = await registrar()
  const { registration } = register()
  await run(100)
  const state = registration.state
  assert.ok(state.is === 'registered')
  assert.equal(state.contact, `sip:alice@${callerIp}:5060`)
  assert.equal(Math.round((state.untilMs - clock.wallMs()) / 1000), 3_600)

  await turn(clock, 3_600_000, 1_000)

  assert.equal(asked.length, 2)
  const [first, second] = asked
  assert.ok((second?.atMs ?? 0) > 3_300_000 && (second?.atMs ?? 0) < 3_500_000)
  assert.equal(first?.request.headers.get('Call-ID'), second?.request.headers.get('Call-ID'))
  assert.deepEqual(
    asked.map(({ request }) => request.headers.get('CSeq')),
    ['1 REGISTER', '2 REGISTER'],
  )
})

test('what the registrar grants counts, not what was asked for', async () => {
  const { asked, register, clock, script } = await registrar()
  script.push(ok({}, ';expires=60'))
  register()
  await turn(clock, 70_000, 500)
  assert.ok(asked.length >= 3, 'half of a short registration')
})

test('a registration that is too short is asked for again, longer, at once and from then on (423)', async () => {
  const { register, script, expires, run, clock } = await registrar()
  script.push(answer(423, { headers: { 'Min-Expires': '1800' } }), ok({}, ';expires=1800'))
  const { registration } = register({ expiresS: 60 })
  await run(100)
  assert.equal(registration.state.is, 'registered')
  await turn(clock, 1_790_000, 1_000)
  assert.deepEqual(expires(), ['60', '1800', '1800'])
})

test('a challenge is answered, and once more when only its nonce was old', async () => {
  const net = await pair()
  const digest = new DigestVerifier({ realm: 'r', clock: net.clock })
  const hashes = digestHashes('alice', 'r', 'secret')
  let asked = 0
  net.callee.on('request', (incoming) => {
    const { headers, method, uri } = incoming.request
    const verdict = digest.verify({
      header: headers.all('Authorization'),
      method,
      requestUri: uri,
      hashesOf: () => hashes,
    })
    if (++asked === 2 || !verdict.ok)
      return incoming.respond(401, { headers: { 'WWW-Authenticate': digest.challenges({ stale: asked === 2 }) } })
    ok()(incoming)
  })
  const registration = net.caller.register({
    registrar: `sip:${calleeIp}`,
    aor: 'sip:alice@example.com',
    credentials: { username: 'alice', password: 'secret' },
  })
  await net.run(200)
  assert.equal(registration.state.is, 'registered')
  assert.equal(asked, 3)
})

test('a wrong password is tried once a round, more and more seldom, and never given up (RFC 5626 §4.5)', async () => {
  const { asked, register, script, clock, run } = await registrar()
  script.push(answer(403))
  const { registration } = register()
  await run(100)
  const state = registration.state
  assert.ok(state.is === 'failed')
  assert.equal(state.status, 403)
  assert.ok(state.retryAtMs - clock.wallMs() >= 59_000)

  await turn(clock, 12 * 3_600_000, 10_000)
  const rounds = asked.length
  assert.ok(rounds > 20 && rounds < 60, String(rounds))

  script.push(ok())
  await turn(clock, 1_900_000, 10_000)
  assert.equal(registration.state.is, 'registered')
})

test('a registrar that is silent is found again when it is back; what was waited for resolves then', async () => {
  const { network, register, clock, run } = await registrar()
  network.plugged = false
  const { registration, states } = register()
  let first: RegistrationState | undefined
  void registration.registered.then((state) => (first = state))
  await turn(clock, 40_000, 500)
  assert.equal(states[0]?.is, 'failed')
  network.plugged = true
  await turn(clock, 60_000, 500)
  await run(100)
  assert.equal(first?.is, 'registered')
})

test('through a network that loses a third and doubles some, it stays registered', async () => {
  const net = await registrar({ loss: 0.33, duplicates: 0.1, seed: 7 })
  const { registration } = net.register({ expiresS: 600 })
  net.script.push(ok({}, ';expires=600'))
  let lapsedMs = 0
  for (let minute = 0; minute < 180; minute++) {
    await turn(net.clock, 60_000, 250)
    const { state } = registration
    if (state.is !== 'registered' || state.untilMs < net.clock.wallMs()) lapsedMs += 60_000
  }
  assert.ok(lapsedMs <= 60_000, `lapsed for ${lapsedMs} ms`)
})

test('when the server fails the next of its domain is registered at, and stays the one', async () => {
  const net = await pair()
  await net.caller.close()
  const firstIp = '192.0.2.10'
  const caller = await net.stack(callerIp, {
    resolver: {
      naptr: () => Promise.resolve([]),
      srv: (name) =>
        Promise.resolve(
          name.startsWith('_sip._udp')
            ? [firstIp, calleeIp].map((ip, index) => ({ priority: index, weight: 0, port: 5060, name: ip }))
            : [],
        ),
      addresses: (host) => Promise.resolve({ ips: [host], ttlMs: 60_000 }),
    },
  })
  const order: string[] = []
  const first = await net.stack(firstIp)
  first.on('request', (incoming) => (order.push('first'), incoming.respond(503)))
  net.callee.on('request', (incoming) => (order.push('second'), ok({}, ';expires=60')(incoming)))
  const registration = caller.register({ registrar: 'sip:example.com', aor: 'sip:a@example.com' })
  await turn(net.clock, 50_000, 250)
  assert.equal(registration.state.is, 'registered')
  assert.deepEqual(order, ['first', 'second', 'second'])

  await net.callee.close()
  first.on('request', () => order.push('again'))
  await turn(net.clock, 90_000, 250)
  assert.ok(order.includes('again'), 'the first gets its chance when the second is gone')
})

test('a connection that closes is replaced at once', async () => {
  const { asked, register, run, clock } = await registrar()
  const { registration, states } = register({ registrar: `sip:${calleeIp};transport=tcp` })
  await run(100)
  const { state } = registration
  assert.ok(state.is === 'registered')
  assert.equal(state.flow.transport, 'tcp')
  assert.match(state.contact, /;transport=tcp$/)

  const there = asked[0]?.incoming.flow as { close?: () => void }
  there.close?.()
  await run(10)
  assert.equal(registration.state.is, 'registering')
  await turn(clock, 3_000)

  assert.equal(registration.state.is, 'registered')
  assert.equal(asked.length, 2)
  assert.notEqual(asked[1]?.incoming.flow.id, asked[0]?.incoming.flow.id)
  assert.deepEqual(
    states.map(({ is }) => is),
    ['registered', 'registering', 'registered'],
  )
})

test('a registrar that closes each connection after its answer is asked more and more seldom (RFC 5626 §4.5)', async () => {
  const { asked, register, script, clock } = await registrar()
  script.push((incoming) => {
    ok()(incoming)
    clock.after(50, () => (incoming.flow as { close?: () => void }).close?.())
  })
  register({ registrar: `sip:${calleeIp};transport=tcp` })
  await turn(clock, 600_000, 50)
  assert.ok(asked.length >= 4 && asked.length <= 12, String(asked.length))
})

test('a registrar that speaks outbound and no longer answers pings is registered at anew (RFC 5626 §4.4.2)', async () => {
  const { asked, register, script, clock, callee } = await registrar()
  script.push(ok({ Require: 'outbound', 'Flow-Timer': '25' }))
  const { registration, states } = register()
  await turn(clock, 60_000, 100)
  assert.equal(registration.state.is, 'registered')
  await callee.close()
  await turn(clock, 60_000, 100)
  assert.ok(states.some(({ is }) => is === 'registering'))
  assert.equal(asked.length, 1)
})

test('routes for calls and addresses of this device are kept (RFC 3608, 5627, 5626)', async () => {
  const { asked, register, script, run } = await registrar()
  const gruus = ';pub-gruu="sip:alice@example.com;gr=x";temp-gruu="sip:t@example.com;gr";expires=60'
  script.push(ok({ 'Service-Route': '<sip:p1.example.com;lr>, <sip:p2.example.com;lr>' }, gruus))
  const { registration } = register({
    instance: 'urn:uuid:1',
    regId: 1,
    contactUser: 'line1',
    contactUriParams: { line: 'abc' },
    route: `<sip:${calleeIp};lr>`,
  })
  await run(100)
  const { state } = registration
  assert.ok(state.is === 'registered')
  assert.deepEqual(state.serviceRoute, ['<sip:p1.example.com;lr>', '<sip:p2.example.com;lr>'])
  assert.equal(state.publicGruu, 'sip:alice@example.com;gr=x')
  assert.equal(state.temporaryGruu, 'sip:t@example.com;gr')
  const headers = asked[0]?.request.headers
  assert.equal(headers?.get('Contact'), `<sip:line1@${callerIp}:5060;line=abc>;+sip.instance="<urn:uuid:1>";reg-id=1`)
  assert.deepEqual(headers.all('Supported'), ['path', 'gruu', 'outbound'])
  assert.equal(headers.get('Route'), `<sip:${calleeIp};lr>`)
})

test('closing takes the Contact away; the signal does the same; nothing is left over', async () => {
  const { register, expires, run, caller, clock } = await registrar()
  const stop = new AbortController()
  const { registration, states } = register({ signal: stop.signal })
  await run(100)
  stop.abort()
  await run(100)
  await registration.close()
  assert.deepEqual(expires(), ['3600', '0'])
  assert.deepEqual(states.at(-1), { is: 'closed' })
  registration.refresh()
  await turn(clock, 70_000, 100)
  assert.deepEqual(caller.counts(), { dialogs: 0, transactions: 0, connections: 0 })
  assert.equal(clock.pendingTimers, 0)
})

test('a stack that closes forgets its registrations, without a word to anybody', async () => {
  const { asked, register, run, caller, clock } = await registrar()
  const { registration, states } = register()
  await run(100)
  await caller.close()
  assert.deepEqual(states.at(-1), { is: 'closed' })
  await registration.close()
  await turn(clock, 70_000, 500)
  assert.equal(asked.length, 1)
  assert.equal(clock.pendingTimers, 0)
})

test('closed before the first answer, it rejects who waits, and the registrar is told all the same', async () => {
  const { register, expires, run } = await registrar()
  const { registration } = register()
  await settle()
  void registration.close()
  await assert.rejects(registration.registered, { code: 'sip.aborted' })
  await run(100)
  assert.equal(expires().at(-1), '0')
})

test('iterating gives the state now and each later one, and ends when it is closed', async () => {
  const { register, run } = await registrar()
  const { registration } = register()
  const seen: string[] = []
  const reader = (async () => {
    for await (const state of registration) seen.push(state.is)
  })()
  await run(100)
  void registration.close()
  await run(100)
  await reader
  assert.deepEqual(seen, ['registering', 'registered', 'closed'])
})
