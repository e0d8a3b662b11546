import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../core/fake-clock.ts'
import type { Flow } from '../sip/stack.types.ts'
import { NatKeeper, type Reached } from './nat-keeper.ts'

const phone = (ip: string, contact: string, transport: Flow['transport'] = 'udp', port = 5060): Reached => ({
  uri: `sip:101@${contact}:5060`,
  flow: {
    id: `${ip} ${port}`,
    transport,
    reliable: transport !== 'udp',
    local: { ip: '198.51.100.2', port: 5060 },
    remote: { ip, port },
    open: true,
  },
})

function keeping(phones: readonly Reached[]) {
  const clock = new FakeClock()
  const pinged: { readonly id: string; readonly atMs: number }[] = []
  const ping = ({ id }: Flow): void => void pinged.push({ id, atMs: clock.now() })
  const keeper = new NatKeeper({ clock, reached: () => phones, ping, everyMs: 25_000 })
  return { clock, pinged, keeper }
}

test('phones behind NAT are pinged every 25 seconds, others are left alone', () => {
  const { clock, pinged, keeper } = keeping([
    phone('203.0.113.7', '192.168.1.20'),
    phone('203.0.113.8', '203.0.113.8'), // rewrote its Contact, as many do
    phone('10.0.0.7', '192.168.1.20'), // another network of ours, behind a NAT of its own
    phone('192.168.1.21', '192.168.1.21'),
    phone('203.0.113.9', '192.168.1.20', 'tcp'),
  ])
  clock.advance(100_000)
  const times = (ip: string): readonly number[] =>
    pinged.filter(({ id }) => id.startsWith(ip)).map(({ atMs }) => atMs / 1_000)
  for (const ip of ['203.0.113.7', '203.0.113.8', '10.0.0.7']) {
    assert.equal(times(ip).length, 4)
    assert.equal((times(ip)[1] ?? 0) - (times(ip)[0] ?? 0), 25)
  }
  assert.equal(pinged.length, 12)
  keeper.close()
  assert.equal(clock.pendingTimers, 0)
})

test('a thousand phones are pinged forty a second, not all at once', () => {
  const phones = Array.from({ length: 1_000 }, (_, n) => phone('203.0.113.7', '192.168.1.20', 'udp', 1_000 + n))
  const { clock, pinged, keeper } = keeping(phones)
  clock.advance(25_000)
  assert.equal(new Set(pinged.map(({ id }) => id)).size, 1_000)
  const perSecond = Map.groupBy(pinged, ({ atMs }) => atMs)
  assert.ok(Math.max(...Array.from(perSecond.values(), (list) => list.length)) <= 40)
  keeper.close()
})
