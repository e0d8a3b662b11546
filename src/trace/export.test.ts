import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TracedMessage } from '../events/catalogue.ts'
import { pcapOf, textOf } from './export.ts'

const message = (changes: Partial<TracedMessage> = {}): TracedMessage => ({
  atMs: 1_700_000_000_123,
  direction: 'in',
  transport: 'tls',
  local: '192.0.2.2:5061',
  remote: '192.0.2.1:40000',
  sipCallId: 'a',
  summary: 'OPTIONS sip:x SIP/2.0',
  text: 'OPTIONS sip:x SIP/2.0\r\nCall-ID: a\r\n\r\n',
  ...changes,
})

/** The frames of a capture, with their times in milliseconds. */
function read(file: Buffer) {
  assert.equal(file.readUInt32LE(0), 0xa1b2c3d4)
  assert.equal(file.readUInt32LE(20), 1, 'Ethernet')
  const frames: { atMs: number; frame: Buffer }[] = []
  for (let at = 24; at < file.length; ) {
    const bytes = file.readUInt32LE(at + 8)
    const atMs = file.readUInt32LE(at) * 1_000 + file.readUInt32LE(at + 4) / 1_000
    frames.push({ atMs, frame: file.subarray(at + 16, at + 16 + bytes) })
    at += 16 + bytes
  }
  return frames
}

/** All ones when every checksum under it is right (RFC 1071). */
function sum(...parts: readonly Buffer[]): number {
  let total = 0
  for (const part of parts)
    for (let at = 0; at < part.length; at += 2) total += ((part[at] ?? 0) << 8) + (part[at + 1] ?? 0)
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16)
  return total
}

test('a message is a UDP datagram over IPv4 with its time, its addresses in its direction and right checksums', () => {
  const [one, two] = read(pcapOf([message(), message({ direction: 'out', text: 'SIP/2.0 200 OK\r\n\r\n' })]))
  assert.ok(one && two)
  assert.equal(one.atMs, 1_700_000_000_123)
  const ip = one.frame.subarray(14)
  assert.equal(one.frame.readUInt16BE(12), 0x0800)
  assert.equal(ip.subarray(12, 16).join('.'), '192.0.2.1')
  assert.equal(ip.subarray(16, 20).join('.'), '192.0.2.2')
  assert.equal(ip.readUInt16BE(2), ip.length)
  assert.equal(sum(ip.subarray(0, 20)), 0xffff)
  const udp = ip.subarray(20)
  assert.deepEqual([udp.readUInt16BE(0), udp.readUInt16BE(2), udp.readUInt16BE(4)], [40_000, 5061, udp.length])
  assert.equal(sum(ip.subarray(12, 20), Buffer.of(0, 17), udp.subarray(4, 6), udp), 0xffff)
  assert.equal(udp.toString('utf8', 8), message().text)
  assert.equal(two.frame.subarray(26, 30).join('.'), '192.0.2.2')
})

test('over IPv6 the checksum is there as well', () => {
  const [one] = read(pcapOf([message({ local: '[2001:db8::2]:5060', remote: '[2001:db8::1]:5060' })]))
  assert.ok(one)
  const ip = one.frame.subarray(14)
  assert.equal(one.frame.readUInt16BE(12), 0x86dd)
  assert.equal(ip.readUInt16BE(4), ip.length - 40)
  const udp = ip.subarray(40)
  assert.equal(sum(ip.subarray(8, 40), Buffer.of(0, 17), udp.subarray(4, 6), udp), 0xffff)
})

test('a long message is cut into fragments that give the datagram again, IPv4 and IPv6', () => {
  const text = `MESSAGE sip:x SIP/2.0\r\n\r\n${'ü'.repeat(20_000)}`
  for (const [local, remote, head, offsetOf] of [
    ['192.0.2.2:5060', '192.0.2.1:5060', 20, (ip: Buffer) => (ip.readUInt16BE(6) & 0x1fff) * 8],
    ['[2001:db8::2]:5060', '[2001:db8::1]:5060', 48, (ip: Buffer) => ip.readUInt16BE(42) & ~7],
  ] as const) {
    const packets = read(pcapOf([message({ local, remote, text })])).map(({ frame }) => frame.subarray(14))
    assert.ok(packets.length > 20 && packets.every((ip) => ip.length <= 1_500))
    const whole = Buffer.alloc(8 + Buffer.byteLength(text))
    for (const ip of packets) ip.copy(whole, offsetOf(ip), head)
    assert.equal(whole.toString('utf8', 8), text)
    assert.equal(whole.readUInt16BE(4), whole.length)
  }
})

test('addresses of different families, which a wildcard socket has, are not mixed in one packet', () => {
  for (const local of ['0.0.0.0:5060', '192.0.2.7:5060']) {
    const [one] = read(pcapOf([message({ local, remote: '[2001:db8::1]:5060' })]))
    assert.equal(one?.frame.readUInt16BE(12), 0x86dd)
  }
})

test('as text each message stands under its time and its way', () => {
  const text = textOf([message(), message({ direction: 'out', text: 'SIP/2.0 200 OK\r\n\r\n' })])
  assert.equal(
    text,
    `2023-11-14T22:13:20.123Z 192.0.2.1:40000 -> 192.0.2.2:5061 TLS\n\nOPTIONS sip:x SIP/2.0\nCall-ID: a\n\n${'-'.repeat(72)}\n` +
      '2023-11-14T22:13:20.123Z 192.0.2.2:5061 -> 192.0.2.1:40000 TLS\n\nSIP/2.0 200 OK\n',
  )
})
