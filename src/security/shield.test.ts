import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { FakeClock } from '../core/fake-clock.ts'
import { parseNetworks } from '../core/networks.ts'
import { FactBus } from '../events/bus.ts'
import { requestWith, udpFlow } from '../pbx/test-support.ts'
import type { Flow } from '../sip/stack.types.ts'
import { type Sender, Shield, type ShieldOptions } from './shield.ts'

let clock: FakeClock
let told: string[]
let shield: Shield

function makeShield(changes: Partial<ShieldOptions> = {}): Shield {
  clock = new FakeClock()
  told = []
  const bus = new FactBus()
  bus.onAny((fact) => told.push(`${fact.name} ${'source' in fact ? fact.source : ''}`))
  return new Shield({
    clock,
    bus,
    trusted: parseNetworks(['203.0.113.0/24']),
    messagesPerSecond: 50,
    messagesPerSecondInAll: 2_000,
    banAfter: 20,
    banMs: 3_600_000,
    knownMs: 4_200_000,
    ...changes,
  })
}
beforeEach(() => {
  shield = makeShield()
})

const scanner = udpFlow('192.0.2.66', 5060)
const overTcp = (ip: string): Flow => ({ ...udpFlow(ip, 40_000), transport: 'tcp', reliable: true })

const reads = (from: Flow, times: number): number =>
  Array.from({ length: times }, () => shield.mayRead(from.transport, from.remote)).filter(Boolean).length

const from = (flow: Flow): Sender => ({ flow, device: flow.remote })

/** A request that this proxy passed on. */
function through(proxy: Flow, ...below: string[]): Sender {
  const request = requestWith('REGISTER', 'sip:pbx', {})
  for (const via of below) request.headers.append('Via', `SIP/2.0/UDP ${via};branch=z9hG4bKy`)
  return shield.senderOf(request, proxy)
}

function guess(by: Flow | Sender, username: string, times: number): number {
  const sender = 'device' in by ? by : from(by)
  let looked = 0
  for (let at = 0; at < times; at++) {
    if (shield.mayGuess(sender, username)) looked++
    shield.wrongAnswer(sender, username, true)
  }
  return looked
}

test('a stranger is read up to its allowance, and told of once', () => {
  assert.equal(reads(scanner, 1_000), 200)
  clock.advance(1_000)
  assert.equal(reads(scanner, 1_000), 50)
  assert.deepEqual(told, ['security.limited 192.0.2.66'])
})

test('a phone that proved itself is read behind the same address as a flood', () => {
  const phone = udpFlow('192.0.2.66', 5061)
  shield.vouch(from(phone), '101')
  assert.equal(reads(scanner, 1_000), 200)
  assert.equal(reads(phone, 1_000), 1_000)
})

test('who we called is read: its answers are no flood', () => {
  shield.expect(udpFlow('198.51.100.4', 5060))
  assert.equal(reads(udpFlow('198.51.100.4', 5060), 5_000), 5_000)
})

test('all addresses of one IPv6 network share an allowance', () => {
  assert.equal(reads(udpFlow('2001:db8::1'), 150), 150)
  assert.equal(reads(udpFlow('2001:db8::ffff:2'), 150), 50)
  assert.equal(reads(udpFlow('2001:db8:0:1::1'), 150), 150)
})

test('forged sources share one allowance in all, and known flows go on', () => {
  const phone = udpFlow('198.51.100.9')
  shield.vouch(from(phone), '101')
  let read = 0
  for (let host = 0; host < 50_000; host++)
    read += reads(udpFlow(`10.${host >> 16}.${(host >> 8) & 255}.${host & 255}`), 1)
  assert.equal(read, 4_000)
  assert.equal(reads(phone, 100), 100)
  assert.equal(reads(udpFlow('203.0.113.4'), 1_000), 1_000)
})

test('20 wrong answers within a minute ban the source, but not its phones, nor others', () => {
  const phone = udpFlow('192.0.2.66', 5061)
  shield.vouch(from(phone), '101')
  for (const name of ['100', '102', '103', '104']) guess(scanner, name, 5)
  assert.equal(shield.bans.list().length, 0)
  guess(scanner, '105', 1)
  assert.deepEqual(
    shield.bans.list().map(({ source, why, who }) => `${source} ${why} ${who}`),
    ['192.0.2.66 guessing 105'],
  )
  assert.equal(reads(scanner, 10), 0)
  assert.equal(shield.mayConnect('192.0.2.66'), false)
  assert.equal(reads(phone, 10), 10)
  assert.equal(reads(udpFlow('192.0.2.67'), 10), 10)
})

