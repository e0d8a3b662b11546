/** RFC 1035, RFC 5452, RFC 7766: a client of DNS on a network in memory. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as packet from 'dns-packet'
import { FakeClock } from '../core/fake-clock.ts'
import { dnsClient } from './dns-client.ts'
import { MemoryNetwork } from './memory-network.ts'
import type { Endpoint, UdpSocket } from './network.ts'
import { CachingResolver, hostResolver } from './resolver.ts'

const [first, second]: readonly Endpoint[] = [
  { ip: '192.0.2.53', port: 53 },
  { ip: '192.0.2.54', port: 53 },
]
const srv = (ttl: number, target = 'a.example.'): packet.SrvAnswer => ({
  type: 'SRV',
  name: '_sip._udp.example',
  ttl,
  data: { priority: 1, weight: 2, port: 5070, target },
})

type Answer = Partial<packet.Packet> & { readonly rcode?: number }

/** The bytes of an answer to a query. */
function answerTo(query: Buffer, { rcode = 0, flags = 0, ...answer }: Answer): Buffer {
  const { id, questions } = packet.decode(query)
  return packet.encode({ type: 'response', id: id ?? 0, questions: questions ?? [], flags: flags | rcode, ...answer })
}

function open() {
  const clock = new FakeClock()
  const network = new MemoryNetwork({ clock })
  const asked: string[] = []
  const serve = async (
    at: Endpoint | undefined,
    answer: (query: Buffer, socket: UdpSocket, from: Endpoint) => void,
  ) => {
    assert.ok(at)
    const socket: UdpSocket = await network.udp(at, (query, from) => {
      asked.push(at.ip)
      answer(query, socket, from)
    })
  }
  const ask = dnsClient({ network, clock, servers: () => [first, second].flatMap((at) => at ?? []) })
  assert.ok(ask)
  const run = async (ms: number) => {
    for (let left = ms; left > 0; left -= 100) {
      for (let turn = 0; turn < 20; turn++) await Promise.resolve()
      clock.advance(100)
    }
    for (let turn = 0; turn < 20; turn++) await Promise.resolve()
  }
  return { clock, network, asked, serve, ask, run }
}

test('SRV records are kept for their time to live, and no longer', async () => {
  const { clock, network, asked, serve, ask, run } = open()
  await serve(first, (query, socket, from) =>
    socket.send(answerTo(query, { answers: [srv(300), srv(120, 'b.example')] }), from),
  )
  const dns = new CachingResolver(clock, hostResolver({ network, ask }))
  const question = async () => {
    const found = dns.srv('_sip._udp.example')
    await run(100)
    return found
  }
  assert.deepEqual(
    (await question()).map(({ name, port, ttlMs }) => [name, port, ttlMs]),
    [
      ['a.example', 5070, 300_000],
      ['b.example', 5070, 120_000],
    ],
  )
  clock.advance(119_000)
  await question()
  assert.equal(asked.length, 1)
  clock.advance(2_000)
  await question()
  assert.equal(asked.length, 2)
})

test('a server that is silent, or cannot, is passed over; that a name does not exist is believed', async () => {
  const { serve, ask, run, asked, clock } = open()
  await serve(first, (query, socket, from) => {
    const { questions } = packet.decode(query)
    if (questions?.[0]?.name === 'broken.example') socket.send(answerTo(query, { rcode: 2 }), from)
    if (questions?.[0]?.name === 'none.example') socket.send(answerTo(query, { rcode: 3 }), from)
  })
  await serve(second, (query, socket, from) => socket.send(answerTo(query, { answers: [srv(60)] }), from))
  const found: Record<string, number> = {}
  for (const name of ['silent.example', 'broken.example', 'none.example']) {
    void ask(name, 'SRV').then((records) => (found[name] = records.length))
    await run(2_000)
  }
  assert.deepEqual(found, { 'silent.example': 1, 'broken.example': 1, 'none.example': 0 })
  assert.deepEqual(asked, [first?.ip, second?.ip, first?.ip, second?.ip, first?.ip])
  assert.equal(clock.pendingTimers, 0)
})

test('a server that no socket leads to is passed over', async () => {
  const { clock, network, serve, run } = open()
  await serve(second, (query, socket, from) => socket.send(answerTo(query, { answers: [srv(60)] }), from))
  const withoutIPv6 = {
    udp: (at: Endpoint, receive: Parameters<typeof network.udp>[1]) =>
      at.ip === '::' ? Promise.reject(new Error('EAFNOSUPPORT')) : network.udp(at, receive),
    connect: (to: Endpoint) => network.connect(to),
  }
  const servers = () => [{ ip: '2001:db8::53', port: 53 }, second ?? assert.fail()]
  const ask = dnsClient({ network: withoutIPv6, clock, servers }) ?? assert.fail()
  const found = ask('_sip._udp.example', 'SRV')
  await run(200)
  assert.equal((await found).length, 1)
})

test('what comes from elsewhere, with another number, or to another question is no answer (RFC 5452)', async () => {
  const { network, serve, ask, run } = open()
  const forger = await network.udp({ ip: '203.0.113.66', port: 53 }, () => {})
  await serve(first, (query, socket, from) => {
    const forged = { answers: [srv(60, 'evil.example')] }
    forger.send(answerTo(query, forged), from)
    socket.send(answerTo(query, { ...forged, id: ((packet.decode(query).id ?? 0) + 1) % 65_536 }), from)
    socket.send(answerTo(query, { ...forged, questions: [{ type: 'SRV', name: 'other.example' }] }), from)
    socket.send(Buffer.from('no DNS'), from)
    socket.send(answerTo(query, { answers: [srv(60)] }), from)
  })
  const found = ask('_sip._udp.example', 'SRV')
  await run(200)
  assert.deepEqual(
    (await found).map(({ data }) => data.target),
    ['a.example'],
  )
})

test('an answer that was cut is asked for by TCP, however the stream is cut (RFC 7766)', async () => {
  const { network, serve, ask, run, clock } = open()
  await serve(first, (query, socket, from) => socket.send(answerTo(query, { flags: packet.TRUNCATED_RESPONSE }), from))
  const many = Array.from({ length: 100 }, (_, n) => srv(60, `host-${n}.a-long-name-of-a-domain.example`))
  await network.listen(first ?? { ip: '', port: 0 }, (connection) => {
    connection.start({
      data: (query) => {
        const answer = answerTo(query.subarray(2), { answers: many })
        const length = Buffer.alloc(2)
        length.writeUInt16BE(answer.length)
        connection.write(length.subarray(0, 1))
        connection.write(Buffer.concat([length.subarray(1), answer.subarray(0, 1_000)]))
        connection.write(answer.subarray(1_000))
      },
      closed: () => {},
    })
  })
  const found = ask('_sip._udp.example', 'SRV')
  await run(500)
  assert.equal((await found).length, 100)
  assert.equal(clock.pendingTimers, 0)
})

test('when no server answers, three tries and 4.5 s are the end', async () => {
  const { ask, run, clock } = open()
  const found = ask('_sip._udp.example', 'SRV').then(
    () => 'found',
    (error: Error) => error.message,
  )
  await run(4_600)
  assert.equal(await found, 'no DNS server answered for SRV _sip._udp.example')
  assert.equal(clock.pendingTimers, 0)
})
