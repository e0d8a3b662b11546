/** SRTP of relayed video: each side encrypted for itself, feedback through both. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../core/fake-clock.ts'
import { type SrtpKey, type SrtpSuite, srtpSuites } from '../../core/srtp.ts'
import { printRtp } from '../../rtp/packet.ts'
import { SrtpReceiver, SrtpSender } from '../../rtp/srtp.ts'
import type { PortDescription, SrtpKeys } from '../types.ts'
import { RelayPort } from './relay-port.ts'
import { fakeSockets } from './test-sockets.ts'

const alice = { ip: '192.0.2.1', rtpPort: 4000, rtcpPort: 4001 }
const bob = { ip: '192.0.2.2', rtpPort: 5000, rtcpPort: 5001 }
const fromAlice = { ip: alice.ip, port: alice.rtpPort }
const fromBob = { ip: bob.ip, port: bob.rtpPort }

const keyOf = (fill: number, suite: SrtpSuite): SrtpKey => {
  const { keyBytes, saltBytes } = srtpSuites[suite]
  return { suite, master: new Uint8Array(keyBytes + saltBytes).fill(fill), mkiBytes: 0 }
}
/** Ours, and those of the peer. */
const keysOf = (fill: number, suite: SrtpSuite = 'AES_CM_128_HMAC_SHA1_80'): SrtpKeys => ({
  send: keyOf(fill, suite),
  receive: keyOf(fill + 1, suite),
})

const picture = (sequence: number, ssrc = 7): Uint8Array =>
  printRtp(
    { ssrc, sequence, timestamp: sequence * 3000, marker: true, payloadType: 96 },
    Uint8Array.from({ length: 1100 }, (_, i) => (i * 7 + sequence) & 0xff),
  )

/** Of RFC 4585 §6: PLI, a NACK of two packets; of RFC 5104 §4.3.1: FIR; REMB as browsers send it. Each alone (RFC 5506). */
const feedback: Readonly<Record<string, readonly number[]>> = {
  pli: [0x81, 206, 0, 2, 0, 0, 0, 9, 0, 0, 0, 7],
  nack: [0x81, 205, 0, 3, 0, 0, 0, 9, 0, 0, 0, 7, 0, 17, 0, 1],
  fir: [0x84, 206, 0, 4, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 7, 3, 0, 0, 0],
  remb: [0x8f, 206, 0, 5, 0, 0, 0, 9, 0, 0, 0, 0, 0x52, 0x45, 0x4d, 0x42, 1, 0x0b, 0xd0, 0x90, 0, 0, 0, 7],
}

const copy = (bytes: Uint8Array | undefined): Uint8Array => {
  assert.ok(bytes)
  return Uint8Array.from(bytes) // what is received is decrypted in place
}

/** A peer with keys of its own, or none: what it sends, and what it reads of what it is sent. */
class Peer {
  #sender: SrtpSender | undefined
  #receiver: SrtpReceiver | undefined

  /** @param ours The keys of our side. */
  constructor(ours: SrtpKeys | undefined) {
    this.#sender = ours && new SrtpSender(ours.receive)
    this.#receiver = ours && new SrtpReceiver(ours.send)
  }

