import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Preroll } from './preroll.ts'
import type { SpeechPacket } from './recorder.ts'

const packet = (sequence: number, bytes = Uint8Array.of(0, 0, sequence, sequence)): SpeechPacket => ({
  ssrc: 1,
  sequence,
  timestamp: sequence * 2,
  law: 'PCMU',
  bytes,
  from: 2,
  samples: 2,
})

test('what came in the last 100 ms is handed over once, in its order', () => {
  const preroll = new Preroll()
  for (const [sequence, atMs] of [
    [1, 0],
    [2, 20],
    [3, 110],
  ] as const)
    preroll.keep(packet(sequence), atMs)
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
  preroll.keep(packet(1, bytes), 0)
  bytes.fill(0)
  const [kept] = preroll.take(1)
  assert.deepEqual([...(kept?.packet.bytes ?? [])], [7, 8])
  assert.equal(kept?.packet.from, 0)
})

test('a flood is bounded to the ten newest', () => {
  const preroll = new Preroll()
  for (let sequence = 0; sequence < 1000; sequence++) preroll.keep(packet(sequence), 1)
  assert.deepEqual(
    preroll.take(2).map(({ packet }) => packet.sequence),
    [990, 991, 992, 993, 994, 995, 996, 997, 998, 999],
  )
})
