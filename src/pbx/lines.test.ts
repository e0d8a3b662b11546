import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FactBus } from '../events/bus.ts'
import type { LegRole, Party } from '../events/catalogue.ts'
import { Lines } from './lines.ts'

const alice: Party = { uri: 'sip:101@pbx', extension: '101', name: 'Alice' }
const bob: Party = { uri: 'sip:102@pbx', extension: '102' }
const carol: Party = { uri: 'sip:103@pbx', extension: '103' }
const world: Party = { uri: 'sip:+4930@carrier' }

/** Facts as a call tells them, and what each extension shows after them. */
function phones() {
  const bus = new FactBus()
  const told: string[] = []
  const lines = new Lines(bus, (extension) => told.push(extension))
  const at = { atMs: 0 }
  const leg = { sipCallId: 'x', transport: 'udp', remote: 'y' }
  return {
    told,
    shows: (extension: string) =>
      lines.of(extension).map(({ direction, state, remote }) => `${direction} ${state} ${remote.uri}`),
    start: (callId: string, from: Party, to: Party) =>
      bus.publish({ name: 'call.started', ...at, callId, kind: 'pbx', from, to }),
    leg: (callId: string, legId: string, role: LegRole, party: Party) =>
      bus.publish({ name: 'leg.started', ...at, ...leg, callId, legId, role, party }),
    ring: (callId: string, legId: string) => bus.publish({ name: 'call.ringing', ...at, callId, legId }),
    answer: (callId: string, legId: string) => bus.publish({ name: 'leg.answered', ...at, callId, legId }),
    leave: (callId: string, legId: string) => bus.publish({ name: 'leg.ended', ...at, callId, legId }),
    transfer: (callId: string, legId: string, replacedBy: string) =>
      bus.publish({ name: 'call.transferred', ...at, callId, legId, replacedBy, kind: 'blind' }),
    end: (callId: string) => bus.publish({ name: 'call.ended', ...at, callId, reason: 'hangup' }),
  }
}

test('a call shows on both sides, from trying to talking, and is gone at its end', () => {
  const pbx = phones()
  pbx.start('c', alice, bob)
  pbx.leg('c', 'a', 'caller', alice)
  pbx.leg('c', 'b', 'callee', bob)
  assert.deepEqual(pbx.shows('101'), ['initiator trying sip:102@pbx'])
  assert.deepEqual(pbx.shows('102'), ['recipient trying sip:101@pbx'])
  pbx.ring('c', 'b')
  assert.deepEqual(
    [pbx.shows('101'), pbx.shows('102')],
    [['initiator early sip:102@pbx'], ['recipient early sip:101@pbx']],
  )
  pbx.answer('c', 'b')
  pbx.answer('c', 'a')
  assert.deepEqual(
    [pbx.shows('101'), pbx.shows('102')],
    [['initiator confirmed sip:102@pbx'], ['recipient confirmed sip:101@pbx']],
  )
  pbx.told.length = 0
  pbx.end('c')
  assert.deepEqual(pbx.told.toSorted(), ['101', '102'])
  pbx.leave('c', 'a')
  assert.deepEqual([pbx.shows('101'), pbx.shows('102')], [[], []])
})

test('several devices of an extension are one line, which rings as long as one of them does', () => {
  const pbx = phones()
  pbx.start('c', world, bob)
  pbx.leg('c', 'w', 'caller', world)
  pbx.leg('c', 'b1', 'callee', bob)
  pbx.leg('c', 'b2', 'callee', bob)
  pbx.ring('c', 'b2')
  assert.deepEqual(pbx.shows('102'), ['recipient early sip:+4930@carrier'])
  pbx.leave('c', 'b2')
  assert.deepEqual(pbx.shows('102'), ['recipient trying sip:+4930@carrier'])
  pbx.leave('c', 'b1')
  assert.deepEqual(pbx.shows('102'), [])
})

test('after a transfer the one who left shows nothing, and the others show each other', () => {
  const pbx = phones()
  pbx.start('c', alice, bob)
  pbx.leg('c', 'a', 'caller', alice)
  pbx.leg('c', 'b', 'callee', bob)
  for (const leg of ['a', 'b']) pbx.answer('c', leg)
  pbx.leg('c', 'x', 'callee', carol)
  pbx.ring('c', 'x')
  assert.deepEqual(pbx.shows('103'), ['recipient early sip:102@pbx'.replace('102', '101')])
  pbx.answer('c', 'x')
  pbx.transfer('c', 'b', 'x')
  assert.deepEqual(
    [pbx.shows('101'), pbx.shows('102'), pbx.shows('103')],
    [['initiator confirmed sip:103@pbx'], [], ['recipient confirmed sip:101@pbx']],
  )
})

test('two calls are two lines, one to oneself as well; a recording session is none', () => {
  const pbx = phones()
  pbx.start('c', alice, alice)
  pbx.leg('c', 'a', 'caller', alice)
  pbx.leg('c', 'b', 'callee', alice)
  pbx.start('d', bob, alice)
  pbx.leg('d', 'x', 'callee', alice)
  assert.deepEqual(pbx.shows('101'), [
    'initiator trying sip:101@pbx',
    'recipient trying sip:101@pbx',
    'recipient trying sip:102@pbx',
  ])
  pbx.leg('unknown', 'y', 'callee', carol)
  assert.deepEqual(pbx.shows('103'), [])
})
