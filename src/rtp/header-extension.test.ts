import assert from 'node:assert/strict'
import { test } from 'node:test'
import { audioLevelDbov, contributingSources, extensionAt, saysVoice } from './header-extension.ts'
import { emptyRtpPacket, parseRtp, printRtp } from './packet.ts'

const header = { marker: false, payloadType: 0, sequence: 1, timestamp: 2, ssrc: 3 }

/** A packet with two contributing sources and an extension of whole words. */
function packetWith(profile: number, words: readonly number[]): Uint8Array {
  const plain = printRtp(header, Uint8Array.of(9, 9))
  return Buffer.concat([
    Uint8Array.of(0x92),
    plain.subarray(1, 12),
    Uint8Array.of(0, 0, 1, 0, 0xff, 0xff, 0xff, 0xfe),
    Uint8Array.of(profile >> 8, profile & 0xff, 0, words.length / 4),
    Uint8Array.from(words),
    plain.subarray(12),
  ])
}

test('elements of one-byte form are found behind padding and each other (RFC 8285 §4.2)', () => {
  const bytes = packetWith(0xbede, [0, 0x32, 1, 2, 3, 0, 0x10, 0x80 | 30])
  assert.equal(bytes[extensionAt(bytes, 3, 3)], 1)
  assert.equal(extensionAt(bytes, 3, 4), -1, 'shorter than wanted')
  assert.equal(extensionAt(bytes, 2, 1), -1)
  assert.equal(audioLevelDbov(bytes, 1), -30)
  assert.ok(saysVoice(bytes, 1))
  assert.deepEqual(contributingSources(bytes), [256, 0xffff_fffe])
})

test('elements of two-byte form, with an empty one before (RFC 8285 §4.3)', () => {
  const bytes = packetWith(0x1005, [7, 0, 0, 200, 1, 127, 0, 0])
  assert.equal(audioLevelDbov(bytes, 200), -127)
  assert.ok(!saysVoice(bytes, 200))
  assert.equal(audioLevelDbov(bytes, 7), undefined, 'there, but empty')
})

test('what cannot be is not read: id 15, a length beyond the extension, another profile', () => {
  assert.equal(extensionAt(packetWith(0xbede, [0xf0, 1, 0x10, 1]), 1, 1), -1)
  assert.equal(extensionAt(packetWith(0xbede, [0x1f, 1, 1, 1]), 1, 1), -1)
  assert.equal(extensionAt(packetWith(0x1000, [1, 9, 1, 1]), 1, 1), -1)
  assert.equal(extensionAt(packetWith(0xabcd, [0x10, 1, 1, 1]), 1, 1), -1)
  assert.equal(extensionAt(printRtp(header, new Uint8Array(4)), 1, 1), -1)
})

test('hostile bytes are never read past: every cut and 20,000 changed bytes', () => {
  const good = packetWith(0xbede, [0, 0x32, 1, 2, 3, 0, 0x10, 30])
  const packet = emptyRtpPacket()
  let seed = 1
  for (let i = 0; i < 20_000; i++) {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    const bytes = good.slice(0, 1 + ((seed >>> 4) % good.length))
    bytes[(seed >>> 8) % bytes.length] = seed >>> 24
    const at = extensionAt(bytes, 1, 1)
    assert.ok(at < bytes.length)
    if (parseRtp(bytes, packet)) assert.ok(at < packet.payloadStart)
    assert.ok(contributingSources(bytes).length <= 15)
  }
})