test('a ban ends by itself, and by a person', () => {
  guess(scanner, '100', 21)
  clock.advance(3_600_000)
  assert.equal(reads(scanner, 1), 1)
  guess(scanner, '100', 21)
  assert.equal(shield.bans.release('192.0.2.66'), true)
  assert.equal(reads(scanner, 1), 1)
  assert.equal(shield.bans.release('192.0.2.66'), false)
  assert.deepEqual(told, [
    'security.banned 192.0.2.66',
    'security.released 192.0.2.66',
    'security.banned 192.0.2.66',
    'security.released 192.0.2.66',
  ])
})

test('an answer that no challenge was sent for counts for nothing over UDP: the source may be forged', () => {
  for (let at = 0; at < 1_000; at++) shield.wrongAnswer(from(scanner), '101', false)
  assert.equal(shield.bans.list().length, 0)
  assert.equal(shield.mayGuess(from(udpFlow('192.0.2.66', 5061)), '101'), true)
  for (let at = 0; at < 21; at++) shield.wrongAnswer(from(overTcp('192.0.2.68')), '101', false)
  assert.equal(shield.bans.list()[0]?.source, '192.0.2.68')
})

test('of 10,000 guesses at one account from one source 5 are looked at, then one a minute', () => {
  shield = makeShield({ banAfter: 0 })
  assert.equal(guess(scanner, '101', 10_000), 5)
  assert.equal(shield.mayGuess(from(scanner), '102'), true)
  clock.advance(60_000)
  assert.equal(guess(scanner, '101', 10_000), 1)
})

test('a registered phone signs in again while its account is guessed at from the same address', () => {
  shield = makeShield({ banAfter: 0 })
  const phone = udpFlow('192.0.2.66', 5061)
  shield.vouch(from(phone), '101')
  guess(scanner, '101', 100)
  assert.equal(shield.mayGuess(from(phone), '101'), true)
  assert.equal(shield.mayGuess(from(udpFlow('192.0.2.66', 5062)), '101'), false)
})

test('an account under attack from many sources gives each new one a single guess', () => {
  for (let host = 0; host < 100; host++) guess(udpFlow(`10.0.0.${host}`), '101', 1)
  assert.equal(guess(udpFlow('10.0.1.1'), '101', 4), 1)
  assert.equal(guess(udpFlow('10.0.1.1'), '102', 4), 4)
})

test('a phone with an old password that tries four times a minute does not get its office banned', () => {
  const phone = udpFlow('192.0.2.66', 5061)
  for (let minute = 0; minute < 24 * 60; minute++) {
    guess(phone, '101', 4)
    clock.advance(60_000)
  }
  assert.equal(shield.bans.list().length, 0)
})

test('a patient guesser at many accounts is banned in the end', () => {
  for (let guessed = 0; guessed < 1_000 && shield.bans.list().length === 0; guessed++) {
    guess(scanner, String(guessed % 50), 1)
    clock.advance(10_000)
  }
  assert.equal(shield.bans.list()[0]?.why, 'guessing')
})

test('the trusted are never banned and never slowed down, but their guesses are', () => {
  const proxy = udpFlow('203.0.113.4')
  assert.equal(guess(proxy, '101', 10_000), 5)
  assert.equal(reads(proxy, 10_000), 10_000)
  assert.equal(shield.bans.list().length, 0)
})

test('a scanner that says its name is banned over a connection, and never over UDP', () => {
  for (let at = 0; at < 100; at++) shield.scanner(from(scanner))
  assert.equal(shield.bans.list().length, 0)
  for (let at = 0; at < 6; at++) shield.scanner(from(overTcp('192.0.2.68')))
  assert.deepEqual(
    shield.bans.list().map(({ source, why }) => `${source} ${why}`),
    ['192.0.2.68 scanning'],
  )
})

test('only allowed sources are read when there is a list, and denied ones never', () => {
  shield = makeShield({ allowed: parseNetworks(['192.0.2.0/24']), denied: parseNetworks(['192.0.2.66']) })
  assert.equal(reads(udpFlow('192.0.2.1'), 1), 1)
  assert.equal(reads(udpFlow('203.0.113.4'), 1), 1, 'the trusted are allowed')
  assert.equal(reads(scanner, 1), 0)
  assert.equal(reads(udpFlow('198.51.100.1'), 1), 0)
})

