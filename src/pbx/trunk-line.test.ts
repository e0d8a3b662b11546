import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLogger } from '../core/logger.ts'
import type { TrunkSetting } from '../core/settings/schema.ts'
import { FactBus } from '../events/bus.ts'
import type { Resolver } from '../net/resolver.ts'
import { calleeIp, callerIp, pair, turn } from '../sip/dialog/test-support.ts'
import type { IncomingRequest } from '../sip/stack.types.ts'
import { requestWith, trunkWith, udpFlow } from './test-support.ts'
import { TrunkLines } from './trunk-lines.ts'

const firstIp = '192.0.2.10'

/** DNS by which the carrier has two servers: `firstIp`, then the callee. */
const twoServers: Resolver = {
  naptr: () => Promise.resolve([]),
  srv: (name) =>
    Promise.resolve(
      name === '_sip._udp.sip.example'
        ? [firstIp, calleeIp].map((ip, priority) => ({ priority, weight: 0, port: 5060, name: ip }))
        : [],
    ),
  addresses: (host) => Promise.resolve({ ips: [host], ttlMs: 60_000 }),
}

const refuse = (status: number) => (incoming: IncomingRequest) => incoming.respond(status)

/** A trunk to the callee, which answers as told. */
async function line(more: Partial<TrunkSetting> = {}, resolver?: Resolver) {
  const net = await pair()
  await net.caller.close()
  const stack = await net.stack(callerIp, resolver && { resolver })
  const bus = new FactBus()
  const facts: string[] = []
  bus.on('trunk.up', () => facts.push('up'))
  bus.on('trunk.down', ({ reason }) => facts.push(`down: ${reason}`))
  const trunk = trunkWith({ host: resolver ? 'sip.example' : calleeIp, ...more })
  const lines = new TrunkLines([trunk], { clock: net.clock, log: silentLogger, bus, ownHost: () => callerIp })
  const asked: IncomingRequest[] = []
  let answer = refuse(200)
  net.callee.on('request', (incoming) => {
    asked.push(incoming)
    answer(incoming)
  })
  lines.open(stack)
  const status = () => {
    const [first] = lines.list()
    assert.ok(first)
    return first
  }
  const seconds = (count: number) => turn(net.clock, count * 1_000, 100)
  return {
    ...net,
    stack,
    trunk,
    lines,
    facts,
    asked,
    status,
    seconds,
    answers: (as: typeof answer) => (answer = as),
    isOurs: (uri: string, ip: string) => lines.trunkOf(requestWith('INVITE', uri, {}), udpFlow(ip)) === trunk,
  }
}

test('a trunk is asked once a minute; its answer, whatever it is but silence, is a sign of life', async () => {
  const { asked, facts, status, seconds, answers, clock } = await line()
  await seconds(1)
  assert.equal(asked[0]?.request.method, 'OPTIONS')
  assert.deepEqual(facts, ['up'])
  const { state, server, lastAnswerAtMs, roundTripMs = 0, registration } = status()
  assert.deepEqual([state, server, registration], ['up', `udp ${calleeIp}:5060`, undefined])
  assert.ok(roundTripMs > 0 && roundTripMs <= 100)
  assert.ok(clock.wallMs() - (lastAnswerAtMs ?? 0) < 1_000)
  answers(refuse(405))
  await seconds(300)
  assert.ok(asked.length >= 5 && asked.length <= 7, String(asked.length))
  assert.deepEqual(facts, ['up'])
})

test('three times silence, soon after each other, and it is down; one answer, and it is up', async () => {
  const { network, facts, status, seconds } = await line()
  await seconds(1)
  network.plugged = false
  await seconds(95)
  assert.deepEqual(facts, ['up', 'down: no answer'])
  assert.deepEqual([status().state, status().reason], ['down', 'no answer'])
  network.plugged = true
  await seconds(45)
  assert.deepEqual(facts, ['up', 'down: no answer', 'up'])
  assert.equal(status().reason, undefined)
})

test('a trunk that says it cannot serve is down, with what it said', async () => {
  const { facts, seconds, answers } = await line()
  answers(refuse(503))
  await seconds(60)
  assert.deepEqual(facts, ['down: 503 Service Unavailable'])
})

test('one that takes no connection is down, and is not said to have answered', async () => {
  const { facts, seconds, status } = await line({ transport: 'tcp', port: 5099 })
  await seconds(30)
  assert.deepEqual(facts, ['down: 503 Cannot Be Reached'])
  assert.equal(status().lastAnswerAtMs, undefined)
})

test('one that is not asked is neither up nor down', async () => {
  const { asked, status, seconds } = await line({ qualify: 0 })
  await seconds(200)
  assert.deepEqual([asked.length, status().state], [0, 'unknown'])
})

test('where a trunk is stands before a call goes there, also when it is not asked', async () => {
  const { lines, seconds } = await line(
    { qualify: 0, outbound: [{ prefix: '0', strip: 0, add: '', from: [] }] },
    twoServers,
  )
  await seconds(1)
  const [route] = lines.routes('0123', '101')
  const { via = [] } = route?.line.target('0123').target ?? {}
  assert.deepEqual(
    [via].flat().map(({ ip }) => ip),
    [firstIp, calleeIp],
  )
})

