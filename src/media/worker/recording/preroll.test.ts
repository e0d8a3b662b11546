import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Preroll } from './preroll.ts'
import type { SpeechPacket } from './speech-packet.ts'

const packet = (sequence: number, bytes = Uint8Array.of(0, 0, sequence, sequence)): SpeechPacket => ({
  ssrc: 1,
  sequence,
  timestamp: sequence * 2,
  ticks: 2,
  format: { encoding: 'PCMU', clockRateHz: 8000, codec: undefined },
  payloadType: 0,
  marker: false,
  bytes,
  from: 2,
  to: 4,
})

test('of early media what came in the last 100 ms is handed over once, in its order', () => {
  const preroll = new Preroll()
  for (const [sequence, atMs] of [
    [1, 0],
    [2, 20],
    [3, 110],
  ] as const)
    preroll.keep(packet(sequence), atMs, true)
  assert.deepEqual(
    preroll.take(115).map(({ packet, atMs }) => [packet.sequence, atMs]),
    [
      [2, 20],
      [3, 110],
    ],
  )
  assert.deepEqual(preroll.take(115), [])
})

test('the bytes are copied: relaying changes their law in place', () => {
  const preroll = new Preroll()
  const bytes = Buffer.of(9, 9, 7, 8)
  preroll.keep(packet(1, bytes), 0, false)
  bytes.fill(0)
  const [kept] = preroll.take(1)
  assert.deepEqual([...(kept?.packet.bytes ?? [])], [7, 8])
  assert.equal(kept?.packet.from, 0)
})

test('a flood is bounded to the ten newest', () => {
  const preroll = new Preroll()
  for (let sequence = 0; sequence < 1000; sequence++) preroll.keep(packet(sequence), 1, true)
  assert.deepEqual(
    preroll.take(2).map(({ packet }) => packet.sequence),
    [990, 991, 992, 993, 994, 995, 996, 997, 998, 999],
  )
})

test('before any answer all is kept for two seconds: on a busy machine the 200 may be read that much later', () => {
  const preroll = new Preroll()
  for (let sequence = 0; sequence < 120; sequence++) preroll.keep(packet(sequence), sequence * 20, false)
  assert.deepEqual(
    preroll.take(2390).map(({ packet }) => packet.sequence),
    Array.from({ length: 100 }, (_, i) => 20 + i),
  )
})

test('speech that overtook a description of early media belongs to the ringing too', () => {
  const preroll = new Preroll()
  preroll.keep(packet(1), 0, false)
  preroll.keep(packet(2), 500, true)
  assert.deepEqual(
    preroll.take(510).map(({ packet }) => packet.sequence),
    [2],
  )
})
