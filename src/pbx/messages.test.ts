import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../core/fake-clock.ts'
import { silentLogger } from '../core/logger.ts'
import { FactBus } from '../events/bus.ts'
import type { Fact } from '../events/catalogue.ts'
import { createResponse } from '../sip/message/build.ts'
import type { SipRequest } from '../sip/message/types.ts'
import type { RequestOptions, Target } from '../sip/stack.types.ts'
import type { Directory, Extension } from './directory.ts'
import { Messages } from './messages.ts'
import { extension101, incoming, requestWith, trunkWith, udpFlow } from './test-support.ts'
import { TrunkLines } from './trunk-lines.ts'

const extension102: Extension = { ...extension101, number: '102', displayName: 'Bob' }
const phone: Target = { uri: 'sip:102@192.0.2.20:5060', flow: udpFlow('192.0.2.20') }
const tablet: Target = { uri: 'sip:102@192.0.2.21:5060', flow: udpFlow('192.0.2.21') }

const said = (text: string, uri = 'sip:102@patchbay', headers = {}): SipRequest => ({
  ...requestWith('MESSAGE', uri, { 'Content-Type': 'text/plain;charset=UTF-8', Subject: 'Lunch', ...headers }),
  body: Buffer.from(text),
})

/** Messages to these devices; each answers with the status that `answer` gives for it, or never. */
function setUp(targets: readonly Target[], answer: (target: Target) => number | Promise<number> = () => 200) {
  const clock = new FakeClock()
  const bus = new FactBus()
  const facts: Fact[] = []
  bus.onAny((fact) => facts.push(fact))
  const sent: RequestOptions[] = []
  const directory = new Map([extension101, extension102].map((extension) => [extension.number, extension]))
  const trunk = trunkWith({ outbound: [{ prefix: '00', strip: 0, add: '', from: [] }] })
  const messages = new Messages({
    clock,
    bus,
    directory: { find: (number) => directory.get(number) } as Directory,
    registrar: { targets: (number) => (number === '102' ? targets : []) },
    trunks: new TrunkLines([trunk], { clock, log: silentLogger, bus, ownHost: () => 'h' }),
    advertisedIp: () => '192.0.2.1',
    stack: {
      message: async (options) => {
        sent.push(options)
        return createResponse(said(''), await answer(options.target))
      },
    },
  })
  const take = async (request: SipRequest) => {
    const received = incoming(request)
    await messages.take(received, extension101)
    return received.answers.map(({ status }) => status)
  }
  return { clock, facts, sent, messages, take }
}

test('a message goes to every device of who is named, from who the directory says, with its type and subject', async () => {
  const { take, sent } = setUp([phone, tablet])
  assert.deepEqual(await take(said('Soup?', 'sip:102@patchbay', { From: '"Boss" <sip:100@patchbay>;tag=1' })), [200])
  assert.deepEqual(
    sent.map(({ target, from, to, headers, body }) => [target, from, to, headers, String(body)]),
    [phone, tablet].map((target) => [
      target,
      'Alice <sip:101@192.0.2.1>',
      'Bob <sip:102@192.0.2.1>',
      { 'Content-Type': ['text/plain;charset=UTF-8'], Subject: ['Lunch'] },
      'Soup?',
    ]),
  )
})

test('the facts tell who wrote to whom and how much, and not what', async () => {
  const { take, facts } = setUp([phone])
  await take(said('Soup?'))
  assert.equal(facts.length, 1)
  const [fact] = facts
  assert.ok(fact?.name === 'message.delivered')
  assert.deepEqual([fact.from.extension, fact.to.extension, fact.bytes], ['101', '102', 5])
  assert.doesNotMatch(JSON.stringify(facts), /Soup|Lunch/)
})

test('the sender hears of the first device that took it, and of a refusal only when all refused', async () => {
  const never = new Promise<number>(() => {})
  assert.deepEqual(await setUp([phone, tablet], (target) => (target === phone ? never : 202)).take(said('a')), [202])
  assert.deepEqual(await setUp([phone, tablet], (target) => (target === phone ? 415 : 200)).take(said('a')), [200])
  const { take, facts } = setUp([phone, tablet], (target) => (target === phone ? 486 : 415))
  assert.deepEqual(await take(said('a')), [415])
  assert.ok(facts[0]?.name === 'message.failed' && facts[0].sipStatus === 415)
})

test('who cannot be reached is 480: no device, devices that time out or ask for a password, and silence', async () => {
  assert.deepEqual(await setUp([]).take(said('a')), [480])
  assert.deepEqual(await setUp([phone, tablet], (target) => (target === phone ? 408 : 401)).take(said('a')), [480])
  const silent = setUp([phone], () => new Promise<number>(() => {}))
  const answered = silent.take(said('a'))
  silent.clock.advance(20_000)
  assert.deepEqual(await answered, [480])
})

test('an unknown number is 404, one of a trunk 403, a body without a type 400', async () => {
  const { take, sent } = setUp([phone])
  assert.deepEqual(await take(said('a', 'sip:999@patchbay')), [404])
  assert.deepEqual(await take(said('a', 'sip:004930123@patchbay')), [403])
  assert.deepEqual(await take({ ...requestWith('MESSAGE', 'sip:102@patchbay', {}), body: Buffer.from('a') }), [400])
  assert.equal(sent.length, 0)
})

test('one extension has at most twenty messages under way', async () => {
  const devices = Promise.withResolvers<number>()
  const { take } = setUp([phone], () => devices.promise)
  const waiting = Array.from({ length: 20 }, () => take(said('a')))
  assert.deepEqual(await take(said('a')), [503])
  devices.resolve(200)
  assert.ok((await Promise.all(waiting)).every(([status]) => status === 200))
  assert.deepEqual(await take(said('a')), [200])
})
