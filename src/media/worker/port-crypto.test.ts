import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../core/fake-clock.ts'
import type { SrtpKey, SrtpSuite } from '../../core/srtp.ts'
import { emptyRtpPacket, parseRtp, printRtp } from '../../rtp/packet.ts'
import { parseRtcp, printRtcp } from '../../rtp/rtcp.ts'
import { SrtpReceiver, SrtpSender } from '../../rtp/srtp.ts'
import type { SrtpKeys } from '../types.ts'
import { FrameClock } from './frame-clock.ts'
import { Port } from './port.ts'
import { BlockPool } from './recording/block-pool.ts'
import { fakeSockets } from './test-sockets.ts'

const pcmu = { payloadType: 0, encoding: 'PCMU', clockRateHz: 8000 } as const
const alice = { ip: '192.0.2.1', rtpPort: 4000, rtcpPort: 4001 }
const bob = { ip: '192.0.2.2', rtpPort: 5000, rtcpPort: 5001 }
const payload = Uint8Array.from({ length: 160 }, (_, i) => (i * 7) & 0xff)

const keyOf = (fill: number, suite: SrtpSuite = 'AES_CM_128_HMAC_SHA1_80'): SrtpKey => ({
  suite,
  master: new Uint8Array(suite === 'AEAD_AES_256_GCM' ? 44 : 30).fill(fill),
  mkiBytes: 0,
})
/** Ours and the peer's. */
const keys: SrtpKeys = { send: keyOf(1), receive: keyOf(2) }

const speech = (sequence: number): Uint8Array =>
  printRtp({ ssrc: 1, sequence, timestamp: sequence * 160, marker: false, payloadType: 0 }, payload)

function sealed(sender: SrtpSender, sequence: number): Uint8Array {
  const plain = speech(sequence)
  const bytes = sender.rtp(plain, 0, plain.length)
  assert.ok(bytes)
  return Uint8Array.from(bytes) // a Buffer's slice() is no copy, and what is received is decrypted in place
}

function portWith(clock: FakeClock) {
  const rtp: Uint8Array[] = []
  const rtcp: Uint8Array[] = []
  const port = new Port({
    cname: 'call',
    inactiveAfterMs: 0,
    recordedLater: false,
    clock,
    wallAt: (nowMs) => nowMs,
    blocks: new BlockPool(),
    frames: new FrameClock(clock),
    jitter: { minMs: 20, maxMs: 200 },
    tell: () => undefined,
  })
  port.attach(
    fakeSockets({
      sendRtp: (bytes, from, length) => rtp.push(bytes.slice(from, from + length)),
      sendRtcp: (bytes) => rtcp.push(bytes),
    }),
  )
  return { port, rtp, rtcp }
}

/** Alice's leg is encrypted, Bob's as asked. */
function call(ofBob?: SrtpKeys) {
  const clock = new FakeClock()
  const [a, b] = [portWith(clock), portWith(clock)]
  a.port.describe({ remote: alice, receive: [pcmu], send: [pcmu], srtp: keys })
  b.port.describe({ remote: bob, receive: [pcmu], send: [pcmu], ...(ofBob && { srtp: ofBob }) })
  a.port.bridge(b.port)
  return { a, b, clock }
}

function payloadOf(bytes: Uint8Array | undefined): Uint8Array {
  const packet = emptyRtpPacket()
  assert.ok(bytes && parseRtp(bytes, packet))
  return Uint8Array.from(packet.bytes.subarray(packet.payloadStart, packet.payloadEnd))
}

test('an encrypted leg and a plain one hear each other', () => {
  const { a, b } = call()
  a.port.rtp(sealed(new SrtpSender(keys.receive), 1), { ip: alice.ip, port: alice.rtpPort })
  assert.deepEqual(payloadOf(b.rtp[0]), payload)
  b.port.rtp(speech(1), { ip: bob.ip, port: bob.rtpPort })
  assert.notDeepEqual(payloadOf(a.rtp[0]).slice(0, 160), payload)
  assert.deepEqual(payloadOf(a.rtp[0] && new SrtpReceiver(keys.send).rtp(a.rtp[0])), payload)
})