  rtp(plain: Uint8Array): Uint8Array {
    return copy(this.#sender ? this.#sender.rtp(plain, 0, plain.length) : plain)
  }

  rtcp(plain: Uint8Array): Uint8Array {
    return copy(this.#sender ? this.#sender.rtcp(plain) : plain)
  }

  read(kind: 'rtp' | 'rtcp', bytes: Uint8Array | undefined): Uint8Array | undefined {
    if (!this.#receiver || !bytes) return bytes
    return kind === 'rtp' ? this.#receiver.rtp(copy(bytes)) : this.#receiver.rtcp(copy(bytes))
  }
}

interface Sent {
  readonly socket: 'rtp' | 'rtcp'
  readonly bytes: Uint8Array
}

const described = (remote: PortDescription['remote'], srtp?: PortDescription['srtp']): PortDescription => ({
  ...(remote && { remote }),
  ...(srtp && { srtp }),
  receive: [],
  send: [],
})

function portWith(clock: FakeClock) {
  const sent: Sent[] = []
  const port = new RelayPort(clock)
  port.attach(
    fakeSockets({
      sendRtp: (bytes, from, length) => sent.push({ socket: 'rtp', bytes: bytes.slice(from, from + length) }),
      sendRtcp: (bytes) => sent.push({ socket: 'rtcp', bytes: bytes.slice() }),
    }),
  )
  return { port, sent }
}

function call(ofAlice?: SrtpKeys, ofBob?: SrtpKeys) {
  const clock = new FakeClock()
  const [a, b] = [portWith(clock), portWith(clock)]
  a.port.describe(described(alice, ofAlice))
  b.port.describe(described(bob, ofBob))
  a.port.bridge(b.port)
  return { a, b, alice: new Peer(ofAlice), bob: new Peer(ofBob) }
}

for (const [how, ofAlice, ofBob] of [
  ['encrypted on one side and plain on the other', keysOf(1), undefined],
  ['plain on one side and encrypted on the other', undefined, keysOf(1, 'AEAD_AES_128_GCM')],
  ['by another suite on each side', keysOf(1, 'AEAD_AES_256_GCM'), keysOf(3, 'AES_256_CM_HMAC_SHA1_80')],
] as const) {
  test(`video ${how}: packets come out as they went in`, () => {
    const { a, b, ...peers } = call(ofAlice, ofBob)
    for (let sequence = 65_530; sequence < 65_545; sequence++) {
      const bytes = picture(sequence & 0xffff)
      a.port.rtp(peers.alice.rtp(bytes), fromAlice)
      const [out] = b.sent.splice(0)
      assert.equal(out?.socket, 'rtp')
      assert.deepEqual(peers.bob.read('rtp', out.bytes), bytes)
      if (ofBob) assert.notDeepEqual(out.bytes.subarray(12, 1112), bytes.subarray(12))
    }
    assert.equal(a.port.stats().packetsReceived, 15)
    assert.equal(b.port.stats().packetsSent, 15)
  })

  for (const [name, bytes] of Object.entries(feedback))
    test(`video ${how}: ${name} crosses by the port of RTCP, and by that of RTP (RFC 5761)`, () => {
      const { a, b, ...peers } = call(ofAlice, ofBob)
      const plain = Uint8Array.from(bytes)
      b.port.rtcp(peers.bob.rtcp(plain), { ip: bob.ip, port: bob.rtcpPort })
      b.port.rtp(peers.bob.rtcp(plain), fromBob)
      assert.deepEqual(
        a.sent.map(({ socket }) => socket),
        ['rtcp', 'rtp'],
      )
      for (const { bytes: sent } of a.sent) assert.deepEqual(peers.alice.read('rtcp', sent), plain)
    })
}

test('what is forged, repeated, in the clear or of another key is refused on an encrypted side', () => {
  const { a, b, ...peers } = call(keysOf(1))
  const good = peers.alice.rtp(picture(1))
  const forged = copy(good)
  forged[500] = (forged[500] ?? 0) ^ 1
  a.port.rtp(forged, fromAlice)
  a.port.rtp(picture(1), fromAlice)
  a.port.rtp(new Peer(keysOf(9)).rtp(picture(1)), fromAlice)
  a.port.rtp(Uint8Array.from(feedback.pli ?? []), fromAlice)
  a.port.rtp(copy(good), fromAlice)
  a.port.rtp(copy(good), fromAlice)
  a.port.rtcp(Uint8Array.from(feedback.pli ?? []), { ip: alice.ip, port: alice.rtcpPort })
  assert.equal(b.sent.length, 1)
  assert.equal(a.port.stats().packetsRefused, 6)
})

test('what is not authentic does not teach a source: the first real packet does', () => {
  const { a, b, ...peers } = call(keysOf(1))
  a.port.rtp(picture(1), { ip: '198.51.100.1', port: 9_999 })
  assert.equal(a.port.stats().source, undefined)
  a.port.rtp(peers.alice.rtp(picture(1)), { ip: '203.0.113.7', port: 33_000 })
  assert.equal(a.port.stats().source, '203.0.113.7:33000')
  assert.equal(b.sent.length, 1)
})

test('nothing leaves an encrypted side that is neither RTP nor RTCP, and nothing before its keys are known', () => {
  const { a, b, ...peers } = call(undefined, keysOf(1))
  const check = Uint8Array.of(0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
  a.port.rtp(check, fromAlice)
  a.port.rtcp(check, { ip: alice.ip, port: alice.rtcpPort })
  assert.deepEqual(b.sent, [])
  const waiting = portWith(new FakeClock())
  waiting.port.describe(described(bob, 'awaited'))
  a.port.bridge(waiting.port)
  a.port.rtp(peers.alice.rtp(picture(1)), fromAlice)
  waiting.port.rtp(picture(1), fromBob)
  assert.deepEqual([...waiting.sent, ...a.sent], [])
})

/** Into the upper half of the second round of sequence numbers, where a receiver that is new would not guess it. */
const last = 65_536 + 40_000
function goRound(send: (sequence: number) => void): void {
  for (let sequence = 0; sequence < last; sequence += 1_000) send(sequence & 0xffff)
}
const next = picture((last + 1) & 0xffff)

test('video that is switched off and on again goes on under its key, and with its roll-over counter', () => {
  const keys = keysOf(1)
  const { a, b, ...peers } = call(undefined, keys)
  goRound((sequence) => a.port.rtp(picture(sequence), fromAlice))
  for (const { bytes } of b.sent.splice(0)) assert.ok(peers.bob.read('rtp', bytes))
  b.port.describe(described(undefined))
  b.port.describe(described(bob, keys))
  a.port.rtp(copy(next), fromAlice)
  assert.deepEqual(peers.bob.read('rtp', b.sent[0]?.bytes), next)
})

test('a new key of ours for the same peer goes on with the roll-over counter (RFC 3711 §3.3.1)', () => {
  const { a, b } = call(undefined, keysOf(1))
  goRound((sequence) => a.port.rtp(picture(sequence), fromAlice))
  const keys = keysOf(3, 'AEAD_AES_128_GCM')
  b.port.describe(described(bob, keys))
  a.port.rtp(copy(next), fromAlice)
  assert.equal(new SrtpReceiver(keys.send).rtp(copy(b.sent.at(-1)?.bytes)), undefined)
})

test('who comes in the place of a peer that left counts from the beginning', () => {
  const { a, b } = call(undefined, keysOf(1))
  goRound((sequence) => a.port.rtp(picture(sequence), fromAlice))
  b.port.describe(described(undefined))
  const keys = keysOf(3)
  b.port.describe(described({ ...bob, ip: '192.0.2.3' }, keys))
  a.port.rtp(copy(next), fromAlice)
  assert.deepEqual(new SrtpReceiver(keys.send).rtp(copy(b.sent.at(-1)?.bytes)), next)
})
