import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SoundEncoding } from '../../codec/codec.ts'
import { findCodec } from '../../codec/codecs.ts'
import { findSine, sine } from '../../codec/test-support.ts'
import { emptyRtpPacket } from '../../rtp/packet.ts'
import { VoiceDecoder } from './voice-decoder.ts'

interface Line {
  readonly encoding?: SoundEncoding
  readonly packetMs?: number
  readonly frequencyHz?: number
  readonly minMs?: number
  readonly maxMs?: number
}

/** A sender of a tone, a network that the test decides about, and a listener who reads each 20 ms. */
function line({ encoding = 'PCMU', packetMs = 20, frequencyHz = 500, minMs = 20, maxMs = 200 }: Line = {}) {
  const codec = encoding === 'opus' ? findCodec('opus', 48_000, 2) : findCodec(encoding, 8000)
  assert.ok(codec)
  const { clockRateHz, sampleRateHz } = codec
  const voice = new VoiceDecoder(codec, { minMs, maxMs })
  const encoder = codec.createEncoder()
  const perPacket = (sampleRateHz * packetMs) / 1000
  const tone = sine(frequencyHz, 8000, sampleRateHz, 60)
  const packet = emptyRtpPacket()
  packet.bytes = new Uint8Array(1500)
  /** Heard from 0 ms on, silence as zeros. */
  const heard: number[] = []
  const underway: { readonly atMs: number; readonly index: number }[] = []
  let nextTickMs = 7
  const deliver = (index: number, atMs: number): void => {
    packet.sequence = (60_000 + index) & 0xffff
    packet.timestamp = (4e9 + (index * clockRateHz * packetMs) / 1000) >>> 0
    packet.payloadEnd = encoder.encode(tone, index * perPacket, perPacket, packet.bytes, 0)
    voice.put(packet, 'sound', atMs)
  }
  return {
    voice,
    /** Send packets `from` to `to`; each comes so much later than it was made, or never. */
    send: (from: number, to: number, delayMs: (index: number) => number | undefined = () => 0): void => {
      for (let index = from; index < to; index++) {
        const delay = delayMs(index)
        if (delay !== undefined) underway.push({ index, atMs: index * packetMs + delay })
      }
    },
    /** Read each 20 ms until then. */
    listen: (untilMs: number): void => {
      underway.sort((a, b) => a.atMs - b.atMs)
      for (; nextTickMs <= untilMs; nextTickMs += 20) {
        while ((underway[0]?.atMs ?? Infinity) <= nextTickMs) {
          const { index, atMs } = underway.shift() ?? { index: 0, atMs: 0 }
          deliver(index, atMs)
        }
        heard.push(...(voice.read(nextTickMs) ?? new Int16Array(sampleRateHz / 50)))
      }
    },
    /** The tone in a stretch of what was heard. */
    heardTone: (fromMs: number, toMs: number) =>
      findSine(
        Int16Array.from(heard.slice((fromMs * sampleRateHz) / 1000, (toMs * sampleRateHz) / 1000)),
        frequencyHz,
        sampleRateHz,
      ),
  }
}

test('packets of 10 to 60 ms become unbroken sound, in G.711 and G.722', () => {
  for (const encoding of ['PCMU', 'G722'] as const) {
    for (const packetMs of [10, 20, 30, 40, 60]) {
      const { voice, send, listen, heardTone } = line({ encoding, packetMs })
      send(0, 6000 / packetMs)
      listen(6000)
      const { peak, snrDb } = heardTone(1000, 5000)
      assert.ok(Math.abs(peak - 8000) < 200 && snrDb > 27, `${encoding} ${packetMs} ms: ${peak}, ${snrDb} dB`)
      const { lost, late, concealedMs } = voice.stats()
      assert.deepEqual({ lost, late, concealedMs }, { lost: 0, late: 0, concealedMs: 0 }, `${encoding} ${packetMs}`)
    }
  }
})

test('the first packet is heard after the target delay', () => {
  const { voice, send, listen, heardTone } = line()
  send(0, 50)
  listen(1000)
  assert.ok(heardTone(0, 20).peak < 1)
  assert.ok(heardTone(45, 105).peak > 7800)
  assert.ok(voice.stats().delayMs <= 42.1, `${voice.stats().delayMs}`)
})

test('packets that come in the wrong order, twice, and up to 60 ms late are all heard', () => {
  const { voice, send, listen, heardTone } = line({ minMs: 100 })
  send(0, 500, (index) => (index * 37) % 60)
  send(0, 500, (index) => (index % 9 === 0 ? 70 : undefined))
  listen(9000)
  const { lost, late, concealedMs, reordered, duplicate } = voice.stats()
  assert.deepEqual({ lost, late, concealedMs }, { lost: 0, late: 0, concealedMs: 0 })
  assert.ok(reordered > 100 && duplicate > 40, `${reordered}, ${duplicate}`)
  assert.ok(heardTone(1000, 8000).snrDb > 30)
})

test('a loss is concealed and shifts nothing: the tone before and after is one', () => {
  const { voice, send, listen, heardTone } = line()
  send(0, 500, (index) => (index % 25 === 24 ? undefined : 0))
  listen(9000)
  assert.equal(voice.stats().lost, 17)
  assert.ok(Math.abs(voice.stats().concealedMs - 17 * 20) < 41, `${voice.stats().concealedMs}`)
  const { peak, snrDb } = heardTone(1000, 8000)
  assert.ok(peak > 7700 && snrDb > 15, `${peak}, ${snrDb} dB`)
})

test('after the last packet there is silence, and it costs nothing', () => {
  const { voice, send, listen } = line()
  send(0, 50)
  listen(3000)
  assert.ok(voice.read(3007) === undefined)
  assert.ok(voice.stats().concealedMs <= 220)
})

test('when the network held packets up for longer than the bound, only what fits into the bound is played', () => {
  const { voice, send, listen, heardTone } = line()
  send(0, 100)
  send(100, 150, (index) => 3000 - index * 20)
  send(150, 300)
  listen(6000)
  assert.ok(voice.stats().delayMs <= 220, `${voice.stats().delayMs}`)
  assert.ok(voice.stats().overflowed > 30, `${voice.stats().overflowed}`)
  assert.ok(heardTone(4000, 5500).snrDb > 30)
})

test('who listens again after a while hears what is said now', () => {
  const { voice, send, listen } = line()
  send(0, 100)
  listen(1000)
  const packet = emptyRtpPacket()
  packet.bytes = new Uint8Array(160)
  packet.payloadEnd = 160
  for (let index = 50; index < 500; index++) {
    packet.sequence = (60_000 + index) & 0xffff
    packet.timestamp = (4e9 + index * 160) >>> 0
    voice.put(packet, 'sound', index * 20)
  }
  voice.read(9987)
  assert.ok(voice.stats().delayMs < 60, `${voice.stats().delayMs}`)
})
