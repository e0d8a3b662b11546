import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SourceLock } from './source-lock.ts'

const sdp = { ip: '192.0.2.1', rtpPort: 4000, rtcpPort: 4001 }

function lockOn(address = sdp): SourceLock {
  const lock = new SourceLock()
  lock.describe(address)
  return lock
}

test('packets go to the address of the SDP until the first packet teaches the source', () => {
  const lock = lockOn()
  assert.deepEqual(lock.destination, { ip: '192.0.2.1', port: 4000 })
  assert.ok(lock.accept('198.51.100.7', 33_333, 0))
  assert.deepEqual(lock.destination, { ip: '198.51.100.7', port: 33_333 })
})

test('once settled, a stranger is refused, also from the same host', () => {
  const lock = lockOn()
  lock.accept('198.51.100.7', 33_333, 0)
  assert.ok(!lock.accept('203.0.113.9', 1, 1000))
  assert.ok(!lock.accept('198.51.100.7', 33_334, 1000))
  assert.ok(!lock.accept('192.0.2.1', 5000, 1000), 'another port of the host in the SDP')
  assert.ok(lock.accept('198.51.100.7', 33_333, 1000))
})

test('a stranger who came first loses to the address of the SDP, whenever that speaks', () => {
  for (const nowMs of [20, 5000]) {
    const lock = lockOn()
    assert.ok(lock.accept('203.0.113.9', 1, 0))
    assert.ok(lock.accept('192.0.2.1', 4000, nowMs))
    assert.ok(!lock.accept('203.0.113.9', 1, nowMs + 1))
    assert.deepEqual(lock.source, { ip: '192.0.2.1', port: 4000 })
  }
})

test('within the first second the host of the SDP wins over a stranger, and not the other way', () => {
  const lock = lockOn()
  assert.ok(lock.accept('203.0.113.9', 1, 0))
  assert.ok(!lock.accept('203.0.113.10', 1, 10), 'a second stranger is no better than the first')
  assert.ok(lock.accept('192.0.2.1', 5000, 999))
  assert.ok(!lock.accept('203.0.113.9', 1, 999))
})

test('packets that come before any SDP lock too', () => {
  const lock = new SourceLock()
  assert.equal(lock.destination, undefined)
  assert.ok(lock.accept('192.0.2.1', 4000, 0))
  lock.describe(sdp)
  assert.deepEqual(lock.source, { ip: '192.0.2.1', port: 4000 })
})

test('a peer that moved is learned anew, and its last packets from the old place do not hold the lock', () => {
  const lock = lockOn()
  lock.accept('192.0.2.1', 4000, 0)
  lock.describe({ ip: '192.0.2.2', rtpPort: 6000, rtcpPort: 6001 })
  assert.deepEqual(lock.destination, { ip: '192.0.2.2', port: 6000 })
  assert.ok(lock.accept('192.0.2.1', 4000, 10_000), 'still on its way')
  assert.ok(lock.accept('198.51.100.7', 33_333, 10_020), 'the new place, behind NAT')
  assert.ok(!lock.accept('192.0.2.1', 4000, 10_040))
})

test('the same SDP again, or a hold, keeps the lock', () => {
  const lock = lockOn()
  lock.accept('198.51.100.7', 33_333, 0)
  lock.describe(sdp)
  lock.describe({ ...sdp, ip: '0.0.0.0' })
  lock.describe(undefined)
  assert.ok(!lock.accept('203.0.113.9', 1, 5000))
  lock.describe(sdp)
  assert.ok(lock.accept('198.51.100.7', 33_333, 5000))
})

test('what nothing can be sent to is no destination: port 0, 0.0.0.0, a name', () => {
  for (const ip of ['0.0.0.0', '::', 'phone.example.com']) assert.equal(lockOn({ ...sdp, ip }).destination, undefined)
  assert.equal(lockOn({ ...sdp, rtpPort: 0 }).destination, undefined)
})

test('an IPv6 address is the same however it is written', () => {
  const lock = lockOn({ ip: '2001:DB8:0:0::1', rtpPort: 4000, rtcpPort: 4001 })
  lock.accept('203.0.113.9', 1, 0)
  assert.ok(lock.accept('2001:db8::1', 4000, 5000))
})
