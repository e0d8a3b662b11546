/** What phones are told besides calls, by the real server over loopback: lamps, presence, mailboxes, text messages. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { systemClock } from '../src/core/clock.ts'
import { silentLogger } from '../src/core/logger.ts'
import { readDialogInfo } from '../src/sip/packages/dialog-info.ts'
import { readMessageSummary } from '../src/sip/packages/message-summary.ts'
import { pidfType, readPidf, writePidf } from '../src/sip/packages/pidf.ts'
import { readReginfo } from '../src/sip/packages/reginfo.ts'
import { type CountedSipStack, createSipStack } from '../src/sip/stack.ts'
import type { Subscription } from '../src/sip/subscription/types.ts'
import { startTestServer, type TestServer } from './support/in-process.ts'
import { Stranger } from './support/stranger.ts'
import { until } from './support/until.ts'

let server: TestServer
const stacks: CountedSipStack[] = []
before(async () => {
  server = await startTestServer()
})
after(async () => {
  await Promise.all(stacks.map((stack) => stack.close()))
  await server.close()
})

/** A program that speaks SIP with the credentials of an extension. */
async function client(extension: string) {
  const stack = await createSipStack({
    clock: systemClock,
    log: silentLogger,
    listen: [{ transport: 'udp', ip: '127.0.0.1', port: 0 }],
  })
  stacks.push(stack)
  const credentials = { username: extension, password: await server.passwordOf(extension) }
  const uriOf = (number: string) => `sip:${number}@${server.sip.ip}:${server.sip.port}`
  const options = (number: string) => ({
    target: { uri: uriOf(number) },
    from: `<${uriOf(extension)}>`,
    to: `<${uriOf(number)}>`,
    credentials,
  })
  return {
    stack,
    options,
    port: stack.listening[0]?.port,
    watch: (number: string, event: string) => stack.subscribe({ ...options(number), event, accept: ['*/*'] }),
    register: async () => {
      const Contact = `<sip:${extension}@127.0.0.1:${stack.listening[0]?.port}>`
      const { status } = await stack.request('REGISTER', { ...options(extension), headers: { Contact } })
      assert.equal(status, 200)
    },
  }
}

/** Bodies as they come, read. */
function bodiesOf<Value>(subscription: Subscription, read: (body: Uint8Array) => Value): Value[] {
  const bodies: Value[] = []
  void (async () => {
    for await (const { body } of subscription) bodies.push(read(body))
  })()
  return bodies
}

test('a busy lamp follows a call: idle, ringing, talking, idle, each with who is at the other end', async () => {
  const alice = await server.phone('101')
  const bob = await server.phone('102')
  const { watch } = await client('103')
  const lamp = watch('102', 'dialog')
  const seen = bodiesOf(lamp, (body) => readDialogInfo(body))
  const shown = () =>
    seen.flatMap((info) => info?.dialogs.map(({ state, direction = '' }) => `${state} ${direction}`.trim()) ?? ['?'])
  await until('the first state', 5_000, () => seen.length === 1)
  const incoming = bob.nextCall()
  const outcome = await alice.call('102').outcome
  await incoming
  assert.ok(outcome.answered)
  await until('the call', 5_000, () => shown().at(-1) === 'confirmed recipient')
  await outcome.call.hangUp()
  await until('the end', 5_000, () => shown().at(-1) === 'terminated recipient')
  assert.equal(shown()[0], 'terminated')
  assert.deepEqual(
    seen.map((info) => info?.version),
    seen.map((_, index) => index),
  )
  assert.match(seen.at(-2)?.dialogs[0]?.remote?.uri ?? '', /^sip:101@/)
  await lamp.close()
})

test('presence: closed, open when a device registers, what the phone publishes, on the phone', async () => {
  const watcher = await client('103')
  const seen = bodiesOf(watcher.watch('110', 'presence'), readPidf)
  const phone = await client('110')
  const closed = await watcher.stack.subscribe({ ...watcher.options('999'), event: 'presence', accept: [] }).ended
  assert.ok(closed.by === 'refused' && closed.response.status === 404)
  await phone.register()
  const body = writePidf({ open: true, activities: ['away'], notes: ['Lunch'] }, 'sip:110@x')
  const publication = phone.stack.publish({ ...phone.options('110'), event: 'presence', contentType: pidfType, body })
  assert.equal((await publication.outcome).status, 200)
  await until('the note', 12_000, () => seen.at(-1)?.notes.includes('Lunch') ?? false)
  assert.deepEqual(seen.at(-1), { open: true, activities: ['away'], notes: ['Lunch'] })
  const forOther = watcher.stack.publish({ ...watcher.options('110'), event: 'presence', contentType: pidfType, body })
  assert.equal((await forOther.outcome).status, 403)
  await forOther.close()
  await publication.close()
})

