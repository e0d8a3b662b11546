import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../core/clock.ts'
import { FakeClock } from '../core/fake-clock.ts'
import { hostNetwork } from './host-network.ts'
import { MemoryNetwork } from './memory-network.ts'
import { askStun } from './stun.ts'

test('a server on loopback tells the address it sees', async () => {
  const server = await hostNetwork.udp({ ip: '127.0.0.1', port: 0 }, (request, from) => {
    assert.equal(request.length, 20)
    const answer = Buffer.concat([
      Buffer.from('0101000c', 'hex'),
      request.subarray(4),
      Buffer.from('00200008000100005e12a443', 'hex'),
    ])
    assert.equal(from.ip, '127.0.0.1')
    server.send(answer, from)
  })
  assert.equal(await askStun(hostNetwork, systemClock, server.local), '127.0.0.1')
  await server.close()
})

test('a silent server is asked four times in 7.5 s and then given up (RFC 5389 §7.2.1)', async () => {
  const clock = new FakeClock()
  const network = new MemoryNetwork({ clock })
  const askedAt: number[] = []
  const at = { ip: '192.0.2.9', port: 3478 }
  await network.udp(at, () => askedAt.push(Math.round(clock.now())))
  const answer = askStun(network, clock, at)
  for (let step = 0; step < 80; step++) {
    await Promise.resolve()
    clock.advance(100)
  }
  assert.equal(await answer, undefined)
  assert.equal(askedAt.length, 4)
  assert.equal(clock.pendingTimers, 0)
})