test('what the trusted send leaves strangers their allowance: a proxy in front, a large SBC', () => {
  const proxy = udpFlow('203.0.113.4')
  assert.equal(reads(proxy, 100_000), 100_000)
  assert.equal(reads(udpFlow('192.0.2.1'), 100), 100)
})

test('2,000 phones behind one NAT sign in again within half a minute of a power cut', () => {
  shield = makeShield({ messagesPerSecond: 200 })
  // Each asks, is challenged, answers; what is dropped it sends again as RFC 3261 §17.1.2.2 says.
  const phones = Array.from({ length: 2_000 }, (_, at) => ({
    port: 10_000 + at,
    dueMs: at % 1_000,
    waitMs: 500,
    asked: false,
  }))
  let signedIn = 0
  for (; clock.now() < 30_000; clock.advance(10))
    for (const phone of phones)
      while (phone.dueMs <= clock.now()) {
        const flow = udpFlow('192.0.2.66', phone.port)
        if (!shield.mayRead('udp', flow.remote)) {
          phone.dueMs += phone.waitMs
          phone.waitMs = Math.min(4_000, 2 * phone.waitMs)
        } else if (!phone.asked) Object.assign(phone, { asked: true, waitMs: 500 })
        else {
          shield.vouch(from(flow), String(phone.port))
          signedIn++
          phone.dueMs = Number.POSITIVE_INFINITY
        }
      }
  assert.equal(signedIn, 2_000)
})

test('behind a proxy that we trust each device guesses for itself: who is registered there is not locked out', () => {
  const proxy = udpFlow('203.0.113.4')
  const phone = through(proxy, '10.0.0.7:5060;rport=40001;received=198.51.100.9')
  const attacker = through(proxy, '203.0.113.4;rport=5060;received=192.0.2.66')
  shield.vouch(phone, '101')
  assert.equal(guess(attacker, '101', 10_000), 5)
  assert.equal(shield.mayGuess(phone, '101'), true)
  assert.equal(guess(phone, '101', 10_000), 5, 'its own login is no licence to guess')
  assert.equal(shield.nonceSource(phone), '198.51.100.9')
})

test('behind one that hides its devices an account has a hundred guesses, whoever is registered', () => {
  const proxy = udpFlow('203.0.113.4')
  shield.vouch(through(proxy), '101')
  assert.equal(guess(through(proxy), '101', 99), 99)
  assert.equal(shield.mayGuess(through(proxy), '101'), true, 'its phone signs in again')
  assert.equal(guess(through(proxy), '101', 10_000), 1)
})

test('calls with the forged address of a trunk do not push out the phones that are known', () => {
  const phone = udpFlow('192.0.2.66', 5061)
  shield.vouch(from(phone), '101')
  for (let port = 1; port <= 65_535; port++)
    for (const ip of ['203.0.113.4', '203.0.113.5', '203.0.113.6', '203.0.113.7']) shield.vouch(from(udpFlow(ip, port)))
  guess(scanner, '102', 30)
  assert.equal(reads(phone, 1), 1)
})

test('a denied source is not read, though we called it', () => {
  shield = makeShield({ denied: parseNetworks(['192.0.2.66']) })
  shield.expect(scanner)
  assert.equal(reads(scanner, 1), 0)
})

/** Megabytes that are in use once nothing more can be collected. */
function heapMb(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  return process.memoryUsage().heapUsed / 1e6
}

test('a phone that is known keeps nothing of the message by which it signed in', () => {
  const before = heapMb()
  for (let n = 0; n < 2_000; n++) {
    const message = Buffer.from(`username="user number ${n}" ${'y'.repeat(50_000)}`).toString()
    shield.vouch(from(udpFlow(`10.0.${n >> 8}.${n & 255}`)), message.slice(10, 28))
  }
  assert.ok(heapMb() - before < 20)
  assert.equal(shield.mayGuess(from(udpFlow('10.0.0.1')), 'x'), true)
})

test('who guesses keeps no memory by the names it tries: 20,000 long ones took a gigabyte', () => {
  const before = heapMb()
  for (let n = 0; n < 2_000; n++) {
    const message = Buffer.from(`username="user number ${n} ${'u'.repeat(8_000)}" ${'y'.repeat(50_000)}`).toString()
    guess(udpFlow(`2001:db8:1:${n.toString(16)}::1`), message.slice(10, 8_000), 1)
  }
  assert.ok(heapMb() - before < 20)
  assert.equal(shield.bans.list().length, 0)
})
