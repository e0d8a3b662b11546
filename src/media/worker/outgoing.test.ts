import assert from 'node:assert/strict'
import { test } from 'node:test'
import { emptyRtpPacket, parseRtp, printRtp, type RtpPacket } from '../../rtp/packet.ts'
import { Outgoing } from './outgoing.ts'

const ourSsrc = 0xabcd

interface Header {
  readonly ssrc?: number
  readonly sequence: number
  readonly timestamp: number
  readonly marker?: boolean
}

function incoming({ ssrc = 1, sequence, timestamp, marker = false }: Header): RtpPacket {
  const packet = emptyRtpPacket()
  const header = { ssrc, sequence: sequence & 0xffff, timestamp: timestamp >>> 0, marker, payloadType: 0 }
  assert.ok(parseRtp(printRtp(header, Uint8Array.of(1, 2, 3, 4)), packet))
  return packet
}

/** Sequence, timestamp and marker of what leaves; undefined when nothing does. */
function relay(outgoing: Outgoing, header: Header, nowMs: number): readonly [number, number, boolean] | undefined {
  const packet = incoming(header)
  const start = outgoing.rewrite(packet, 96, nowMs)
  if (start === undefined) return undefined
  const sent = emptyRtpPacket()
  assert.ok(parseRtp(packet.bytes.subarray(start), sent))
  assert.equal(sent.ssrc, ourSsrc)
  assert.equal(sent.payloadType, 96)
  assert.deepEqual(Array.from(sent.bytes.subarray(sent.payloadStart)), [1, 2, 3, 4])
  return [sent.sequence, sent.timestamp, sent.marker]
}

const newOutgoing = (): Outgoing => new Outgoing(ourSsrc, 65_535, 0xffff_ff60, 8000)

test('the stream begins with its own numbers and keeps the distances of the source, through both wraps', () => {
  const outgoing = newOutgoing()
  const sent = [10, 11, 13, 12].map((sequence, i) => relay(outgoing, { sequence, timestamp: sequence * 160 }, i * 20))
  assert.deepEqual(sent, [
    [65_535, 0xffff_ff60, false],
    [0, 0, false],
    [2, 320, false],
    [1, 160, false],
  ])
})

test('another source goes on where the last one stopped, by the clock, marked as a beginning', () => {
  const outgoing = newOutgoing()
  relay(outgoing, { sequence: 10, timestamp: 0 }, 0)
  assert.deepEqual(relay(outgoing, { ssrc: 2, sequence: 7000, timestamp: 99 }, 100), [0, 640, true])
  assert.deepEqual(relay(outgoing, { ssrc: 2, sequence: 7001, timestamp: 259 }, 120), [1, 800, false])
})

test('a straggler of the source before is dropped; the source itself may come back later', () => {
  const outgoing = newOutgoing()
  relay(outgoing, { sequence: 10, timestamp: 0 }, 0)
  relay(outgoing, { ssrc: 2, sequence: 7000, timestamp: 0 }, 20)
  assert.equal(relay(outgoing, { sequence: 11, timestamp: 160 }, 25), undefined)
  assert.deepEqual(relay(outgoing, { sequence: 500, timestamp: 80_000 }, 1020), [1, 8000, true])
})

test('what was not sent leaves no hole in the sequence, and time goes on', () => {
  const outgoing = newOutgoing()
  relay(outgoing, { sequence: 10, timestamp: 0 }, 0)
  for (const sequence of [11, 12, 14, 13]) outgoing.skip(incoming({ sequence, timestamp: 0 }))
  assert.deepEqual(relay(outgoing, { sequence: 15, timestamp: 800 }, 100), [0, 0xffff_ff60 + 800 - 2 ** 32, false])
})

test('extension, contributing sources and padding of one side do not reach the other', () => {
  const packet = emptyRtpPacket()
  const plain = printRtp(
    { ssrc: 1, sequence: 1, timestamp: 0, marker: true, payloadType: 0 },
    Uint8Array.of(1, 2, 3, 4),
  )
  const bytes = Buffer.concat([
    Uint8Array.of(0x80 | 0x20 | 0x10 | 1),
    plain.subarray(1, 12),
    Buffer.alloc(4, 9),
    Uint8Array.of(0xbe, 0xde, 0, 0),
    plain.subarray(12),
    Uint8Array.of(0, 2),
  ])
  assert.ok(parseRtp(bytes, packet))
  const start = newOutgoing().rewrite(packet, 96, 0)
  assert.equal(bytes.subarray(start, packet.payloadEnd).toString('hex'), '80e0ffffffffff600000abcd01020304')
})

