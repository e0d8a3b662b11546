/** Numbers that the server answers itself, on a network in memory: who is let in, and what is wanted of the media. */
import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { usualRules } from '../call/codec-rules.ts'
import { LiveCalls } from '../call/live-calls.ts'
import type { CallServices } from '../call/services.ts'
import { description, sdp } from '../call/test-support.ts'
import { FakeClock } from '../core/fake-clock.ts'
import { silentLogger } from '../core/logger.ts'
import { FactBus } from '../events/bus.ts'
import type { Fact } from '../events/catalogue.ts'
import { FakeMedia } from '../media/test-support.ts'
import { MemoryNetwork } from '../net/memory-network.ts'
import { turn } from '../sip/dialog/test-support.ts'
import { createSipStack } from '../sip/stack.ts'
import type { Dialog, SipStack } from '../sip/stack.types.ts'
import { HouseNumbers } from './house-numbers.ts'
import type { Speak } from './speech.ts'

const pbx = '192.0.2.1'
const phoneIp = '192.0.2.11'
/** Where we are reached besides. */
const outside = '198.51.100.1'

let clock: FakeClock
let media: FakeMedia
let live: LiveCalls
let phone: SipStack
let house: HouseNumbers
let facts: Fact[]
/** Prompts that can be spoken: each as the file of its name. */
let spoken: string[]

beforeEach(async () => {
  clock = new FakeClock()
  media = new FakeMedia()
  live = new LiveCalls()
  facts = []
  spoken = []
  const network = new MemoryNetwork({ clock })
  const stackAt = (ip: string): Promise<SipStack> =>
    createSipStack({ clock, log: silentLogger, network, listen: [{ transport: 'udp', ip, port: 5060 }] })
  const stack = await stackAt(pbx)
  phone = await stackAt(phoneIp)
  const bus = new FactBus()
  bus.onAny((fact) => facts.push(fact))
  const services: CallServices = {
    clock,
    log: silentLogger,
    stack,
    media,
    bus,
    live,
    recorder: { start: () => ({ addTrack: () => {}, endTrack: () => {}, stop: async () => {} }) },
    advertisedIp: () => pbx,
    messages: () => [],
    rtpTimeoutMs: 0,
    holdMusic: [{ builtIn: 'music' }],
    srtp: 'accepted',
    codecs: usualRules,
    mediaIps: () => [outside],
  }
  const speak: Speak = (...names) =>
    Promise.resolve(names.flatMap((name) => (spoken.includes(name) ? [{ file: name }] : [])))
  house = new HouseNumbers({ echoNumber: '*43', conferencePrefix: '*6', services, speak })
  stack.on('invite', (invite) => {
    const number = /sip:([^@]+)@/.exec(invite.request.uri)?.[1] ?? ''
    void house.take(invite, number, { from: { uri: 'sip:101@pbx', extension: '101' } })
  })
})

/** Resolves with the dialog, or the status of a refusal. */
async function dial(number: string, formats = '0 101'): Promise<Dialog | number> {
  const { outcome } = phone.invite({
    target: { uri: `sip:${number}@${pbx}:5060` },
    from: `<sip:101@${phoneIp}>`,
    to: `<sip:${number}@${pbx}>`,
    ...description(sdp(phoneIp, formats)),
  })
  await turn(clock, 1_000)
  const ended = await outcome
  return ended.answered ? ended.dialog : ended.response.status
}

async function enter(number: string): Promise<Dialog> {
  const dialog = await dial(number)
  assert.ok(typeof dialog !== 'number', `${number} was refused`)
  return dialog
}

async function hangUp(dialog: Dialog): Promise<void> {
  void dialog.bye()
  await turn(clock, 2_000)
}

const wantedOf = (index: number): string[] => media.ports[index]?.orders.map((order) => order.do) ?? []
const told = (): string[] => facts.map(({ name }) => name)

test('which numbers are answered here', () => {
  const numbers = ['*43', '*61', '*61234', '*6', '*612345', '*6a', '43', '', '101']
  assert.deepEqual(
    numbers.filter((number) => house.serves(number)),
    ['*43', '*61', '*61234'],
  )
})

test('an echo test is a call like any other: told, listed, ended by the caller', async () => {
  const dialog = await enter('*43')
  assert.deepEqual(wantedOf(0), ['echo', 'play'])
  assert.equal(live.size, 1)
  await hangUp(dialog)
  assert.deepEqual(told(), [
    'call.started',
    'leg.started',
    'call.answered',
    'leg.answered',
    'leg.encryption',
    'leg.ended',
    'call.ended',
    'call.traced',
  ])
  assert.equal(live.size, 0)
  assert.equal(media.ports[0]?.closed, true)
})

