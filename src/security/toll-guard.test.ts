import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { FakeClock } from '../core/fake-clock.ts'
import { usualHighRiskPrefixes } from '../core/settings/high-risk-prefixes.ts'
import { FactBus } from '../events/bus.ts'
import { CallLimits } from './call-limits.ts'
import { TollGuard, type WayOut } from './toll-guard.ts'

let clock: FakeClock
let told: string[]
let guard: TollGuard
beforeEach(() => {
  clock = new FakeClock()
  told = []
  const bus = new FactBus()
  bus.on('security.call-refused', ({ extension, number, why }) => told.push(`${extension} ${number} ${why}`))
  guard = new TollGuard({
    clock,
    bus,
    highRiskPrefixes: usualHighRiskPrefixes,
    callsAtATime: 3,
    callsPerHour: 60,
    limits: noLimits(),
  })
})

/** But those of a trunk. */
const noLimits = () => new CallLimits({ clock, bus: new FactBus(), callsAtATime: 0, callsPerSecond: 0 })

const way = (number: string, more: Partial<WayOut> = {}): WayOut => ({
  number,
  highRisk: false,
  trunk: { name: 'carrier' },
  ...more,
})
const may = (number: string, more?: Partial<WayOut>): boolean => guard.allow('101', [way(number, more)]).length > 0

test('dear numbers go out by a rule that says so, and by no other', () => {
  for (const number of [
    '+252612345678',
    '00252612345678',
    '011252612345678',
    '252612345678',
    '+8821612345',
    '+19005551234',
  ]) {
    assert.equal(may(number), false, number)
    assert.equal(may(number, { highRisk: true }), true, number)
  }
  assert.equal(told[0], '101 +252612345678 high-risk')
})

test('ordinary numbers go out, also those that look like a dear one without its country', () => {
  for (const number of ['+4930123456', '004930123456', '030123456', '2525551234', '110', '*98', '+12525551234'])
    assert.equal(guard.isHighRisk(number), false, number)
})

test('a prefix with a zero in front is one inside the country', () => {
  guard = new TollGuard({
    clock,
    bus: new FactBus(),
    highRiskPrefixes: ['0900'],
    callsAtATime: 0,
    callsPerHour: 0,
    limits: noLimits(),
  })
  assert.equal(guard.isHighRisk('0900123456'), true)
  assert.equal(guard.isHighRisk('+49900123456'), false)
})

test('an extension has three calls at a time, and another one when one of them is over', () => {
  const overs = Array.from({ length: 3 }, () => {
    assert.equal(may('+4930123456'), true)
    return guard.begin('101', way('+4930123456'))
  })
  assert.equal(may('+4930123456'), false)
  assert.equal(guard.allow('102', [way('+4930123456')]).length, 1)
  assert.equal(guard.begin('101', way('+4930123456')), undefined, 'it had been let out before')
  overs[0]?.()
  overs[0]?.()
  assert.equal(may('+4930123456'), true)
  assert.deepEqual(told, ['101 +4930123456 calls-at-a-time', '101 +4930123456 calls-at-a-time'])
})

test('a call for help is never one too many', () => {
  for (let call = 0; call < 100; call++) {
    assert.equal(may('112'), true)
    guard.begin('101', way('112'))
  }
})

test('an extension has sixty calls in an hour, and then one a minute', () => {
  const made = Array.from({ length: 100 }, () => may('+4930123456')).filter(Boolean)
  assert.equal(made.length, 60)
  clock.advance(60_000)
  assert.deepEqual([may('+4930123456'), may('+4930123456')], [true, false])
})

test('a trunk that is full is passed over for the next one', () => {
  const small = { trunk: { name: 'small', maxCalls: 1 } }
  const ways = [way('+4930123456', small), way('+4930123456')]
  assert.equal(guard.allow('101', ways).length, 2)
  guard.begin('102', way('+4930123456', small))
  assert.deepEqual(guard.allow('101', ways), [ways[1]])
  assert.equal(may('+4930123456', small), false)
  assert.deepEqual(told, ['101 +4930123456 trunk-full'])
})