test('sender reports get our timestamp at the moment of the report', () => {
  const outgoing = newOutgoing()
  relay(outgoing, { sequence: 10, timestamp: 5000 }, 1000)
  assert.equal(outgoing.timestampAt(1040), (0xffff_ff60 + 320) >>> 0)
  assert.equal(outgoing.packets, 1)
  assert.equal(outgoing.bytes, 4)
})

/** Sequence, timestamp and marker of a packet of our own. */
function own(outgoing: Outgoing, position: number, nowMs: number): readonly [number, number, boolean] {
  const bytes = new Uint8Array(16)
  outgoing.own(bytes, 0, 96, 4, position, 160, nowMs)
  const sent = emptyRtpPacket()
  assert.ok(parseRtp(bytes, sent))
  return [sent.sequence, sent.timestamp, sent.marker]
}

function ownEvent(outgoing: Outgoing, timestamp: number): number {
  const bytes = new Uint8Array(16)
  outgoing.ownEvent(bytes, 0, 101, 4, { marker: true, timestamp })
  return ((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0)
}

test('packets of our own follow relayed ones and are followed by them: by number, and by the clock', () => {
  const outgoing = new Outgoing(ourSsrc, 100, 1000, 8000)
  assert.deepEqual(relay(outgoing, { sequence: 10, timestamp: 0 }, 0), [100, 1000, false])
  assert.deepEqual(relay(outgoing, { sequence: 11, timestamp: 160 }, 20), [101, 1160, false])
  assert.deepEqual(own(outgoing, 0, 60), [102, 1480, true])
  assert.deepEqual(own(outgoing, 160, 80), [103, 1640, false])
  assert.deepEqual(own(outgoing, 480, 120), [104, 1960, true], 'a gap in our own sound')
  assert.deepEqual(relay(outgoing, { sequence: 16, timestamp: 960 }, 140), [105, 2120, true])
  assert.equal(relay(outgoing, { sequence: 12, timestamp: 320 }, 145), undefined, 'it would repeat a number of ours')
  assert.deepEqual(relay(outgoing, { sequence: 18, timestamp: 1280 }, 180), [107, 2440, false])
  assert.deepEqual(relay(outgoing, { sequence: 17, timestamp: 1120 }, 181), [106, 2280, false], 'swapped on the way')
})

test('our own sound never begins before what was relayed has ended', () => {
  const outgoing = new Outgoing(ourSsrc, 100, 1000, 8000)
  relay(outgoing, { sequence: 10, timestamp: 0 }, 0)
  relay(outgoing, { sequence: 11, timestamp: 480 }, 60)
  assert.deepEqual(own(outgoing, 0, 62), [102, 1960, true])
})

test('a digit takes numbers of the sequence and no time of the speech', () => {
  const outgoing = new Outgoing(ourSsrc, 100, 1000, 8000)
  relay(outgoing, { sequence: 10, timestamp: 0 }, 0)
  const began = outgoing.nextTimestamp(20)
  assert.equal(began, 1160)
  assert.deepEqual([ownEvent(outgoing, began), ownEvent(outgoing, began)], [101, 102])
  assert.deepEqual(relay(outgoing, { sequence: 11, timestamp: 160 }, 60), [103, 1160, false])
  // Long after it no number is too late.
  for (let i = 12; i < 40_000; i++) assert.ok(relay(outgoing, { sequence: i, timestamp: i * 160 }, i * 20))
})

test('a source that counts anew under its SSRC goes on at once; one packet out of its sequence is left out', () => {
  for (const anew of [40_000, 9000, 500, 60_000]) {
    const outgoing = new Outgoing(ourSsrc, 100, 1000, 8000)
    relay(outgoing, { sequence: 10_000, timestamp: 0 }, 0)
    ownEvent(outgoing, outgoing.nextTimestamp(20))
    assert.deepEqual(relay(outgoing, { sequence: 10_001, timestamp: 160 }, 20), [102, 1160, false])
    assert.equal(relay(outgoing, { sequence: anew - 3, timestamp: 7 }, 30), undefined)
    assert.deepEqual(relay(outgoing, { sequence: 10_002, timestamp: 320 }, 40), [103, 1320, false])
    assert.equal(relay(outgoing, { sequence: anew, timestamp: 99 }, 60), undefined)
    assert.deepEqual(relay(outgoing, { sequence: anew + 1, timestamp: 259 }, 80), [104, 1640, true])
    assert.deepEqual(relay(outgoing, { sequence: anew + 2, timestamp: 419 }, 100), [105, 1800, false])
  }
})
