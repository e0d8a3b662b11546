/** Who is rung after whom: ways of a trunk, devices by preference, redirections. */
import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { turn } from '../sip/dialog/test-support.ts'
import type { SipUri } from '../sip/message/types.ts'
import { printUri } from '../sip/message/uri.ts'
import type { Destination } from './fork.types.ts'
import { CallWorld, deviceIps, to102 } from './test-support.ts'

let world: CallWorld
let reports: string[]

beforeEach(async () => {
  world = await CallWorld.open()
  reports = []
})

const nobodyIp = '192.0.2.77'

const at = (ip: string, more: Partial<Destination> = {}): Destination => ({
  target: { uri: `sip:102@${ip}:5060` },
  party: to102,
  ...more,
})

/** Ways, in this order. */
const ways = (...ips: string[]): void => {
  world.dialOptions = {
    ringMs: 120_000,
    destinations: ips.map((ip, order) =>
      at(ip, { order, isWay: true, report: (served) => reports.push(`${order} ${served}`) }),
    ),
  }
}

const [first = '', second = ''] = deviceIps

async function outcomeAfter(ms: number) {
  const invite = world.call()
  await turn(world.clock, ms)
  return invite.outcome
}

test('a way that cannot serve is followed by the next, which takes the call', async () => {
  ways(first, second)
  world.device(0, (invite) => invite.reject(503))
  const served = world.answers(1)
  const outcome = await outcomeAfter(1_000)
  assert.ok(outcome.answered && served.dialog)
  assert.deepEqual(reports, ['0 false', '1 true'])
  void outcome.dialog.bye()
  await world.nothingIsLeft()
})

test('a way that says no for the callee has the last word', async () => {
  ways(first, second)
  world.device(0, (invite) => invite.reject(486))
  const other = world.answers(1)
  const outcome = await outcomeAfter(1_000)
  assert.equal(outcome.response.status, 486)
  assert.equal(other.invite, undefined)
  assert.deepEqual(reports, ['0 true'])
  await world.nothingIsLeft()
})

test('a 503 after it rang is the word of the callee, not of the way', async () => {
  ways(first, second)
  const other = world.answers(1)
  world.device(0, (invite) => {
    invite.ring(180)
    invite.reject(503)
  })
  const outcome = await outcomeAfter(1_000)
  assert.equal(outcome.answered, false)
  assert.equal(other.invite, undefined)
})

test('a silent way is given up after six seconds', async () => {
  ways(nobodyIp, first)
  const served = world.answers(0)
  const outcome = await outcomeAfter(7_000)
  assert.ok(outcome.answered && served.invite)
  assert.deepEqual(reports, ['0 false', '1 true'])
  void outcome.dialog.bye()
  await world.nothingIsLeft()
})

test('a way that is slow, but said that it tries, is waited for', async () => {
  ways(first, second)
  world.device(0, (invite, seen) => {
    world.clock.after(9_000, () => (seen.dialog = invite.answer({})))
  })
  const other = world.answers(1)
  void world.call()
  await turn(world.clock, 8_500)
  assert.equal(other.invite, undefined)
})

test('the last way has the patience of a transaction', async () => {
  ways(first, nobodyIp)
  world.device(0, (invite) => invite.reject(500))
  const invite = world.call()
  await turn(world.clock, 31_000)
  assert.equal(world.live.size, 1)
  await turn(world.clock, 3_000)
  assert.equal((await invite.outcome).answered, false)
  assert.deepEqual(reports, ['0 false', '1 false'])
})

test('devices of lower preference ring when those before had their share of the time', async () => {
  world.dialOptions = { destinations: [at(first), at(second, { order: 1 })] }
  const preferred = world.rings(0)
  const other = world.answers(1)
  const invite = world.call()
  await turn(world.clock, 14_000)
  assert.ok(preferred.invite && !other.invite)
  await turn(world.clock, 3_000)
  assert.ok(other.invite)
  assert.equal(preferred.invite.cancelled.aborted, true)
  const outcome = await invite.outcome
  assert.ok(outcome.answered)
  void outcome.dialog.bye()
  await world.nothingIsLeft()
})

/** The first device, whose redirections lead where the list says. */
const following = (onward: (uri: string) => readonly Destination[]): Destination =>
  at(first, { follow: (uris: readonly SipUri[]) => uris.flatMap((uri) => onward(printUri(uri))) })

test('a redirection leads where the destination may send it, best first (RFC 3261 §8.1.3.4)', async () => {
  const seen: string[] = []
  const follow = (uri: string) => {
    seen.push(uri)
    return seen.length === 2 ? [at(second)] : []
  }
  world.dialOptions = { destinations: [following(follow)] }
  world.device(0, (invite) => invite.reject(302, { headers: { Contact: ['<sip:b@x>;q=0.2', '<sip:a@x>;q=0.9'] } }))
  const reached = world.answers(1)
  const outcome = await outcomeAfter(1_000)
  assert.ok(outcome.answered && reached.invite)
  assert.deepEqual(seen, ['sip:a@x', 'sip:b@x'])
  assert.equal(world.live.list()[0]?.snapshot().legs.length, 2)
})

test('one that leads nowhere, or where it came from, is a refusal', async () => {
  world.dialOptions = { destinations: [following(() => [at(first)])] }
  const asked: number[] = []
  world.device(0, (invite) => {
    asked.push(1)
    invite.reject(302, { headers: { Contact: '<sip:102@x>' } })
  })
  const outcome = await outcomeAfter(1_000)
  assert.equal(outcome.response.status, 480)
  assert.equal(asked.length, 1)
  await world.nothingIsLeft()
})

test('a chain of redirections ends after five', async () => {
  let hops = 0
  const next = (): Destination => ({
    target: { uri: `sip:${++hops}@${first}:5060` },
    party: to102,
    follow: () => [next()],
  })
  world.dialOptions = { destinations: [next()] }
  world.device(0, (invite) => invite.reject(302, { headers: { Contact: '<sip:102@x>' } }))
  const outcome = await outcomeAfter(2_000)
  assert.equal(outcome.response.status, 480)
  assert.equal(hops, 6)
})