test('when its first server is silent the second is asked, and calls go there', async () => {
  const { lines, facts, seconds, trunk } = await line(
    { outbound: [{ prefix: '0', strip: 0, add: '', from: [] }] },
    twoServers,
  )
  await seconds(6)
  assert.deepEqual(facts, ['up'])
  const [route] = lines.routes('0123', '101')
  assert.equal(route?.trunk, trunk)
  const { via, uri } = route.line.target(route.number).target
  assert.equal(uri, 'sip:0123@sip.example')
  assert.deepEqual(
    [via].flat().map((server) => server?.ip),
    [calleeIp, firstIp],
  )
})

const registering = { register: true, username: 'acme', password: 'hush-hush' }

const register =
  (more: Record<string, string> = {}) =>
  (incoming: IncomingRequest) => {
    const contact = incoming.request.headers.get('Contact') ?? ''
    incoming.respond(200, { headers: { Contact: `${contact};expires=3600`, ...more } })
  }

test('a trunk that registers is called from by the registrar, and by the Contact that it alone knows', async () => {
  const { asked, status, seconds, answers, isOurs, facts } = await line(registering)
  answers(register())
  await seconds(1)
  const contact = /<(.*)>/.exec(asked[0]?.request.headers.get('Contact') ?? '')?.[1] ?? ''
  assert.match(contact, new RegExp(`^sip:acme@${callerIp}:5060;line=[\\w-]{22}$`))
  assert.equal(status().registration?.state, 'registered')
  assert.deepEqual(facts, ['up'])
  assert.ok(isOurs('sip:+4930@us', calleeIp))
  assert.ok(isOurs(contact, '198.51.100.9'))
  assert.equal(isOurs('sip:acme@us;line=guess', '198.51.100.9'), false)
  assert.equal(isOurs('sip:acme@us', '198.51.100.9'), false)
})

test('a refused registration makes it down though it answers OPTIONS; calls by a new one go its way', async () => {
  const { lines, facts, status, seconds, answers, clock } = await line({
    ...registering,
    transport: 'tcp',
    outbound: [{ prefix: '0', strip: 0, add: '', from: [] }],
  })
  answers((incoming) => incoming.respond(incoming.request.method === 'REGISTER' ? 403 : 200))
  await seconds(30)
  assert.deepEqual(facts, ['down: registration: 403 Forbidden'])
  assert.ok((status().registration?.retryAtMs ?? 0) > clock.wallMs())
  answers(register({ 'Service-Route': '<sip:edge.example;lr>' }))
  await seconds(130)
  assert.deepEqual(facts.slice(1), ['up'])
  const [route] = lines.routes('0123', '101')
  const { target, routes } = route?.line.target('0123') ?? {}
  assert.equal(target?.flow?.transport, 'tcp')
  assert.deepEqual(routes, ['<sip:edge.example;lr>'])
})

test('a trunk that answers OPTIONS while its registrar is silent stays down while it is asked again', async () => {
  const { facts, seconds, answers } = await line({ ...registering, qualify: 5 })
  answers((incoming) => {
    if (incoming.request.method === 'OPTIONS') incoming.respond(200)
  })
  await seconds(300)
  const told = facts.filter((fact) => fact !== 'up')
  assert.equal(told.length, 1, told.join())
  assert.match(facts.at(-1) ?? '', /^down: registration: 408/)
})

test('at the end the registration is taken away, and nobody is asked any more', async () => {
  const { lines, asked, seconds, answers, stack, clock } = await line(registering)
  answers(register())
  await seconds(1)
  const closing = lines.close()
  await seconds(1)
  await closing
  assert.equal(asked.at(-1)?.request.headers.get('Expires'), '0')
  const before = asked.length
  await seconds(200)
  assert.equal(asked.length, before)
  assert.deepEqual(stack.counts(), { dialogs: 0, transactions: 0, connections: 0 })
  assert.equal(clock.pendingTimers, 0)
})

test('the end does not wait for a carrier that is gone', async () => {
  const { lines, seconds, answers, network } = await line(registering)
  answers(register())
  await seconds(1)
  network.plugged = false
  let closed = false
  void lines.close().then(() => (closed = true))
  await seconds(3)
  assert.ok(closed)
})

test('two accounts at one carrier are told apart by the number that is called', async () => {
  const net = await pair()
  const sources = ['198.51.100.1']
  const trunks = [
    trunkWith({ name: 'one', sources, inbound: { '+491': '101' } }),
    trunkWith({ name: 'two', sources, inbound: { '+492': '101' } }),
  ]
  const lines = new TrunkLines(trunks, { clock: net.clock, log: silentLogger, bus: new FactBus(), ownHost: () => 'h' })
  const called = (uri: string) => lines.trunkOf(requestWith('INVITE', uri, {}), udpFlow('198.51.100.1'))?.name
  assert.deepEqual([called('sip:+491@h'), called('sip:+492@h'), called('sip:+493@h')], ['one', 'two', 'one'])
})
