/** RFC 5626 §4.4, both roles, between two transports on a network in memory. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../core/fake-clock.ts'
import { silentLogger } from '../../core/logger.ts'
import { MemoryNetwork } from '../../net/memory-network.ts'
import type { Endpoint, UdpSocket } from '../../net/network.ts'
import { addressResolver } from '../../net/resolver.ts'
import { answerBinding } from '../../net/stun-message.ts'
import { newCounters } from './counters.ts'
import { lineEnds } from './keep-alive.ts'
import { SipTransport } from './transport.ts'

const [here, there] = ['192.0.2.1', '192.0.2.2']

const options =
  'OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/TCP a;branch=z9hG4bK1\r\nFrom: <sip:a@x>;tag=1\r\nTo: <sip:b@x>\r\nCall-ID: 1\r\n' +
  'CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n'

async function open() {
  const clock = new FakeClock()
  const network = new MemoryNetwork({ clock })
  const counters = newCounters()
  const stackAt = (ip: string) =>
    SipTransport.open(
      {
        clock,
        log: silentLogger,
        network,
        resolver: addressResolver(network),
        counters,
        listen: [
          { transport: 'udp', ip, port: 5060 },
          { transport: 'tcp', ip, port: 5060 },
        ],
      },
      { request: () => {}, response: () => {} },
    )
  const near = await stackAt(here)
  const failures: string[] = []
  const keep = (to: Endpoint, transport: 'udp' | 'tcp', answered = true) => {
    const flow = near.flowTo({ transport, ...to })
    assert.ok(flow)
    clock.advance(5)
    const stop = near.keepAlive(flow, { answered, failed: (why) => failures.push(why) })
    return { flow, stop }
  }
  return { clock, network, counters, stackAt, near, failures, keep }
}

/** Who answers STUN by `answer`, and keeps what came. */
async function peer(network: MemoryNetwork, answer: (request: Buffer, from: Endpoint) => Buffer | undefined) {
  const heard: Buffer[] = []
  const at = { ip: '192.0.2.9', port: 5060 }
  const socket: UdpSocket = await network.udp(at, (bytes, from) => {
    heard.push(bytes)
    const answered = answer(bytes, from)
    if (answered) socket.send(answered, from)
  })
  return { at, heard, socket }
}

test('a stack answers the STUN and the pings of another for as long as it is there (RFC 5626 §5.4)', async () => {
  const { clock, stackAt, failures, keep, counters } = await open()
  const far = await stackAt(there)
  const { stop } = keep({ ip: there, port: 5060 }, 'udp')
  const { stop: stopTcp, flow } = keep({ ip: there, port: 5060 }, 'tcp')
  flow.send(Buffer.from(options)) // a connection has to prove itself by a message
  clock.advance(600_000)
  assert.deepEqual(failures, [])
  assert.ok(counters.stunIn >= 2 * 20, `${counters.stunIn} requests and answers`)
  await far.close()
  clock.advance(60_000)
  assert.deepEqual(failures, ['closed', 'no-answer'])
  stop()
  stopTcp()
  clock.advance(15_000) // the connection's own watch
  assert.equal(clock.pendingTimers, 0)
})

test('a peer that does not answer STUN six times in 31.5 s is dead', async () => {
  const { clock, network, failures, keep } = await open()
  const { heard, at } = await peer(network, () => undefined)
  keep(at, 'udp')
  clock.advance(29_000)
  assert.ok(heard.length >= 1)
  clock.advance(31_500)
  assert.equal(heard.length, 6)
  assert.deepEqual(failures, ['no-answer'])
})

test('a NAT that gives us another address is noticed (RFC 5626 §4.4.2)', async () => {
  const { clock, network, failures, keep } = await open()
  let port = 1_000
  const { at } = await peer(network, (request) => answerBinding(request, { ip: '198.51.100.1', port }))
  keep(at, 'udp')
  clock.advance(120_000)
  assert.deepEqual(failures, [])
  port = 2_000
  clock.advance(30_000)
  assert.deepEqual(failures, ['moved'])
})

test('a connection whose pong does not come within 10 s is closed (RFC 5626 §4.4.1)', async () => {
  const { clock, network, failures, keep, near } = await open()
  let pings = 0
  await network.listen({ ip: there, port: 5080 }, (connection) => {
    connection.start({
      data: (chunk) => {
        assert.equal(chunk.toString(), '\r\n\r\n')
        if (++pings < 4) connection.write(Buffer.from('\r\n'))
      },
      closed: () => {},
    })
  })
  const { flow } = keep({ ip: there, port: 5080 }, 'tcp')
  clock.advance(4 * 120_000 + 11_000)
  assert.equal(pings, 4, 'and no pong of ours to the pongs')
  assert.deepEqual(failures, ['no-answer'])
  assert.equal(flow.open, false)
  assert.equal(near.connectionCount, 0)
})

test('two that keep one connection alive both hear of its pongs, though they ping at the same time', async () => {
  const { clock, network, failures, keep } = await open()
  const got: string[] = []
  await network.listen({ ip: there, port: 5080 }, (connection) => {
    connection.start({
      data: (chunk) => {
        got.push(chunk.toString())
        clock.after(50, () => connection.write(Buffer.from('\r\n'.repeat(chunk.length / 4))))
      },
      closed: () => {},
    })
  })
  const random = Math.random
  Math.random = () => 0
  try {
    const [{ flow }, { flow: same }] = [keep({ ip: there, port: 5080 }, 'tcp'), keep({ ip: there, port: 5080 }, 'tcp')]
    assert.equal(flow, same)
    clock.advance(120_000 + 30_000)
  } finally {
    Math.random = random
  }
  assert.deepEqual(failures, [])
  assert.equal(got.join('').length, 2 * 4, 'and no pong of ours to the pongs')
})

test('a peer that promised nothing gets line ends and is not judged by its silence', async () => {
  const { clock, network, failures, keep } = await open()
  const { heard, at } = await peer(network, () => undefined)
  const { stop } = keep(at, 'udp', false)
  clock.advance(290_000)
  assert.ok(heard.length >= 10 && heard.every((bytes) => bytes.toString() === '\r\n\r\n'))
  assert.deepEqual(failures, [])
  stop()
  assert.equal(clock.pendingTimers, 0)
})

test('a ping of a flow is two line ends, from the socket that the flow has', async () => {
  const { clock, network, near } = await open()
  const { heard, at } = await peer(network, () => undefined)
  const flow = {
    id: '',
    transport: 'udp',
    reliable: false,
    local: { ip: here, port: 5060 },
    remote: at,
    open: true,
  } as const
  near.ours(flow)?.send(lineEnds)
  clock.advance(10)
  assert.deepEqual(heard.map(String), ['\r\n\r\n'])
})
