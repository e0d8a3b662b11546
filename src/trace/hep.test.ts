import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../core/fake-clock.ts'
import { silentLogger } from '../core/logger.ts'
import { FactBus } from '../events/bus.ts'
import type { TracedMessage } from '../events/catalogue.ts'
import { MemoryNetwork } from '../net/memory-network.ts'
import { hepPacket } from './hep.ts'
import { tcpOutlet } from './hep-outlet.ts'
import { HepSender } from './hep-sender.ts'

const message: TracedMessage = {
  atMs: 1_700_000_000_123,
  direction: 'out',
  transport: 'tls',
  local: '192.0.2.2:5061',
  remote: '192.0.2.1:40000',
  sipCallId: 'a@x',
  summary: 'SIP/2.0 200 OK',
  text: 'SIP/2.0 200 OK\r\n\r\n',
}

/** Chunks by type, as hex. */
function read(packet: Buffer): Record<number, string> {
  assert.equal(packet.toString('latin1', 0, 4), 'HEP3')
  assert.equal(packet.readUInt16BE(4), packet.length)
  const chunks: Record<number, string> = {}
  for (let at = 6; at < packet.length; at += packet.readUInt16BE(at + 4)) {
    assert.equal(packet.readUInt16BE(at), 0, 'the generic vendor')
    chunks[packet.readUInt16BE(at + 2)] = packet.toString('hex', at + 6, at + packet.readUInt16BE(at + 4))
  }
  return chunks
}

const hex = (text: string): string => Buffer.from(text).toString('hex')

test('a message is a HEP3 packet with its addresses, its time, who captured it and its call', () => {
  assert.deepEqual(read(hepPacket(message, { captureId: 2_001, password: 'secret' }, 'call-1')), {
    1: '02',
    2: '06',
    3: 'c0000202',
    4: 'c0000201',
    7: '13c5',
    8: '9c40',
    9: '6553f100',
    10: '0001e078',
    11: '01',
    12: '000007d1',
    14: hex('secret'),
    15: hex(message.text),
    17: hex('call-1'),
  })
})

test('over IPv6 and without password and call these chunks are others, or not there', () => {
  const packet = hepPacket(
    { ...message, direction: 'in', transport: 'udp', local: '[2001:db8::2]:5060', remote: '[2001:db8::1]:5060' },
    { captureId: 1, password: '' },
  )
  const chunks = read(packet)
  assert.equal(chunks[1], '0a')
  assert.equal(chunks[2], '11')
  assert.equal(chunks[5], '20010db8000000000000000000000001')
  assert.equal(chunks[6], '20010db8000000000000000000000002')
  for (const absent of [3, 4, 14, 17]) assert.equal(absent in chunks, false)
})

async function open(transport: 'udp' | 'tcp' = 'udp') {
  const clock = new FakeClock()
  const network = new MemoryNetwork({ clock })
  const bus = new FactBus()
  const received: Record<number, string>[] = []
  await network.udp({ ip: '192.0.2.9', port: 9060 }, (bytes) => received.push(read(bytes)))
  const sender = new HepSender({
    clock,
    network,
    bus,
    log: silentLogger,
    host: 'homer.example',
    port: 9060,
    transport,
    captureId: 1,
    password: '',
  })
  return { clock, network, bus, received, sender }
}

const legStarted = {
  name: 'leg.started',
  atMs: 1,
  callId: 'call-1',
  legId: 'l',
  role: 'caller',
  party: { uri: 'sip:101@x' },
  sipCallId: 'a@x',
  transport: 'udp',
  remote: '192.0.2.1:5060',
} as const

test('messages wait for the call that their INVITE starts, and carry its id', async () => {
  const { clock, network, bus, received, sender } = await open()
  network.name('homer.example', '192.0.2.9')
  await sender.start()
  sender.take(message)
  bus.publish(legStarted)
  sender.take({ ...message, sipCallId: 'other' })
  clock.advance(600)
  assert.deepEqual(
    received.map((chunks) => chunks[17]),
    [hex('call-1'), undefined],
  )
  assert.deepEqual(sender.counts, { sent: 2, dropped: 0 })
  sender.take(message)
  await sender.close()
  clock.advance(10)
  assert.equal(received.length, 3, 'what waits at the end is sent')
  assert.equal(clock.pendingTimers, 0)
})

test('without a collector messages are dropped and counted; it is looked for again', async () => {
  const { clock, network, received, sender } = await open()
  await sender.start()
  for (let n = 0; n < 5_100; n++) sender.take(message)
  clock.advance(600)
  assert.deepEqual(sender.counts, { sent: 0, dropped: 5_100 })
  network.name('homer.example', '192.0.2.9')
  clock.advance(60_000)
  for (let turn = 0; turn < 10; turn++) await Promise.resolve()
  sender.take(message)
  sender.take({ ...message, text: 'x'.repeat(65_536) })
  clock.advance(600)
  assert.equal(received.length, 1)
  assert.deepEqual(sender.counts, { sent: 1, dropped: 5_101 }, 'what fits in no datagram is not sent')
  await sender.close()
})

test('over TCP packets go by one connection, which is opened again when it breaks', async () => {
  const { clock, network, sender } = await open('tcp')
  network.name('homer.example', '192.0.2.9')
  let connections = 0
  let bytes = 0
  let hangUp: (() => void) | undefined
  await network.listen({ ip: '192.0.2.9', port: 9060 }, (connection) => {
    connections++
    hangUp = () => connection.destroy()
    connection.start({ data: (chunk) => (bytes += chunk.length), closed: () => {} })
  })
  await sender.start()
  const packet = hepPacket(message, { captureId: 1, password: '' }).length
  const say = (): void => {
    sender.take(message)
    clock.advance(600)
  }
  say()
  say()
  assert.deepEqual([connections, bytes], [1, 2 * packet])
  hangUp?.()
  clock.advance(10)
  say()
  assert.deepEqual(sender.counts, { sent: 2, dropped: 1 }, 'not at once')
  clock.advance(5_000)
  say()
  assert.deepEqual([connections, bytes], [2, 3 * packet])
  await sender.close()
})

test('over TCP what is still under way at the end gets a second to leave', async () => {
  for (const sentAfterMs of [100, 5_000]) {
    const clock = new FakeClock()
    let closedMs: number | undefined
    const connection = {
      local: { ip: '192.0.2.2', port: 1 },
      remote: { ip: '192.0.2.9', port: 9060 },
      waitingBytes: 0,
      start: () => {},
      write: (bytes: Uint8Array) => void (connection.waitingBytes += bytes.length),
      destroy: () => void (closedMs = clock.now()),
    }
    const outlet = tcpOutlet({ connect: () => connection }, connection.remote, clock)
    outlet.send(Buffer.from('HEP3'), () => {})
    clock.after(sentAfterMs, () => void (connection.waitingBytes = 0))
    const closed = outlet.close()
    clock.advance(2_000)
    await closed
    assert.equal(closedMs, Math.min(sentAfterMs, 1_000))
  }
})
