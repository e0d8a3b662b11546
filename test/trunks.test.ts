/** Trunks and registrations against the real server over loopback: a carrier that wants to be registered at, a restart. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { systemClock } from '../src/core/clock.ts'
import { silentLogger } from '../src/core/logger.ts'
import type { SimulatedPhone } from '../src/demo/phone.ts'
import { DigestVerifier, digestHashes } from '../src/sip/auth/digest.ts'
import { createSipStack } from '../src/sip/stack.ts'
import type { IncomingInvite, SipStack } from '../src/sip/stack.types.ts'
import { startTestServer } from './support/in-process.ts'
import { extensionsFrom101, registeredPhone } from './support/phones.ts'
import { startServerProcess } from './support/server-process.ts'
import { until } from './support/until.ts'

/** What the server is to the carrier: a customer with an account. */
const account = { username: 'acme', password: 'hush-hush-hush' }

interface Carrier {
  readonly stack: SipStack
  readonly address: { readonly ip: string; readonly port: number }
  /** The Contact that was registered last, with its seconds. */
  contact?: string
  expires?: string | undefined
}

/** A carrier that challenges everything and keeps one Contact. Calls ring; whoever wants answers them. */
async function carrierAt(t: TestContext, ip: string, onInvite: (invite: IncomingInvite) => void): Promise<Carrier> {
  const digest = new DigestVerifier({ realm: 'carrier.example', clock: systemClock })
  const hashes = digestHashes(account.username, 'carrier.example', account.password)
  const stack = await createSipStack({
    clock: systemClock,
    log: silentLogger,
    listen: [{ transport: 'udp', ip, port: 0 }],
    guard: ({ headers, method, uri, body }) => {
      if (method === 'OPTIONS') return 'pass'
      const header = headers.all('Authorization')
      if (digest.verify({ header, method, requestUri: uri, body, hashesOf: () => hashes }).ok) return 'pass'
      return { status: 401, headers: { 'WWW-Authenticate': digest.challenges() } }
    },
  })
  t.after(() => stack.close())
  const carrier: Carrier = { stack, address: { ip, port: stack.listening[0]?.port ?? 0 } }
  stack.on('request', (incoming) => {
    const { headers } = incoming.request
    if (incoming.request.method !== 'REGISTER') return incoming.respond(200)
    carrier.contact = /<(.*)>/.exec(headers.get('Contact') ?? '')?.[1] ?? ''
    carrier.expires = headers.get('Expires')
    incoming.respond(200, { headers: { Contact: `${headers.get('Contact')};expires=120` } })
  })
  stack.on('invite', onInvite)
  return carrier
}

test('a trunk registers, is called by its account from another address, calls out, and says goodbye', async (t) => {
  const called: string[] = []
  const carrier = await carrierAt(t, '127.0.0.21', (invite) => {
    called.push(`${invite.request.uri} ${/<sip:([^>]*)>/.exec(invite.request.headers.get('From') ?? '')?.[1]}`)
    invite.reject(486)
  })
  const { ip: host, port } = carrier.address
  const server = await startTestServer({
    trunks: [
      {
        name: 'carrier',
        host,
        port,
        register: true,
        ...account,
        inbound: { '+4930555': '101' },
        outbound: [{ prefix: '0', strip: 1, add: '+49' }],
      },
    ],
  })
  t.after(() => server.close())
  const phone = await server.phone('101')
  const contact = await until('the registration', 10_000, () => carrier.contact)

  const fromElsewhere = await createSipStack({
    clock: systemClock,
    log: silentLogger,
    listen: [{ transport: 'udp', ip: '127.0.0.22', port: 0 }],
  })
  t.after(() => fromElsewhere.close())
  const invite = (uri: string) =>
    fromElsewhere.invite({
      target: { uri, via: { transport: 'udp', ...server.sip } },
      from: '<sip:+49171@carrier.example>',
      to: '<sip:+4930555@carrier.example>',
    }).outcome
  phone.habit = 'busy'
  assert.equal((await invite(contact)).response.status, 486)
  assert.equal((await invite(contact.replace(/;line=.*/, ''))).response.status, 401)

  const outcome = await phone.call('0171').outcome
  assert.ok(!outcome.answered && outcome.status === 486)
  assert.deepEqual(called, [`sip:+49171@${host}:${port} +4930555@${host}`])

  const { items } = await server.api.trunks()
  assert.deepEqual(
    items.map(({ state, registration }) => [state, registration?.state]),
    [['up', 'registered']],
  )
  await server.running.stop()
  assert.equal(carrier.expires, '0')
})

test('a phone on UDP that registered before a restart rings after it, without registering again', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-restart-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const extensions = extensionsFrom101(2)
  const [first, second] = extensions
  assert.ok(first && second)
  const before = await startServerProcess({ extensions, folder })
  const called = await registeredPhone(before, second)
  t.after(() => called.close())
  await before.stop()
  const { port } = before.sip
  const after = await startServerProcess({ extensions, folder, env: { PORTS: String(port) } })
  t.after(() => after.remove())
  const { items } = await after.api.registrations('102')
  assert.equal(items.length, 1)
  const caller: SimulatedPhone = await registeredPhone(after, first)
  t.after(() => caller.close())
  const answered = called.nextCall()
  const outcome = await caller.call('102').outcome
  assert.ok(outcome.answered)
  const call = await answered
  await call.hangUp()
})
