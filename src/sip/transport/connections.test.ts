/** Connections: bounds, slow and silent senders, pings. Time is the test's. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../core/fake-clock.ts'
import { silentLogger } from '../../core/logger.ts'
import { MemoryNetwork } from '../../net/memory-network.ts'
import type { TcpConnection } from '../../net/network.ts'
import { addressResolver } from '../../net/resolver.ts'
import type { MessageObserver, Screen } from '../stack.types.ts'
import type { TransportLimits } from './connections.ts'
import { newCounters } from './counters.ts'
import type { WireFlow } from './flow.ts'
import { SipTransport } from './transport.ts'

const ip = '192.0.2.2'
const options = (branch: number, sentBy = 'a', params = '') =>
  `OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/TCP ${sentBy};branch=z9hG4bK${branch}${params}\r\nFrom: <sip:a@x>;tag=1\r\nTo: <sip:b@x>\r\nCall-ID: 1\r\n` +
  'CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n'

interface Client {
  readonly connection: TcpConnection
  closed: boolean
  heard: string
}

async function open(limits: Partial<TransportLimits> = {}, screen?: Screen) {
  const clock = new FakeClock()
  const network = new MemoryNetwork({ clock })
  const counters = newCounters()
  const requests: string[] = []
  const flows: WireFlow[] = []
  const observed: string[] = []
  const observe: MessageObserver = (direction, _flow, text, callId) =>
    void observed.push(`${direction} ${callId} ${text.slice(0, text.indexOf('\r\n'))}`)
  const listen = [{ transport: 'tcp', ip, port: 5060 }] as const
  const transport: SipTransport = await SipTransport.open(
    {
      clock,
      log: silentLogger,
      network,
      resolver: addressResolver(network),
      listen,
      counters,
      limits,
      observe,
      ...(screen && { screen }),
    },
    {
      request(request, flow) {
        requests.push(`${request.method} ${flow.id}`)
        flows.push(flow)
        if (request.headers.get('Subject') !== 'stranger') transport.noteAlias(request, flow)
      },
      response: () => {},
    },
  )
  const connect = (): Client => {
    const connection = network.connect({ ip, port: 5060 })
    const client = { connection, closed: false, heard: '' }
    connection.start({
      data: (chunk) => {
        client.heard += chunk.toString()
      },
      closed: () => {
        client.closed = true
      },
    })
    clock.advance(5)
    return client
  }
  return { clock, network, counters, requests, flows, observed, transport, connect }
}

test('a connection that never brings a message is closed after its time', async () => {
  const { clock, transport, connect } = await open({ firstMessageMs: 15_000 })
  const silent = connect()
  silent.connection.write(Buffer.from('\r\n\r\n')) // a ping proves nothing
  clock.advance(14_000)
  assert.equal(silent.heard, '\r\n')
  assert.equal(silent.closed, false)
  clock.advance(20_000)
  assert.equal(silent.closed, true)
  assert.equal(transport.connectionCount, 0)
  assert.equal(clock.pendingTimers, 0)
})

test('a sender of one byte a second is closed, however far it has come', async () => {
  const { clock, requests, connect } = await open({ messageMs: 10_000 })
  const slow = connect()
  slow.connection.write(Buffer.from(options(0))) // proven, and slow only then
  for (const byte of Buffer.from(options(1)).subarray(0, 30)) {
    slow.connection.write(Buffer.of(byte))
    clock.advance(1_000)
  }
  assert.equal(slow.closed, true)
  assert.equal(requests.length, 1)
})

test('a busy sender whose chunks end in the middle of messages is not taken for a slow one', async () => {
  const { clock, requests, connect } = await open({ messageMs: 10_000 })
  const busy = connect()
  const text = options(1)
  busy.connection.write(Buffer.from(text.slice(0, 20)))
  for (let n = 0; n < 10; n++) {
    clock.advance(5_000)
    busy.connection.write(Buffer.from(text.slice(20) + text.slice(0, 20)))
  }
  clock.advance(5)
  assert.equal(requests.length, 10)
  assert.equal(busy.closed, false)
})

test('a connection that brings messages lives until it has been silent for long', async () => {
  const { clock, requests, connect } = await open({ idleMs: 60_000 })
  const phone = connect()
  for (let minute = 0; minute < 5; minute++) {
    phone.connection.write(Buffer.from(options(minute)))
    clock.advance(50_000)
  }
  assert.equal(requests.length, 5)
  assert.equal(phone.closed, false)
  clock.advance(60_000)
  assert.equal(phone.closed, true)
})

test('more connections than one source or all together may have are refused and counted', async () => {
  const { clock, counters, transport, connect } = await open({ connectionsPerSource: 2 })
  const letIn = (): Client => {
    const client = connect()
    client.connection.write(Buffer.from(options(1)))
    clock.advance(5)
    return client
  }
  const clients = [letIn(), letIn(), connect()]
  assert.deepEqual(
    clients.map((client) => client.closed),
    [false, false, true],
  )
  assert.equal(transport.connectionCount, 2)
  assert.equal(counters.connectionsRefused, 1)
  clients[0]?.connection.destroy()
  assert.equal(connect().closed, false)
  assert.equal(counters.connectionsRefused, 1)
})

test('connections that only stand there, or were never let in, make room for new ones', async () => {
  const { clock, counters, transport, connect } = await open({ connectionsPerSource: 3 })
  const phone = connect()
  phone.connection.write(Buffer.from(options(1)))
  const asker = connect()
  asker.connection.write(Buffer.from(options(2).replace('From', 'Subject: stranger\r\nFrom')))
  clock.advance(5)
  const idle = Array.from({ length: 100 }, connect)
  assert.deepEqual([phone.closed, asker.closed, idle.filter(({ closed }) => !closed).length], [false, true, 2])
  assert.equal(transport.connectionCount, 3)
  assert.equal(counters.connectionsRefused, 0)
})

test('a trusted source has as many connections as there are in all', async () => {
  const screen = { mayRead: () => true, mayConnect: () => true, isTrusted: () => true, expect: () => {} }
  const { connect } = await open({ connectionsPerSource: 1, connections: 3 }, screen)
  const clients = [connect(), connect(), connect()]
  assert.ok(clients.every(({ closed }) => !closed))
})

test('a request that cannot be read is answered with 400 when its way back can, and counted', async () => {
  const { clock, counters, requests, observed, connect } = await open()
  const client = connect()
  client.connection.write(Buffer.from(options(1).replace('CSeq: 1 OPTIONS', 'CSeq: one OPTIONS')))
  clock.advance(5)
  assert.match(client.heard, /^SIP\/2\.0 400 /)
  assert.equal(counters.malformed, 1)
  assert.deepEqual(observed, ['in 1 OPTIONS sip:x SIP/2.0', 'out 1 SIP/2.0 400 Malformed mandatory header'])
  assert.deepEqual(requests, [])
  assert.equal(client.closed, false)
})

test('a request without Content-Length is answered with 400 and its connection closed', async () => {
  const { clock, connect } = await open()
  const client = connect()
  client.connection.write(Buffer.from(options(1).replace('Content-Length: 0\r\n', '')))
  clock.advance(5)
  assert.equal(client.closed, true)
})

test('who is let in and names an alias gets our requests for that address by the connection it opened (RFC 5923)', async () => {
  const { clock, transport, connect } = await open()
  const towards = (port: number) => transport.flowTo({ transport: 'tcp', ip, port })
  const listener = { ip, port: 5070 }
  const [stranger, peer, rival] = [connect(), connect(), connect()]
  const say = (client: Client, text: string): void => {
    client.connection.write(Buffer.from(text))
    clock.advance(5)
  }
  say(stranger, options(1, `${ip}:5070`, ';alias').replace('CSeq', 'Subject: stranger\r\nCSeq'))
  say(peer, options(2, '192.0.2.99:5070', ';alias')) // not where it came from
  assert.equal(transport.connectionCount, 3)
  say(peer, options(3, `${ip}:5070`, ';alias'))
  assert.equal(towards(listener.port)?.remote.port, peer.connection.local.port)
  say(rival, options(4, `${ip}:5070`, ';alias'))
  assert.equal(towards(listener.port)?.remote.port, peer.connection.local.port, 'the first keeps it')
  assert.equal(transport.connectionCount, 3)
  peer.connection.destroy()
  clock.advance(5)
  assert.equal(towards(listener.port)?.remote.port, listener.port, 'a connection of our own')
})

test('a connection of ours says alias where its peer could connect to us, one that was accepted does not', async () => {
  const { clock, transport, connect, flows } = await open()
  const ours = transport.flowTo({ transport: 'tcp', ip, port: 5060 })
  assert.match(transport.via(ours as WireFlow, 'z9hG4bK1'), /;rport;alias$/)
  connect().connection.write(Buffer.from(options(1)))
  clock.advance(5)
  assert.match(transport.via(flows[0] as WireFlow, 'z9hG4bK1'), /;rport$/)
})
