import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../core/clock.ts'
import { FakeClock } from '../core/fake-clock.ts'
import { hostNetwork } from './host-network.ts'
import { MemoryNetwork } from './memory-network.ts'
import { askStun, mappedIn } from './stun.ts'

/** The sample responses of RFC 5769 §2.2 and §2.3, without what follows the address. */
const id = Buffer.from('b7e7a701bc34d686fa87dfae', 'hex')
const sample = (attribute: string) =>
  Buffer.from(
    `0101${(attribute.length / 2).toString(16).padStart(4, '0')}2112a442b7e7a701bc34d686fa87dfae${attribute}`,
    'hex',
  )
const software = '8022000b7465737420766563746f7220'
const ipv4 = '002000080001a147e112a643'
const ipv6 = '002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9'

test('the sample responses hold 192.0.2.1 and 2001:db8:1234:5678:11:2233:4455:6677 (RFC 5769 §2.2, §2.3)', () => {
  assert.equal(mappedIn(sample(software + ipv4), id), '192.0.2.1')
  assert.equal(mappedIn(sample(software + ipv6), id), '2001:db8:1234:5678:11:2233:4455:6677')
  assert.equal(mappedIn(sample('0001000800010050c6336401'), id), '198.51.100.1', 'MAPPED-ADDRESS of RFC 3489')
})

test('an answer to another request, cut short or without an address is none', () => {
  const answer = sample(software + ipv4)
  assert.equal(mappedIn(answer, Buffer.alloc(12)), undefined)
  for (let length = 0; length < answer.length; length++)
    assert.equal(mappedIn(answer.subarray(0, length), id), undefined)
  assert.equal(mappedIn(sample(software), id), undefined)
})

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
