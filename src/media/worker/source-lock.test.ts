import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SourceLock } from './source-lock.ts'

const sdp = { ip: '192.0.2.1', rtpPort: 4000, rtcpPort: 4001 }

function lockOn(address = sdp): SourceLock {
  const lock = new SourceLock()
  lock.describe(address, 0)
  return lock
}

test('packets go to the address of the SDP until the first packet teaches the source', () => {
  const lock = lockOn()
  assert.deepEqual(lock.destination, { ip: '192.0.2.1', port: 4000 })
  assert.ok(lock.accept({ ip: '198.51.100.7', port: 33_333 }, 1, 0))
  assert.deepEqual(lock.destination, { ip: '198.51.100.7', port: 33_333 })
})

test('once settled, a stranger is refused, also from the same host', () => {
  const lock = lockOn()
  lock.accept({ ip: '198.51.100.7', port: 33_333 }, 1, 0)
  assert.ok(!lock.accept({ ip: '203.0.113.9', port: 1 }, 1, 1000))
  assert.ok(!lock.accept({ ip: '198.51.100.7', port: 33_334 }, 2, 1000))
  assert.ok(!lock.accept({ ip: '192.0.2.1', port: 5000 }, 1, 1000), 'another port of the host in the SDP')
  assert.ok(lock.accept({ ip: '198.51.100.7', port: 33_333 }, 1, 1000))
})

test('a stranger who came first loses to the address of the SDP, whenever that speaks', () => {
  for (const nowMs of [20, 5000]) {
    const lock = lockOn()
    assert.ok(lock.accept({ ip: '203.0.113.9', port: 1 }, 1, 0))
    assert.ok(lock.accept({ ip: '192.0.2.1', port: 4000 }, 1, nowMs))
    assert.ok(!lock.accept({ ip: '203.0.113.9', port: 1 }, 1, nowMs + 1))
    assert.deepEqual(lock.source, { ip: '192.0.2.1', port: 4000 })
  }
})

test('within the first second the host of the SDP wins over a stranger, and not the other way', () => {
  const lock = lockOn()
  assert.ok(lock.accept({ ip: '203.0.113.9', port: 1 }, 1, 0))
  assert.ok(!lock.accept({ ip: '203.0.113.10', port: 1 }, 1, 10), 'a second stranger is no better than the first')
  assert.ok(lock.accept({ ip: '192.0.2.1', port: 5000 }, 1, 999))
  assert.ok(!lock.accept({ ip: '203.0.113.9', port: 1 }, 1, 999))
})

test('packets that come before any SDP lock too', () => {
  const lock = new SourceLock()
  assert.equal(lock.destination, undefined)
  assert.ok(lock.accept({ ip: '192.0.2.1', port: 4000 }, 1, 0))
  lock.describe(sdp, 0)
  assert.deepEqual(lock.source, { ip: '192.0.2.1', port: 4000 })
})

test('a peer that moved is learned anew, and its last packets from the old place do not hold the lock', () => {
  const lock = lockOn()
  lock.accept({ ip: '192.0.2.1', port: 4000 }, 1, 0)
  lock.describe({ ip: '192.0.2.2', rtpPort: 6000, rtcpPort: 6001 }, 0)
  assert.deepEqual(lock.destination, { ip: '192.0.2.2', port: 6000 })
  assert.ok(lock.accept({ ip: '192.0.2.1', port: 4000 }, 1, 10_000), 'still on its way')
  assert.ok(lock.accept({ ip: '198.51.100.7', port: 33_333 }, 1, 10_020), 'the new place, behind NAT')
  assert.ok(!lock.accept({ ip: '192.0.2.1', port: 4000 }, 1, 10_040))
})

test('the same SDP again while packets come, or a hold, keeps the lock', () => {
  const lock = lockOn()
  lock.accept({ ip: '198.51.100.7', port: 33_333 }, 1, 0)
  lock.accept({ ip: '198.51.100.7', port: 33_333 }, 1, 4500)
  lock.describe(sdp, 5000)
  lock.describe({ ...sdp, ip: '0.0.0.0' }, 9000)
  lock.describe(undefined, 9000)
  assert.ok(!lock.accept({ ip: '203.0.113.9', port: 1 }, 1, 5000))
  lock.describe(sdp, 0)
  assert.ok(lock.accept({ ip: '198.51.100.7', port: 33_333 }, 1, 5000))
})

