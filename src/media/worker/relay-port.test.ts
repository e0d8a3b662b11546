import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../core/fake-clock.ts'
import { RelayPort } from './relay-port.ts'
import { fakeSockets } from './test-sockets.ts'

const alice = { ip: '192.0.2.1', rtpPort: 4000, rtcpPort: 4001 }
const bob = { ip: '192.0.2.2', rtpPort: 5000, rtcpPort: 5003 }

/** Two bridged ports; what they send is kept as `text to ip:port`. */
function bridged() {
  const clock = new FakeClock()
  const sent: string[] = []
  const [a, b] = [new RelayPort(clock), new RelayPort(clock)]
  for (const port of [a, b])
    port.attach(
      fakeSockets({
        sendRtp: (bytes, from, length, to) =>
          sent.push(`${Buffer.from(bytes.subarray(from, from + length)).toString()} to ${to.ip}:${to.port}`),
        sendRtcp: (bytes, to) => sent.push(`rtcp ${Buffer.from(bytes).toString()} to ${to.ip}:${to.port}`),
      }),
    )
  a.bridge(b)
  return { clock, sent, a, b }
}

const open = { receive: [], send: [] }

test('a datagram of any kind goes to where the other side said it is', () => {
  const { a, b, sent } = bridged()
  a.describe({ ...open, remote: alice })
  b.describe({ ...open, remote: bob })
  a.rtp(Buffer.from('page'), { ip: alice.ip, port: alice.rtpPort })
  a.rtcp(Buffer.from('whole picture'), { ip: alice.ip, port: alice.rtcpPort })
  assert.deepEqual(sent, ['page to 192.0.2.2:5000', 'rtcp whole picture to 192.0.2.2:5003'])
  assert.equal(a.stats().packetsReceived, 1)
  assert.equal(b.stats().packetsSent, 1)
})

test('one behind NAT is answered where it sends from, and strangers are neither heard nor sent anything', () => {
  const { a, b, sent, clock } = bridged()
  a.describe({ ...open, remote: { ip: '10.0.0.7', rtpPort: 4000, rtcpPort: 4001 } })
  b.describe({ ...open, remote: bob })
  a.rtp(Buffer.from('hello'), { ip: '203.0.113.7', port: 33_000 })
  clock.advance(2_000)
  a.rtp(Buffer.from('me too'), { ip: '198.51.100.1', port: 9_999 })
  a.rtcp(Buffer.from('me too'), { ip: '198.51.100.1', port: 9_999 })
  b.rtp(Buffer.from('page'), { ip: bob.ip, port: bob.rtpPort })
  a.rtcp(Buffer.from('x'), { ip: '203.0.113.7', port: 33_001 })
  b.rtcp(Buffer.from('y'), { ip: bob.ip, port: bob.rtcpPort })
  assert.deepEqual(sent, [
    'hello to 192.0.2.2:5000',
    'page to 203.0.113.7:33000',
    'rtcp x to 192.0.2.2:5003',
    'rtcp y to 203.0.113.7:33001',
  ])
  assert.equal(a.stats().packetsRefused, 2)
})

test('before a side is described and after its stream is switched off nothing is carried', () => {
  const { a, b, sent } = bridged()
  b.describe({ ...open, remote: bob })
  a.rtp(Buffer.from('early'), { ip: alice.ip, port: alice.rtpPort })
  b.rtp(Buffer.from('early'), { ip: bob.ip, port: bob.rtpPort })
  a.describe({ ...open, remote: alice })
  a.rtp(Buffer.from('page'), { ip: alice.ip, port: alice.rtpPort })
  a.describe(open)
  a.rtp(Buffer.from('late'), { ip: alice.ip, port: alice.rtpPort })
  a.rtcp(Buffer.from('late'), { ip: alice.ip, port: alice.rtcpPort })
  b.rtp(Buffer.from('late'), { ip: bob.ip, port: bob.rtpPort })
  assert.deepEqual(sent, ['page to 192.0.2.2:5000'])
})

test('a port bridged anew forgets the one before', () => {
  const { a, b, sent } = bridged()
  const c = new RelayPort(new FakeClock())
  a.describe({ ...open, remote: alice })
  b.describe({ ...open, remote: bob })
  a.bridge(c)
  b.rtp(Buffer.from('page'), { ip: bob.ip, port: bob.rtpPort })
  assert.deepEqual(sent, [])
})
