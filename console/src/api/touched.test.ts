import assert from 'node:assert/strict'
import { test } from 'node:test'
import { heardKinds, kindsTouchedBy } from './touched.ts'

test('the end of a call makes the live calls, the call and the history stale', () => {
  assert.deepEqual(kindsTouchedBy('{"name":"call.ended","atMs":1,"callId":"c1"}'), ['live', 'call c1', 'calls'])
})

test('a stored recording shows in the recordings, the call and the history', () => {
  const keys = kindsTouchedBy('{"name":"recording.stored","atMs":1,"callId":"c1"}')
  assert.deepEqual(keys, ['live', 'call c1', 'recordings', 'calls'])
})

test('a registration changes the extensions only', () => {
  assert.deepEqual(kindsTouchedBy('{"name":"registration.added","atMs":1,"extension":"101"}'), ['extensions', 'status'])
})

test('quality, told every few seconds of each leg, changes that call only', () => {
  assert.deepEqual(kindsTouchedBy('{"name":"leg.quality","atMs":1,"callId":"8f3a","legId":"l"}'), ['call 8f3a'])
})

test('a ban changes the list of bans only', () => {
  assert.deepEqual(kindsTouchedBy('{"name":"security.banned","atMs":1,"source":"192.0.2.1"}'), ['bans'])
})

test('facts that make something stale are listened for', () => {
  const names = ['call.ended', 'leg.started', 'registration.added', 'recording.stored', 'security.banned', 'trunk.down']
  for (const name of names) assert.ok(new Set<string>(heardKinds).has(name.split('.')[0] ?? ''), name)
})

test('what is not a fact changes nothing', () => {
  for (const text of ['', 'ping', 'null', '{}', '{"name":7}', '[']) assert.deepEqual(kindsTouchedBy(text), [])
})

test('a trunk that goes down or comes back changes the trunks only', () => {
  assert.deepEqual(kindsTouchedBy('{"name":"trunk.down","atMs":1,"trunk":"carrier","reason":"no answer"}'), ['trunks'])
})