test('two encrypted legs hear each other, each by its own keys and suite', () => {
  const theirs = { send: keyOf(3, 'AEAD_AES_256_GCM'), receive: keyOf(4, 'AEAD_AES_256_GCM') }
  const { a, b } = call(theirs)
  a.port.rtp(sealed(new SrtpSender(keys.receive), 1), { ip: alice.ip, port: alice.rtpPort })
  assert.deepEqual(payloadOf(b.rtp[0] && new SrtpReceiver(theirs.send).rtp(b.rtp[0])), payload)
})

test('on an encrypted leg nothing plain, forged or repeated is taken, and it moves no source', () => {
  const { a, b } = call()
  const sender = new SrtpSender(keys.receive)
  a.port.rtp(speech(1), { ip: alice.ip, port: alice.rtpPort })
  a.port.rtp(sealed(new SrtpSender(keyOf(9)), 1), { ip: alice.ip, port: alice.rtpPort })
  const first = sealed(sender, 2)
  a.port.rtp(first.slice(), { ip: '203.0.113.9', port: 666 })
  a.port.rtp(first.slice(), { ip: alice.ip, port: alice.rtpPort })
  assert.equal(b.rtp.length, 1)
  assert.equal(a.port.stats().packetsRefused, 3)
})

test('until the peer has said its key nothing is taken and nothing sent', () => {
  const { a, b } = call()
  a.port.describe({ remote: alice, receive: [pcmu], send: [pcmu], srtp: keys })
  const fresh = portWith(new FakeClock())
  fresh.port.describe({ remote: alice, receive: [pcmu], send: [pcmu], srtp: 'awaited' })
  fresh.port.bridge(b.port)
  fresh.port.rtp(speech(1), { ip: alice.ip, port: alice.rtpPort })
  b.port.rtp(speech(1), { ip: bob.ip, port: bob.rtpPort })
  assert.deepEqual([b.rtp, fresh.rtp], [[], []])
})

test('reports are encrypted and read', () => {
  const { a, clock } = call()
  a.port.rtp(sealed(new SrtpSender(keys.receive), 1), { ip: alice.ip, port: alice.rtpPort })
  for (let ms = 0; ms < 8000; ms += 50) {
    clock.advance(50)
    a.port.tick(clock.now())
  }
  const [report] = a.rtcp
  assert.ok(report)
  const clear = new SrtpReceiver(keys.send).rtcp(report)
  assert.equal(parseRtcp(clear ?? new Uint8Array(0))[0]?.type, 'report')
  const plain = printRtcp({ ssrc: 1, cname: 'x' })
  const before = a.port.stats().packetsRefused
  const encrypted = new SrtpSender(keys.receive).rtcp(plain)
  assert.ok(encrypted)
  a.port.rtcp(encrypted, { ip: alice.ip, port: alice.rtcpPort })
  assert.equal(a.port.stats().packetsRefused, before)
  a.port.rtcp(plain, { ip: alice.ip, port: alice.rtcpPort })
  assert.equal(a.port.stats().packetsRefused, before + 1)
})

test('the same keys told again go on; a new key of the peer takes over at once, ours stays', () => {
  const { a, b } = call()
  const sender = new SrtpSender(keys.receive)
  const first = sealed(sender, 1)
  a.port.rtp(first.slice(), { ip: alice.ip, port: alice.rtpPort })
  a.port.describe({ remote: alice, receive: [pcmu], send: [pcmu], srtp: structuredClone(keys) })
  a.port.rtp(first.slice(), { ip: alice.ip, port: alice.rtpPort })
  assert.equal(b.rtp.length, 1, 'what came before does not come again')
  a.port.describe({ remote: alice, receive: [pcmu], send: [pcmu], srtp: { ...keys, receive: keyOf(7) } })
  a.port.rtp(sealed(sender, 2), { ip: alice.ip, port: alice.rtpPort })
  assert.equal(b.rtp.length, 1)
  a.port.rtp(sealed(new SrtpSender(keyOf(7)), 3), { ip: alice.ip, port: alice.rtpPort })
  assert.equal(b.rtp.length, 2)
})
