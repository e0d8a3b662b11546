import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { FakeClock } from '../core/fake-clock.ts'
import { FactBus } from '../events/bus.ts'
import { CallLimits } from './call-limits.ts'

let clock: FakeClock
let told: string[]
let limits: CallLimits
beforeEach(() => {
  clock = new FakeClock()
  told = []
  const bus = new FactBus()
  bus.on('security.call-refused', ({ extension, trunk, why }) => told.push(`${extension ?? trunk} ${why}`))
  limits = new CallLimits({ clock, bus, callsAtATime: 30, callsPerSecond: 5 })
})

const from = (extension: string, number = '102', outside = false) => limits.begin({ extension, number, outside })
const carrier = { name: 'carrier', maxCalls: 2 }
const comesIn = (trunk = carrier) => limits.begin({ trunk, number: '+4930' })

test('an extension begins twenty calls at once and five a second then; others are not touched by it', () => {
  const begun = Array.from({ length: 100 }, () => from('101')).filter(Boolean)
  assert.equal(begun.length, 20)
  assert.ok(from('102'))
  clock.advance(1_000)
  assert.equal(Array.from({ length: 100 }, () => from('101')).filter(Boolean).length, 5)
  assert.equal(told[0], '101 calls-per-second')
})

test('an extension has so many calls at a time, to phones inside as well, and another when one is over', () => {
  const overs = Array.from({ length: 30 }, () => {
    clock.advance(1_000)
    return from('101')
  })
  clock.advance(1_000)
  assert.equal(from('101'), undefined)
  overs[0]?.()
  overs[0]?.()
  assert.ok(from('101'))
  assert.equal(from('101'), undefined)
  assert.deepEqual(told, ['101 calls-at-a-time', '101 calls-at-a-time'])
})

test('a call for help goes out, whatever the extension and the trunk have going on', () => {
  for (let call = 0; call < 200; call++) {
    assert.ok(from('101', '112', true))
    assert.ok(limits.beginOut(carrier, '112'))
  }
  assert.ok(
    Array.from({ length: 100 }, () => from('101', '102')).includes(undefined),
    'an extension of three digits is no help',
  )
})

test('a trunk has its calls in both directions together', () => {
  const out = limits.beginOut(carrier, '+4930')
  assert.ok(out && comesIn())
  assert.equal(comesIn(), undefined)
  assert.equal(limits.hasRoom(carrier), false)
  assert.equal(limits.beginOut(carrier, '+4930'), undefined)
  out()
  assert.equal(limits.hasRoom(carrier), true)
  assert.ok(comesIn())
  assert.deepEqual(told, ['carrier trunk-full'])
})

test('a trunk that takes two calls a second is asked for no more', () => {
  const slow = { name: 'slow', callsPerSecond: 2 }
  const tries = () => Array.from({ length: 10 }, () => limits.beginOut(slow, '+4930')).filter(Boolean).length
  assert.equal(tries(), 2)
  assert.equal(limits.hasRoom(slow), false)
  clock.advance(1_000)
  assert.equal(limits.hasRoom(slow), true)
  assert.equal(tries(), 2)
})

test('a flood of refused calls is told a hundred times and then ten times a second', () => {
  for (let call = 0; call < 10_000; call++) comesIn()
  assert.equal(told.length, 100)
})

test('a trunk without limits has none, and an extension whose limits are 0', () => {
  limits = new CallLimits({ clock, bus: new FactBus(), callsAtATime: 0, callsPerSecond: 0 })
  for (let call = 0; call < 1_000; call++)
    assert.ok(from('101') && limits.begin({ trunk: { name: 'open' }, number: '1' }))
})