test('who finds its way by ICE is told all addresses of ours, as in other calls', async () => {
  const ice = 'a=ice-ufrag:u1u1\r\na=ice-pwd:theirpasswordof22chars0\r\na=rtcp-mux\r\n'
  const { outcome } = phone.invite({
    target: { uri: `sip:*43@${pbx}:5060` },
    from: `<sip:101@${phoneIp}>`,
    to: `<sip:*43@${pbx}>`,
    ...description(sdp(phoneIp) + ice),
  })
  await turn(clock, 1_000)
  const { response } = await outcome
  const candidates = Buffer.from(response.body)
    .toString()
    .match(/(?<=UDP \d+ )\S+/g)
  assert.deepEqual(candidates, [pbx, outside])
})

/** What is played at a port: files by their names, all else as a tone. */
const playedAt = (index: number): string[][] =>
  (media.ports[index]?.orders ?? []).flatMap((order) =>
    order.do === 'play' ? [order.sounds.map((sound) => ('file' in sound ? sound.file : 'tone'))] : [],
  )

test('an echo test says what it is, and ends with the pound key', async () => {
  spoken = ['echo-test']
  const dialog = await enter('*43')
  assert.deepEqual(playedAt(0), [['tone', 'echo-test', 'tone']])
  let ended = false
  dialog.on('ended', () => (ended = true))
  media.ports[0]?.emit('digit', { digit: '5', durationMs: 100 })
  await turn(clock, 1_000)
  assert.equal(ended, false)
  media.ports[0]?.emit('digit', { digit: '#', durationMs: 100 })
  await turn(clock, 1_000)
  assert.equal(ended, true)
})

test('who is alone in a room is told so until somebody comes; who is muted is told so', async () => {
  spoken = ['conference-alone', 'muted']
  await enter('*61')
  assert.deepEqual(playedAt(0), [['conference-alone']])
  await enter('*61')
  assert.deepEqual(wantedOf(0), ['hold-music', 'play', 'stop', 'stop'])
  assert.deepEqual(playedAt(1), [])
  media.ports[1]?.emit('digit', { digit: '*', durationMs: 100 })
  media.ports[1]?.emit('digit', { digit: '*', durationMs: 100 })
  await turn(clock, 100)
  assert.deepEqual(playedAt(1), [['muted'], ['tone', 'tone']])
})

test('an echo test ends after five minutes', async () => {
  const dialog = await enter('*43')
  let ended = false
  dialog.on('ended', () => (ended = true))
  await turn(clock, 301_000)
  assert.equal(ended, true)
})

test('who is alone in a room hears music until somebody comes, and again when alone', async () => {
  const alice = await enter('*61')
  assert.deepEqual(wantedOf(0), ['hold-music'])
  const bob = await enter('*61')
  assert.deepEqual(wantedOf(0), ['hold-music', 'stop'])
  assert.deepEqual(wantedOf(1), [])
  await hangUp(bob)
  assert.deepEqual(wantedOf(0), ['hold-music', 'stop', 'hold-music'])
  await hangUp(alice)
  assert.equal(live.size, 0)
})

test('rooms of different numbers are different rooms, and go with their last guest', async () => {
  const [first, second] = [await enter('*61'), await enter('*62')]
  const mixers = (): number[] => media.orders.flatMap((order) => (order.do === 'open-mixer' ? [order.id] : []))
  assert.equal(new Set(mixers()).size, 2)
  const joined = media.orders.flatMap((order) => (order.do === 'join' ? [order.mixer] : []))
  assert.deepEqual(joined, mixers())
  await hangUp(first)
  await hangUp(second)
  const stopped = new Set(media.orders.flatMap((order) => (order.do === 'stop' ? [order.id] : [])))
  for (const mixer of mixers()) assert.ok(stopped.has(mixer))
})

test('a star mutes and unmutes, by RTP event, as a tone and by INFO', async () => {
  const dialog = await enter('*61')
  const muted = (): (boolean | undefined)[] =>
    media.orders.flatMap((order) => (order.do === 'change-member' ? [order.wishes.muted] : []))
  assert.ok(media.ports[0]?.hearsTones)
  media.ports[0]?.emit('digit', { digit: '*', durationMs: 100 })
  media.ports[0]?.emit('digit', { digit: '5', durationMs: 100 })
  assert.deepEqual(muted(), [true])
  void dialog.request('INFO', { contentType: 'application/dtmf-relay', body: 'Signal=*\r\nDuration=100\r\n' })
  await turn(clock, 1_000)
  assert.deepEqual(muted(), [true, false])
})

test('without a common codec or a free port nobody is let in, and no room is left', async () => {
  assert.equal(await dial('*61', '77'), 488)
  media.limit = media.ports.length
  assert.equal(await dial('*61'), 503)
  assert.equal(live.size, 0)
  const [opened, stopped] = ['open-mixer', 'stop'].map(
    (name) => media.orders.filter((order) => order.do === name).length,
  )
  assert.equal(opened, stopped)
})
