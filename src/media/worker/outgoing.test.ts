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
