import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FactBus } from '../events/bus.ts'
import { honorPreferences } from './record-preference.ts'

test('a recording is paused as long as one of the parties wishes it, also when it wished before (RFC 7866 §7.1.3)', async () => {
  const bus = new FactBus()
  const orders: string[] = []
  honorPreferences(bus, (callId, on) => orders.push(`${callId} ${on ? 'pause' : 'resume'}`))
  const of = { atMs: 1, callId: 'call' }
  const wish = (legId: string, preference: 'on' | 'off' | 'pause' | 'nopreference') =>
    bus.publish({ name: 'leg.record-preference', ...of, legId, preference })
  wish('a', 'off')
  bus.publish({ name: 'recording.started', ...of, recordingId: 'r', folder: '/' })
  await Promise.resolve()
  wish('b', 'pause')
  wish('a', 'on')
  assert.deepEqual(orders, ['call pause', 'call pause'])
  wish('b', 'nopreference')
  assert.deepEqual(orders.slice(2), ['call resume'])
  wish('a', 'pause')
  bus.publish({ name: 'leg.ended', ...of, legId: 'a' })
  bus.publish({ name: 'call.ended', ...of, reason: 'hangup' })
  bus.publish({ name: 'recording.started', ...of, recordingId: 'r', folder: '/' })
  await Promise.resolve()
  assert.deepEqual(orders.slice(3), ['call pause', 'call resume'])
})