test('an extension sees its own mailbox and registrations, and nobody else’s', async () => {
  const own = await client('104')
  await own.register()
  const [mailbox] = [bodiesOf(own.watch('104', 'message-summary'), readMessageSummary)]
  const bindings = bodiesOf(own.watch('104', 'reg'), readReginfo)
  await until('both', 5_000, () => mailbox.length > 0 && bindings.length > 0)
  assert.deepEqual(mailbox[0], { fresh: 0, old: 0, urgentFresh: 0, urgentOld: 0 })
  assert.deepEqual(
    bindings[0]?.map(({ state, contacts }) => [state, contacts.map(({ uri }) => uri)]),
    [['active', [`sip:104@127.0.0.1:${own.port}`]]],
  )
  const another = await client('103')
  for (const event of ['message-summary', 'reg']) {
    const end = await another.watch('104', event).ended
    assert.ok(end.by === 'refused' && end.response.status === 403, event)
  }
  const unknown = await another.watch('104', 'conference').ended
  assert.ok(unknown.by === 'refused' && unknown.response.status === 489)
  assert.equal(unknown.response.headers.get('Allow-Events'), 'dialog')
})

test('a removed extension is watched no more', async () => {
  const watcher = await client('103')
  await server.passwordOf('105')
  const lamp = watcher.watch('105', 'dialog')
  const seen = bodiesOf(lamp, readDialogInfo)
  await until('the first state', 5_000, () => seen.length === 1)
  await server.api.removeExtension('105')
  assert.deepEqual(await lamp.ended, { by: 'remote', reason: 'noresource' })
})

test('a text message reaches the other phone from who really sent it; one to nobody is refused', async () => {
  const alice = await client('106')
  const bob = await client('107')
  await bob.register()
  const heard: string[] = []
  bob.stack.on('request', (incoming) => {
    heard.push(`${incoming.request.headers.get('From')} ${Buffer.from(incoming.request.body).toString()}`)
    incoming.respond(200)
  })
  const text = { contentType: 'text/plain', body: 'Soup?' }
  const sent = await alice.stack.message({ ...alice.options('107'), ...text, from: '"Boss" <sip:100@x>' })
  assert.equal(sent.status, 200)
  assert.match(heard[0] ?? '', /^<sip:106@127\.0\.0\.1>;tag=\S+ Soup\?$/)
  assert.equal((await alice.stack.message({ ...alice.options('106'), ...text })).status, 480)
  assert.equal((await alice.stack.message({ ...alice.options('999'), ...text })).status, 404)
})

test('a flood of SUBSCRIBE leaves nothing behind, from a stranger or with a stolen dialog', async () => {
  const stranger = await Stranger.at('127.0.0.6', server.sip)
  const uri = `sip:102@${server.sip.ip}:${server.sip.port}`
  const dialogs = async () => {
    const text = await (await fetch(`${server.running.url}/metrics`)).text()
    return Number(/^patchbay_sip_dialogs(?:\{[^}]*\})? (\d+)/m.exec(text)?.[1] ?? Number.NaN)
  }
  const before = await dialogs()
  for (let n = 0; n < 2_000; n++) {
    stranger.send({ method: 'SUBSCRIBE', uri, headers: { Event: 'dialog', Expires: '3600' } })
    stranger.send({ method: 'SUBSCRIBE', uri, headers: { Event: 'dialog', To: `<${uri}>;tag=${n}` } })
    stranger.send({ method: 'NOTIFY', uri, headers: { Event: 'dialog', To: `<${uri}>;tag=${n}` } })
    if (n % 100 === 0) await new Promise((go) => setImmediate(go))
  }
  const { watch } = await client('103')
  const lamp = watch('102', 'dialog')
  const seen = bodiesOf(lamp, readDialogInfo)
  await until('the lamp of who is known', 5_000, () => seen.length === 1)
  await lamp.close()
  assert.ok((await dialogs()) <= before, 'no dialog was made')
  stranger.close()
})
