import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { seededRandom } from '../net/memory-network.ts'
import {
  addressIn,
  hasIntegrity,
  printStun,
  stunAttributes,
  stunAttributesOf,
  stunTypeOf,
  stunTypes,
} from '../stun/message.ts'
import { consentMs, IceLite } from './lite.ts'
import { type Check, printCheck } from './test-support.ts'

const local = { user: 'ours', password: 'our-password-of-22-chars' }
const remote = { user: 'them', password: 'their-password-22-chars' }
const browser = { ip: '192.0.2.1', port: 50_000 }

const check = (changes: Partial<Check> = {}): Buffer =>
  printCheck({ username: 'ours:them', password: local.password, ...changes })

const agent = (): IceLite => {
  const ice = new IceLite(local)
  ice.describe(local, remote)
  return ice
}

const errorOf = (answer: Buffer | undefined): number | undefined => {
  const value = stunAttributesOf(answer ?? Buffer.alloc(20))?.find(
    ({ type }) => type === stunAttributes.errorCode,
  )?.value
  return value && (value[2] ?? 0) * 100 + (value[3] ?? 0)
}

test('a check is answered with where it came from, signed by our password (RFC 8445 §7.3)', () => {
  const ice = agent()
  const request = check()
  const answer = ice.receive(request, browser.ip, browser.port, 0)
  const found = stunAttributesOf(answer ?? Buffer.alloc(20))
  assert.ok(answer && found && hasIntegrity(answer, found, local.password))
  assert.equal(stunTypeOf(answer), stunTypes.success)
  const value = found.find(({ type }) => type === stunAttributes.xorMappedAddress)?.value
  assert.deepEqual(value && addressIn(value, answer), browser)
  assert.ok(answer.length < request.length, 'nothing is to be gained by a forged sender')
  assert.ok(ice.isProven(browser.ip, browser.port))
})

test('who does not know our password, or is not whom we expect, gets no answer and proves nothing', () => {
  const ice = agent()
  const strangers = [
    check({ password: 'guess' }),
    check({ username: 'other:them' }),
    check({ username: 'ours:other' }),
    check({ username: 'ours' }),
    printStun({ type: stunTypes.request, id: randomBytes(12), attributes: [] }),
    printStun({ type: stunTypes.success, id: randomBytes(12), attributes: [], key: local.password, fingerprint: true }),
    Buffer.from('garbage that is long enough to be STUN'),
  ]
  for (const bytes of strangers) assert.equal(ice.receive(bytes, browser.ip, browser.port, 0), undefined)
  assert.equal(ice.isProven(browser.ip, browser.port), false)
  assert.equal(ice.destination(0), undefined)
})

test('before the peer has answered whoever knows our password may check: its checks may overtake its answer', () => {
  const ice = new IceLite(local)
  ice.describe(local, undefined)
  assert.equal(stunTypeOf(ice.receive(check(), browser.ip, browser.port, 0) ?? Buffer.alloc(20)), stunTypes.success)
})

test('we send to the first way that works until the peer chooses one', () => {
  const ice = agent()
  ice.receive(check(), '192.0.2.1', 1, 0)
  ice.receive(check({ priority: 900 }), '192.0.2.1', 2, 10)
  assert.equal(ice.destination(10)?.port, 1)
  ice.receive(check({ nominate: true }), '192.0.2.1', 3, 20)
  assert.equal(ice.destination(20)?.port, 3)
})

test('of two ways chosen at once the better one is used; a choice that is repeated later wins (RFC 8445 §8.1.1)', () => {
  const ice = agent()
  ice.receive(check({ nominate: true, priority: 500 }), '192.0.2.1', 1, 0)
  ice.receive(check({ nominate: true, priority: 100 }), '192.0.2.1', 2, 10)
  assert.equal(ice.destination(10)?.port, 1)
  ice.receive(check({ nominate: true, priority: 900 }), '192.0.2.1', 3, 20)
  assert.equal(ice.destination(20)?.port, 3)
  // The browser left its first network.
  ice.receive(check({ nominate: true, priority: 100 }), '192.0.2.1', 2, 2_500)
  assert.equal(ice.destination(2_500)?.port, 2)
})

test('a peer that checks no more has taken back its consent after 30 s (RFC 7675 §5.1)', () => {
  const ice = agent()
  ice.receive(check({ nominate: true }), browser.ip, browser.port, 1_000)
  assert.ok(ice.destination(1_000 + consentMs - 1))
  assert.equal(ice.destination(1_000 + consentMs), undefined)
  ice.receive(check(), browser.ip, browser.port, 40_000)
  assert.deepEqual(ice.destination(40_000)?.port, browser.port)
})

test('a peer that wants to be led is told that we are (487), and one that asks for the unknown what that was (420)', () => {
  const ice = agent()
  const { iceControlled } = stunAttributes
  assert.equal(errorOf(ice.receive(check({ role: iceControlled }), browser.ip, browser.port, 0)), 487)
  const strange = check({ more: [[0x7777, Buffer.alloc(0)]] })
  assert.equal(errorOf(ice.receive(strange, browser.ip, browser.port, 0)), 420)
  assert.equal(ice.isProven(browser.ip, browser.port), false)
})

test('after a restart only new credentials count, and the old way is used until a new one is chosen', () => {
  const ice = agent()
  ice.receive(check({ nominate: true, priority: 900 }), browser.ip, 1, 0)
  const next = { user: 'next', password: 'another-password-of-ours' }
  ice.describe(next, { ...remote, user: 'them2' })
  assert.equal(ice.receive(check(), browser.ip, 1, 10), undefined)
  assert.equal(ice.destination(10)?.port, 1)
  ice.receive(check({ username: 'next:them2', password: next.password, nominate: true }), browser.ip, 2, 20)
  assert.equal(ice.destination(20)?.port, 2)
})

test('a peer with a thousand addresses is remembered by sixteen, and keeps the one in use', () => {
  const ice = agent()
  ice.receive(check({ nominate: true }), browser.ip, 1, 0)
  for (let port = 2; port <= 1_000; port++) ice.receive(check(), browser.ip, port, port)
  assert.equal(ice.destination(1_000)?.port, 1)
  assert.ok(ice.isProven(browser.ip, 1))
  assert.ok(ice.isProven(browser.ip, 1_000))
  assert.equal(ice.isProven(browser.ip, 500), false)
})

test('whatever of a check is changed, nothing is proven by it and nothing breaks (2,000 seeds)', () => {
  const ice = agent()
  const dice = seededRandom(5)
  for (let seed = 0; seed < 2_000; seed++) {
    const bytes = check()
    // Behind the integrity stands the fingerprint alone, of 8 bytes.
    const place = Math.floor(dice() * (bytes.length - 8))
    bytes[place] = (bytes[place] ?? 0) ^ (1 + Math.floor(dice() * 255))
    ice.receive(
      bytes.subarray(0, dice() < 0.5 ? bytes.length : Math.floor(dice() * bytes.length)),
      browser.ip,
      browser.port,
      0,
    )
  }
  assert.equal(ice.isProven(browser.ip, browser.port), false)
})
