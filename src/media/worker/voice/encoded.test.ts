import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Codec } from '../../../codec/codec.ts'
import { codecFor, findCodec } from '../../../codec/codecs.ts'
import { encoded, packetMsFor } from './encoded.ts'

const codec = (encoding: string, clockRateHz: number, channels = 1): Codec => {
  const found = findCodec(encoding, clockRateHz, channels)
  assert.ok(found)
  return found
}

const timesOf = (each: Codec, times: readonly (readonly [number?, number?])[]): number[] =>
  times.map(([ptime, most]) => packetMsFor(each, ptime, most))

test('packets hold what the peer wants, in steps of 10 ms, as long as the network and the codec can', () => {
  const pcmu = codec('PCMU', 8000)
  const opus = codec('opus', 48_000, 2)
  assert.deepEqual(
    timesOf(pcmu, [[], [5], [15], [30], [60], [120], [40, 25], [20, 5]]),
    [20, 10, 10, 30, 60, 60, 20, 10],
  )
  assert.deepEqual(timesOf(opus, [[], [30], [50], [60], [3], [60, 50]]), [20, 20, 40, 60, 10, 40])
  assert.deepEqual(timesOf(codec('L16', 16_000), [[60]]), [40], '1280 bytes')
  assert.deepEqual(timesOf(codec('L16', 48_000), [[20]]), [10], '960 bytes')
})

test('an encoder lives as long as somebody hears it: one for all who hear a shared source, one each for another', () => {
  let open = 0
  const base = codecFor(codec('G722', 8000), 16_000)
  const counted: Codec = {
    ...base,
    createEncoder() {
      open++
      const encoder = base.createEncoder()
      return { encode: (...args) => encoder.encode(...args), close: () => void open-- }
    },
  }
  for (const [shared, most] of [
    [true, 2],
    [false, 5],
  ] as const) {
    const source = { sampleRateHz: 16_000, shared, read: () => undefined }
    const shape = { codec: counted, packetMs: 20, wishes: {} }
    const all = Array.from({ length: 4 }, () => encoded(source, shape))
    all.push(encoded(source, { ...shape, packetMs: 40 }))
    assert.equal(open, most)
    for (const each of all) each.leave()
    assert.equal(open, 0)
    encoded(source, shape).leave()
    assert.equal(open, 0)
  }
})

test('what nobody says is encoded as silence, and no packet is begun before a pause and ended after it', () => {
  const source = {
    sampleRateHz: 8000,
    read: (tick: number) => (tick === 0 ? new Int16Array(160).fill(8000) : undefined),
  }
  const each = encoded(source, { codec: codec('PCMU', 8000), packetMs: 40, wishes: {} })
  each.read(0)
  assert.equal(each.count, 0)
  each.read(7)
  assert.equal(each.count, 0)
  each.read(8)
  assert.deepEqual([each.count, each.payloads[0].length, each.payloads[0].position], [1, 320, 7 * 160])
  assert.ok(each.payloads[0].bytes.subarray(0, 320).every((byte) => byte === 0xff))
  each.leave()
})
