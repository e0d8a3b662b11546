import assert from 'node:assert/strict'
import { test } from 'node:test'
import { emptyRtpPacket, parseRtp, printRtp } from './packet.ts'

const header = { marker: true, payloadType: 8, sequence: 0xfffe, timestamp: 0xdead_beef, ssrc: 0x8000_0001 }

test('a packet printed and parsed is the same', () => {
  const packet = emptyRtpPacket()
  const bytes = printRtp(header, Uint8Array.of(1, 2, 3))
  assert.ok(parseRtp(bytes, packet))
  assert.deepEqual(packet, { ...header, bytes, payloadStart: 12, payloadEnd: 15 })
})

test('contributing sources, extension and padding are not payload (RFC 3550 §5.1, §5.3.1)', () => {
  const plain = printRtp(header, Uint8Array.of(7, 8))
  const bytes = Buffer.concat([
    Uint8Array.of(0x80 | 0x20 | 0x10 | 1), // padding, extension, one contributing source
    plain.subarray(1, 12),
    Uint8Array.of(0, 0, 0, 9), // the contributing source
    Uint8Array.of(0xbe, 0xde, 0, 1, 0, 0, 0, 0), // an extension of one word
    Uint8Array.of(7, 8),
    Uint8Array.of(0, 0, 3), // padding
  ])
  const packet = emptyRtpPacket()
  assert.ok(parseRtp(bytes, packet))
  assert.deepEqual(bytes.subarray(packet.payloadStart, packet.payloadEnd), Buffer.of(7, 8))
})

test('an empty payload is a packet; what claims more than came is none', () => {
  const packet = emptyRtpPacket()
  const plain = printRtp(header, new Uint8Array(0))
  assert.ok(parseRtp(plain, packet))
  const changed = (at: number, value: number): Uint8Array => plain.map((byte, i) => (i === at ? value : byte))
  assert.ok(!parseRtp(plain.subarray(0, 11), packet), 'shorter than a header')
  assert.ok(!parseRtp(changed(0, 0x40), packet), 'version 1')
  assert.ok(!parseRtp(changed(0, 0x8f), packet), 'fifteen contributing sources')
  assert.ok(!parseRtp(changed(0, 0x90), packet), 'an extension beyond the end')
  assert.ok(!parseRtp(Uint8Array.of(...changed(0, 0xa0), 0), packet), 'no bytes of padding')
  assert.ok(!parseRtp(Uint8Array.of(...changed(0, 0xa0), 200), packet), 'more padding than packet')
})
