/** The tools of the interop tests, where a fault would make them prove nothing. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../src/core/fake-clock.ts'
import { Listener } from '../src/demo/listener.ts'
import { samplesPerPacket } from '../src/demo/talker.ts'
import { damage, pcapOf, speak } from './support/rtp-capture.ts'

const speech = Int16Array.from({ length: 400 * samplesPerPacket - 7 }, (_, i) => 8_000 * Math.sin(i / 7))

const heardIn = (packets: readonly { readonly rtp: Uint8Array }[]) => {
  const listener = new Listener({ clock: new FakeClock(), audio: new Map([[0, 'PCMU']]) })
  for (const { rtp } of packets) listener.receive(rtp)
  return listener.heard()
}

test('speech becomes packets of 20 ms that say all of it', () => {
  const { packets, samples } = speak(speech)

  assert.equal(packets.length, 400)
  assert.deepEqual(
    packets.slice(0, 3).map(({ atMs }) => atMs),
    [0, 20, 40],
  )
  assert.deepEqual(heardIn(packets), samples)
})

test('a damaged capture loses, doubles and swaps, and says what is left', () => {
  const whole = speak(speech)
  const { packets, samples } = damage(whole, 7)

  assert.deepEqual(heardIn(packets), samples)
  assert.notDeepEqual(samples, whole.samples)
  const order = packets.map(({ rtp }) => whole.packets.findIndex((packet) => packet.rtp === rtp))
  const count = (test: (index: number, at: number) => boolean) => order.filter(test).length
  assert.ok(new Set(order).size < 395, 'some are lost')
  assert.ok(count((index, at) => index === order[at - 1]) > 5, 'some are doubled')
  assert.ok(count((index, at) => index < (order[at - 1] ?? 0)) > 5, 'some are swapped')
  assert.ok(
    order.every((_, at) => (packets[at]?.atMs ?? 0) >= (packets[at - 1]?.atMs ?? 0)),
    'times do not run back',
  )
})

test('a capture is laid out as libpcap 2.4 with UDP over IPv4', () => {
  const { packets } = speak(speech.subarray(0, samplesPerPacket))

  const file = pcapOf(packets)

  assert.equal(file.length, 24 + 16 + 14 + 20 + 8 + 12 + 160)
  assert.equal(file.readUInt32LE(0), 0xa1b2c3d4)
  assert.equal(file.readUInt32LE(24 + 8), 14 + 20 + 8 + 172)
  const ip = file.subarray(24 + 16 + 14, 24 + 16 + 14 + 20)
  let sum = 0
  for (let at = 0; at < 20; at += 2) sum += ip.readUInt16BE(at)
  assert.equal((sum & 0xffff) + (sum >>> 16), 0xffff, 'the header checksum is right (RFC 791 §3.1)')
  assert.deepEqual(file.subarray(-172), Buffer.from(packets[0]?.rtp ?? []))
})
