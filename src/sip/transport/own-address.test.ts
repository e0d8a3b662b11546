/** Which of our addresses a peer is told, and from which its requests leave. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../core/fake-clock.ts'
import { silentLogger } from '../../core/logger.ts'
import { MemoryNetwork } from '../../net/memory-network.ts'
import { addressResolver } from '../../net/resolver.ts'
import { newCounters } from './counters.ts'
import { SipTransport, type TransportOptions } from './transport.ts'

/** A host with a leg in the office and one in the world. */
class TwoLegs extends MemoryNetwork {
  override addressTowards(remoteIp: string): string {
    if (remoteIp.includes(':')) return '2001:db8::2'
    return remoteIp.startsWith('10.') ? '10.0.0.2' : '198.51.100.2'
  }
}

async function open(ips: readonly string[], more: Partial<TransportOptions> = {}) {
  const clock = new FakeClock()
  const network = new TwoLegs({ clock })
  const transport = await SipTransport.open(
    {
      clock,
      log: silentLogger,
      network,
      resolver: addressResolver(network),
      counters: newCounters(),
      listen: ips.map((ip, index) => ({ transport: 'udp' as const, ip, port: 5060 + index })),
      ...more,
    },
    { request: () => {}, response: () => {} },
  )
  return (ip: string): string => {
    const flow = transport.flowTo({ transport: 'udp', ip, port: 5060 })
    assert.ok(flow)
    return `${flow.local.ip} ${/ (\S+?);/.exec(transport.via(flow, 'z9hG4bK1'))?.[1]}`
  }
}

test('with several addresses a request leaves from the one that leads to its peer, and says so', async () => {
  const towards = await open(['198.51.100.2', '10.0.0.2', '2001:db8::2'])
  assert.equal(towards('10.0.0.9'), '10.0.0.2 10.0.0.2:5061')
  assert.equal(towards('203.0.113.1'), '198.51.100.2 198.51.100.2:5060')
  assert.equal(towards('2001:db8::9'), '2001:db8::2 [2001:db8::2]:5062')
})

test('a socket for both families tells each the address of its own', async () => {
  const towards = await open(['::'])
  assert.equal(towards('10.0.0.9'), ':: 10.0.0.2:5060')
  assert.equal(towards('2001:db8::9'), ':: [2001:db8::2]:5060')
})

test('an advertised address is told to whom it is for, others are told the one they see', async () => {
  const towards = await open(['10.0.0.2'], {
    advertisedIp: (ip) => (ip.startsWith('10.') ? undefined : '203.0.113.9'),
  })
  assert.equal(towards('203.0.113.1'), '10.0.0.2 203.0.113.9:5060')
  assert.equal(towards('10.0.0.9'), '10.0.0.2 10.0.0.2:5060')
})
