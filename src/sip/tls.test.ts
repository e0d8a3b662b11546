/** Calls over TLS on the loopback interface: names checked, connections shared, sips kept. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, test } from 'node:test'
import { systemClock } from '../core/clock.ts'
import { silentLogger } from '../core/logger.ts'
import { hostNetwork } from '../net/host-network.ts'
import { TestAuthority } from '../net/test-support.ts'
import { TlsIdentity } from '../net/tls-identity.ts'
import { type CountedSipStack, createSipStack } from './stack.ts'
import type { Dialog, IncomingInvite, InviteOptions } from './stack.types.ts'

const folder = mkdtempSync(join(tmpdir(), 'patchbay-sip-tls-'))
after(() => rmSync(folder, { recursive: true }))
const authority = new TestAuthority()

function identityFor(...names: string[]): TlsIdentity {
  const { cert, key } = authority.issue(...names)
  const path = (kind: string, text: string): string => {
    const file = join(folder, `${names[0]}-${kind}.pem`)
    writeFileSync(file, text)
    return file
  }
  const caPath = path('ca', authority.cert)
  return new TlsIdentity({ certPath: path('cert', cert), keyPath: path('key', key), caPath, clientAuth: 'require' })
}

/** The host's network, where every name is this machine. */
const network = { ...hostNetwork, lookup: () => Promise.resolve(['127.0.0.1']) }

const stacks: CountedSipStack[] = []
afterEach(() => Promise.all(stacks.splice(0).map((stack) => stack.close())))

async function open(...names: string[]): Promise<CountedSipStack> {
  const stack = await createSipStack({
    clock: systemClock,
    log: silentLogger,
    network,
    tls: identityFor(...names),
    listen: [{ transport: 'tls', ip: '127.0.0.1', port: 0 }],
  })
  stacks.push(stack)
  return stack
}

const portOf = (stack: CountedSipStack): number => stack.listening[0]?.port ?? 0
const call = (uri: string): InviteOptions => ({ target: { uri }, from: '<sip:101@x>', to: '<sip:102@x>' })

test('a call over TLS: both sides send requests by the one connection, a second call shares it, then all is gone', async () => {
  const caller = await open('phone.example.com')
  const callee = await open('sip.example.com', '127.0.0.1')
  const dialogs: Dialog[] = []
  const invites: IncomingInvite[] = []
  callee.on('invite', (invite) => {
    invites.push(invite)
    const dialog = invite.answer({})
    dialog.on('request', (incoming) => incoming.respond(200))
    dialogs.push(dialog)
  })
  const uri = `sip:102@sip.example.com:${portOf(callee)};transport=tls`
  const first = await caller.invite(call(uri)).outcome
  assert.ok(first.answered)
  const second = await caller.invite(call(uri)).outcome
  assert.ok(second.answered)
  first.dialog.on('request', (incoming) => incoming.respond(200))
  assert.equal((await dialogs[0]?.request('INFO'))?.status, 200)
  assert.equal((await first.dialog.request('INVITE')).status, 200)
  assert.deepEqual([caller.counts().connections, callee.counts().connections], [1, 1])

  const { headers } = invites[0]?.request ?? assert.fail('no INVITE')
  assert.match(headers.get('Via') ?? '', /^SIP\/2\.0\/TLS 127\.0\.0\.1:/)
  assert.equal(headers.get('Contact'), `<sip:101@127.0.0.1:${portOf(caller)};transport=tls>`)
  assert.equal(invites[0]?.flow.transport, 'tls')
  assert.match(
    first.response.headers.get('Contact') ?? '',
    new RegExp(`^<sip:102@127.0.0.1:${portOf(callee)};transport=tls>$`),
  )
  await first.dialog.bye()
  await dialogs[1]?.bye()
  await caller.close()
  await callee.close()
  assert.deepEqual(callee.counts(), { dialogs: 0, transactions: 0, connections: 0 })
})

test('a sips URI goes over TLS, and the Contacts of the dialog are sips (RFC 3261 §12.1)', async () => {
  const caller = await open('phone.example.com')
  const callee = await open('sip.example.com')
  const contacts: (string | undefined)[] = []
  callee.on('invite', (invite) => {
    contacts.push(invite.request.headers.get('Contact'))
    invite.answer({})
  })
  const outcome = await caller.invite(call(`sips:102@sip.example.com:${portOf(callee)}`)).outcome
  assert.ok(outcome.answered)
  contacts.push(outcome.response.headers.get('Contact'))
  assert.deepEqual(contacts, [`<sips:101@127.0.0.1:${portOf(caller)}>`, `<sips:102@127.0.0.1:${portOf(callee)}>`])
  await outcome.dialog.bye()
})

test('a server whose certificate holds another name gets no request, even when it is connected by its own name', async () => {
  const caller = await open('phone.example.com')
  const callee = await open('sip.example.com')
  callee.on('request', (incoming) => incoming.respond(200))
  const options = (host: string) =>
    caller.request('OPTIONS', call(`sip:${host}:${portOf(callee)};transport=tls`)).then(({ status }) => status)
  assert.equal(await options('sip.example.com'), 200)
  assert.equal(await options('sip.example.net'), 503)
  assert.equal(callee.counters.requestsIn, 1)
})