test('a late packet of the call that had this port before does not keep the phone of this one out', () => {
  const lock = lockOn()
  assert.ok(lock.accept({ ip: '203.0.113.9', port: 1 }, 5, 0))
  assert.ok(!lock.accept({ ip: '198.51.100.7', port: 33_333 }, 6, 99))
  assert.ok(lock.accept({ ip: '198.51.100.7', port: 33_333 }, 6, 100))
  assert.ok(!lock.accept({ ip: '203.0.113.9', port: 1 }, 5, 120))
})

test('after a hold the phone is learned anew, for its NAT may have given it another port', () => {
  const lock = lockOn()
  lock.accept({ ip: '198.51.100.7', port: 33_333 }, 1, 0)
  lock.describe(sdp, 60_000)
  assert.deepEqual(lock.destination, { ip: '198.51.100.7', port: 33_333 }, 'until it speaks it is where it was')
  assert.ok(lock.accept({ ip: '198.51.100.7', port: 44_444 }, 2, 60_500))
  assert.ok(!lock.accept({ ip: '198.51.100.7', port: 33_333 }, 1, 60_520))
  assert.ok(!lock.accept({ ip: '203.0.113.9', port: 1 }, 3, 60_540))

  lock.describe(sdp, 120_000)
  assert.ok(lock.accept({ ip: '198.51.100.7', port: 44_444 }, 2, 120_020), 'this time the port stayed')
  assert.ok(!lock.accept({ ip: '203.0.113.9', port: 1 }, 3, 120_040))
})

test('a stranger who sprays packets while a phone is on hold gives way to it when it comes back from its NAT', () => {
  const stranger = { ip: '203.0.113.9', port: 1 }
  const back = { ip: '198.51.100.7', port: 44_444 }
  const lock = lockOn()
  lock.accept({ ip: '198.51.100.7', port: 33_333 }, 1, 0)
  for (const refreshMs of [5000, 6000]) lock.describe(sdp, refreshMs)
  for (let i = 0; i < 10; i++) assert.ok(lock.accept(stranger, 666, 6001 + i))
  assert.ok(lock.accept(back, 2, 6100))
  assert.ok(!lock.accept(stranger, 666, 6101))
  assert.ok(lock.accept(back, 2, 6120))
  assert.ok(!lock.accept({ ip: '198.51.100.7', port: 5 }, 3, 6130), 'it came back, and is known again')
})

test('the same stream from another port of the same NAT goes on after a silence; strangers cannot know its SSRC', () => {
  const lock = lockOn()
  lock.accept({ ip: '198.51.100.7', port: 33_333 }, 7, 0)
  lock.accept({ ip: '198.51.100.7', port: 33_333 }, 7, 1000)
  assert.ok(!lock.accept({ ip: '198.51.100.7', port: 44_444 }, 7, 1999), 'the source was heard just now')
  assert.ok(!lock.accept({ ip: '198.51.100.7', port: 44_444 }, 8, 60_000), 'another stream')
  assert.ok(!lock.accept({ ip: '203.0.113.9', port: 44_444 }, 7, 60_000), 'another host')
  assert.ok(lock.accept({ ip: '198.51.100.7', port: 44_444 }, 7, 60_000))
  assert.ok(!lock.accept({ ip: '198.51.100.7', port: 33_333 }, 7, 60_020))
})

test('what nothing can be sent to is no destination: port 0, 0.0.0.0, a name', () => {
  for (const ip of ['0.0.0.0', '::', 'phone.example.com']) assert.equal(lockOn({ ...sdp, ip }).destination, undefined)
  assert.equal(lockOn({ ...sdp, rtpPort: 0 }).destination, undefined)
})

test('IPv4 that is written as IPv6 is IPv4', () => {
  assert.deepEqual(lockOn({ ip: '::ffff:192.0.2.1', rtpPort: 4000, rtcpPort: 4001 }).destination, {
    ip: '192.0.2.1',
    port: 4000,
  })
})

test('an IPv6 address is the same however it is written', () => {
  const lock = lockOn({ ip: '2001:DB8:0:0::1', rtpPort: 4000, rtcpPort: 4001 })
  lock.accept({ ip: '203.0.113.9', port: 1 }, 1, 0)
  assert.ok(lock.accept({ ip: '2001:db8::1', port: 4000 }, 1, 5000))
})
