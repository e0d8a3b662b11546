import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DatagramKind, datagramKind } from './demux.ts'
import { printRtp } from './packet.ts'
import { printRtcp } from './rtcp.ts'

test('the first byte tells what a datagram is (RFC 7983 figure 3)', () => {
  const counts: Partial<Record<DatagramKind, number>> = {}
  for (let first = 0; first < 256; first++) {
    const kind = datagramKind(Uint8Array.of(first, 0, 0, 0, 0, 0, 0, 0))
    counts[kind] = (counts[kind] ?? 0) + 1
  }
  assert.deepEqual(counts, { stun: 4, unknown: 12 + 48 + 64, zrtp: 4, dtls: 44, turn: 16, rtp: 64 })
  assert.equal(datagramKind(Uint8Array.of(22, 254, 253)), 'dtls', 'a handshake record of DTLS')
  assert.equal(datagramKind(Uint8Array.of(0, 1, 0, 0)), 'stun', 'a Binding request')
  assert.equal(datagramKind(new Uint8Array(0)), 'unknown')
})

test('RTP and RTCP on one port are told apart by the packet type (RFC 5761 §4)', () => {
  assert.equal(datagramKind(printRtcp({ ssrc: 9, cname: 'x' })), 'rtcp')
  assert.equal(datagramKind(Uint8Array.of(0x80, 205, 0, 2, 0, 0, 0, 1)), 'rtcp', 'feedback, in reduced size too')
  assert.equal(datagramKind(Uint8Array.of(0x80, 200, 0, 1)), 'unknown', 'cut off')
  const header = { marker: true, payloadType: 101, sequence: 1, timestamp: 2, ssrc: 3 }
  assert.equal(datagramKind(printRtp(header, new Uint8Array(0))), 'rtp', 'a marked telephone-event: type 229')
  for (let payloadType = 0; payloadType < 64; payloadType++) {
    assert.equal(datagramKind(printRtp({ ...header, payloadType }, new Uint8Array(1))), 'rtp')
  }
})
