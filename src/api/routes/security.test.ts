import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../core/fake-clock.ts'
import { FactBus } from '../../events/bus.ts'
import { Bans } from '../../security/bans.ts'
import { startApi } from '../test-support.ts'

function someBans() {
  const bans = new Bans({ clock: new FakeClock(), bus: new FactBus(), lifeMs: 3_600_000 })
  bans.add('192.0.2.66', 'guessing', '101')
  bans.add('2001:db8:0:1::/64', 'scanning', undefined)
  return bans
}

test('bans are listed with who, why and until when', async (t) => {
  const { app, as } = await startApi(t, { bans: someBans() })
  const { statusCode, body } = await app.inject({ url: '/api/security/bans', headers: await as('viewer') })
  assert.equal(statusCode, 200)
  const { items } = JSON.parse(body) as {
    items: { source: string; why: string; who?: string; untilMs: number; sinceMs: number }[]
  }
  assert.deepEqual(
    items.map(({ source, why, who, sinceMs, untilMs }) => [source, why, who, untilMs - sinceMs]),
    [
      ['2001:db8:0:1::/64', 'scanning', undefined, 3_600_000],
      ['192.0.2.66', 'guessing', '101', 3_600_000],
    ],
  )
})

test('an administrator releases a ban, a viewer does not, and nobody releases one twice', async (t) => {
  const bans = someBans()
  const { app, as } = await startApi(t, { bans })
  const url = `/api/security/bans?source=${encodeURIComponent('2001:db8:0:1::/64')}`
  const release = async (role: 'admin' | 'viewer') => {
    const { statusCode, body } = await app.inject({ method: 'DELETE', url, headers: await as(role) })
    return body === '' ? statusCode : `${statusCode} ${(JSON.parse(body) as { code: string }).code}`
  }
  assert.equal(await release('viewer'), '403 auth.forbidden')
  assert.equal(await release('admin'), 204)
  assert.equal(await release('admin'), '404 api.ban-not-found')
  assert.deepEqual(
    bans.list().map(({ source }) => source),
    ['192.0.2.66'],
  )
})
