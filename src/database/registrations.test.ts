import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../core/fake-clock.ts'
import { silentLogger } from '../core/logger.ts'
import { FactBus } from '../events/bus.ts'
import type { KeptBinding } from '../pbx/registration-store.ts'
import { settle } from '../sip/dialog/test-support.ts'
import { openDatabase } from './open.ts'

const binding = (id: string, more: Partial<KeptBinding> = {}): KeptBinding => ({
  id,
  extension: '101',
  contact: '<sip:101@10.0.0.5:5060>;q=0.5',
  path: ['<sip:edge.example;lr>'],
  local: { ip: '192.0.2.1', port: 5060 },
  remote: { ip: '2001:db8::9', port: 40_000 },
  callId: 'c1',
  cseq: 2 ** 31 - 1,
  userAgent: 'phone',
  expiresAtMs: 1_800_000_000_000,
  proof: 'p',
  ...more,
})

test('bindings are written together, once a second, and read back as they were', async (t) => {
  const clock = new FakeClock()
  const database = await openDatabase({ path: ':memory:', log: silentLogger })
  t.after(() => database.close())
  database.keep(new FactBus(), clock)
  const { registrations } = database
  registrations.save(binding('a'))
  registrations.save(binding('b', { path: [], expiresAtMs: 1 }))
  registrations.save(binding('c'))
  registrations.remove('c')
  clock.advance(1_000)
  await settle()
  const { userAgent: _unnamed, ...plain } = binding('a', { cseq: 2 })
  registrations.save(plain)
  assert.deepEqual(await registrations.all(), [binding('b', { path: [], expiresAtMs: 1 }), plain])
  registrations.remove('a')
  assert.deepEqual(
    (await registrations.all()).map(({ id }) => id),
    ['b'],
  )
})

test('many are written in one go', async (t) => {
  const database = await openDatabase({ path: ':memory:', log: silentLogger })
  t.after(() => database.close())
  for (let index = 0; index < 2_500; index++) database.registrations.save(binding(`id ${index}`))
  assert.equal((await database.registrations.all()).length, 2_500)
})
