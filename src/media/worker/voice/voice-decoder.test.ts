import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SoundEncoding } from '../../../codec/codec.ts'
import { findCodec } from '../../../codec/codecs.ts'
import { levelDbov } from '../../../codec/level.ts'
import { Chance, findSine, resampled, sine, snrDb, speech16k } from '../../../codec/test-support.ts'
import { emptyRtpPacket } from '../../../rtp/packet.ts'
import { VoiceDecoder } from './voice-decoder.ts'

interface Line {
  readonly encoding?: SoundEncoding
  readonly packetMs?: number
  readonly frequencyHz?: number
  readonly minMs?: number
  readonly maxMs?: number
}

/** A sender of a tone, a network that the test decides about, and a listener who reads each 20 ms. */
function line({ encoding = 'PCMU', packetMs = 20, frequencyHz = 500, minMs = 40, maxMs = 200 }: Line = {}) {
  const codec = encoding === 'opus' ? findCodec('opus', 48_000, 2) : findCodec(encoding, 8000)
  assert.ok(codec)
  const { clockRateHz, sampleRateHz } = codec
  const voice = new VoiceDecoder(codec, { minMs, maxMs })
  const encoder = codec.createEncoder()
  const perPacket = (sampleRateHz * packetMs) / 1000
  const tone = sine(frequencyHz, 8000, sampleRateHz, 6)
  const packet = emptyRtpPacket()
  packet.bytes = new Uint8Array(1500)
  /** Heard from 0 ms on, silence as zeros. */
  const heard: number[] = []
  const underway: { readonly atMs: number; readonly index: number }[] = []
  let nextTickMs = 7
  const deliver = (index: number, atMs: number): void => {
    packet.sequence = (60_000 + index) & 0xffff
    packet.timestamp = (4e9 + (index * clockRateHz * packetMs) / 1000) >>> 0
    packet.payloadEnd = encoder.encode(tone, (index * perPacket) % tone.length, perPacket, packet.bytes, 0)
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
    /** The tone in a stretch of what was heard, at the pitch within 1000 ppm at which it is clearest. */
    heardTone: (fromMs: number, toMs: number) => {
      const stretch = Int16Array.from(heard.slice((fromMs * sampleRateHz) / 1000, (toMs * sampleRateHz) / 1000))
      let best = { peak: 0, snrDb: Number.NEGATIVE_INFINITY, ppm: 0 }
      for (let ppm = -1000; ppm <= 1000; ppm += 50) {
        const found = findSine(stretch, frequencyHz * (1 + ppm / 1e6), sampleRateHz)
        if (found.snrDb > best.snrDb) best = { ...found, ppm }
      }
      return best
    },
  }
}

test('packets of 10 to 60 ms become unbroken sound, in G.711, G.722 and Opus', () => {
  for (const encoding of ['PCMU', 'G722', 'opus'] as const) {
    for (const packetMs of [10, 20, 30, 40, 60]) {
      // Opus has no frames of 30 ms
      if (encoding === 'opus' && packetMs === 30) continue
      const { voice, send, listen, heardTone } = line({ encoding, packetMs })
      send(0, 3000 / packetMs)
      listen(3000)
      const { peak, snrDb } = heardTone(1000, 2000)
      assert.ok(Math.abs(peak - 8000) < 200 && snrDb > 25, `${encoding} ${packetMs} ms: ${peak}, ${snrDb} dB`)
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
  assert.ok(Math.abs(voice.stats().delayMs - 40) < 0.2, `${voice.stats().delayMs}`)
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

test('jitter of 80 ms is met within two seconds; when it is gone the delay goes down again, and nobody hears it', () => {
  const { voice, send, listen, heardTone } = line()
  const chance = new Chance(3)
  send(0, 500)
  send(500, 1500, () => 80 * chance.next())
  send(1500, 4500)
  listen(12_000)
  const before = voice.stats()
  assert.ok(before.delayMs > 85, `${before.delayMs} ms`)
  listen(30_000)
  const during = voice.stats()
  assert.ok(during.lost - before.lost <= 9, `${during.lost - before.lost} of 900`)
  listen(89_000)
  const after = voice.stats()
  assert.equal(after.lost - during.lost, 0)
  assert.equal(after.concealedMs - during.concealedMs, 0)
  assert.ok(after.removedMs > 20 && Math.abs(after.delayMs - 40) < 11, `${after.removedMs}, ${after.delayMs} ms`)
  for (let fromMs = 31_000; fromMs < 88_000; fromMs += 2000) {
    const { peak, snrDb } = heardTone(fromMs, fromMs + 200)
    assert.ok(Math.abs(peak - 8000) < 150 && snrDb > 27, `${fromMs}: ${peak}, ${snrDb} dB`)
  }
})

test('a spike is played in full when it ends, if the bound allows it, and shifts nothing for long', () => {
  const { voice, send, listen } = line()
  send(0, 200)
  send(200, 206, (index) => 120 - (index - 200) * 20)
  send(206, 1000)
  listen(4300)
  const { delayMs, lost, late } = voice.stats()
  assert.deepEqual({ lost, late }, { lost: 0, late: 0 })
  assert.ok(delayMs > 80, `${delayMs}`)
  listen(19_000)
  assert.ok(voice.stats().delayMs < 55, `${voice.stats().delayMs}`)
})

const everyFifth = (index: number): boolean => index % 5 === 4

test('what Opus lost is recovered from the packet behind, which sounds more like it than what is concealed', () => {
  const codec = findCodec('opus', 48_000, 2)
  assert.ok(codec)
  const speech = resampled(speech16k, 16_000, 48_000)
  const hear = (fec: boolean, isLost: (index: number) => boolean) => {
    const voice = new VoiceDecoder(codec, { minMs: 60, maxMs: 200 })
    const encoder = codec.createEncoder({ bitsPerSecond: 32_000, fec, lossPercent: 20 })
    const packet = emptyRtpPacket()
    packet.bytes = new Uint8Array(1500)
    const heard: number[] = []
    for (let index = 0; index < 110; index++) {
      packet.payloadEnd = encoder.encode(speech, index * 960, 960, packet.bytes, 0)
      packet.sequence = index
      packet.timestamp = index * 960
      if (!isLost(index)) voice.put(packet, 'sound', index * 20)
      heard.push(...(voice.read(index * 20 + 10) ?? new Int16Array(960)))
    }
    const { recoveredMs, concealedMs } = voice.stats()
    voice.close()
    encoder.close()
    return { heard: Int16Array.from(heard), recoveredMs, concealedMs }
  }
  const whole = hear(true, () => false)
  const recovered = hear(true, everyFifth)
  const concealed = hear(false, everyFifth)
  assert.equal(whole.recoveredMs, 0)
  // Of 21; the encoder spares the copy where little is said
  assert.ok(recovered.recoveredMs >= 15 * 20, `${recovered.recoveredMs} ms`)
  assert.equal(recovered.recoveredMs + recovered.concealedMs, 21 * 20)
  assert.equal(concealed.recoveredMs, 0)
  const gainDb = snrDb(whole.heard, recovered.heard) - snrDb(hear(false, () => false).heard, concealed.heard)
  assert.ok(gainDb > 3, `${gainDb} dB`)
})

test('a sender whose clock is 300 ppm off for an hour, with 10 ms of jitter: nothing is lost or made up, the delay stays', () => {
  for (const ppm of [-300, 300]) {
    const codec = findCodec('PCMU', 8000)
    assert.ok(codec)
    const voice = new VoiceDecoder(codec, { minMs: 40, maxMs: 200 })
    // 500 Hz has ten periods in 20 ms: all packets are the same
    const packet = emptyRtpPacket()
    packet.bytes = new Uint8Array(160)
    packet.payloadEnd = codec.createEncoder().encode(sine(500, 8000, 8000, 0.02), 0, 160, packet.bytes, 0)
    const chance = new Chance(7)
    const heard = new Int16Array(40_000)
    let most = 0
    let least = 1000
    let index = 0
    const ticks = 3600 * 50
    for (let tick = 0; tick < ticks; tick++) {
      for (; index * 20 * (1 + ppm / 1e6) < tick * 20; index++) {
        packet.sequence = index & 0xffff
        packet.timestamp = (index * 160) >>> 0
        voice.put(packet, 'sound', index * 20 * (1 + ppm / 1e6) + 10 * chance.next())
      }
      const frame = voice.read(tick * 20 + 9)
      if (frame && tick >= ticks - 250) heard.set(frame, (tick - ticks + 250) * 160)
      if (tick < 3000) continue
      const { delayMs } = voice.stats()
      most = Math.max(most, delayMs)
      least = Math.min(least, delayMs)
    }
    const { lost, late, concealedMs, overflowed, removedMs, insertedMs, driftPpm } = voice.stats()
    assert.deepEqual(
      { lost, late, concealedMs, overflowed, removedMs, insertedMs },
      { lost: 0, late: 0, concealedMs: 0, overflowed: 0, removedMs: 0, insertedMs: 0 },
    )
    assert.ok(Math.abs(driftPpm - ppm) < 20, `${driftPpm} ppm`)
    assert.ok(most - least < 5 && Math.abs(most - 40) < 5, `${ppm} ppm: ${least} to ${most} ms`)
    // The sender's 500 Hz are not quite ours
    const { peak, snrDb } = findSine(heard, 500 * (1 - ppm / 1e6), 8000)
    assert.ok(Math.abs(peak - 8000) < 100 && snrDb > 30, `${peak}, ${snrDb} dB`)
  }
})

test('a sender that is silent for 5 s: its noise is heard meanwhile, nothing counts as lost, and the delay is as before', () => {
  const codec = findCodec('PCMU', 8000)
  assert.ok(codec)
  const voice = new VoiceDecoder(codec, { minMs: 40, maxMs: 200 })
  const encoder = codec.createEncoder()
  const tone = sine(500, 8000, 8000, 0.02)
  const packet = emptyRtpPacket()
  packet.bytes = new Uint8Array(160)
  const levels: number[] = []
  let sequence = 65_500
  for (let index = 0; index < 400; index++) {
    const isSilent = index >= 100 && index < 350
    if (index === 100) packet.bytes.set([40], 0)
    packet.payloadEnd = index === 100 ? 1 : isSilent ? 0 : encoder.encode(tone, 0, 160, packet.bytes, 0)
    packet.timestamp = index * 160
    if (packet.payloadEnd > 0) {
      packet.sequence = sequence++ & 0xffff
      voice.put(packet, isSilent ? 'noise' : 'sound', index * 20)
    }
    levels.push(levelDbov(voice.read(index * 20 + 5) ?? new Int16Array(160)))
  }
  const { lost, late, concealedMs, delayMs } = voice.stats()
  assert.deepEqual({ lost, late, concealedMs }, { lost: 0, late: 0, concealedMs: 0 })
  assert.ok(Math.abs(delayMs - 40) < 1, `${delayMs} ms`)
  const mean = levels.slice(120, 340).reduce((sum, db) => sum + db / 220, 0)
  assert.ok(Math.abs(mean + 40) < 2, `${mean} dBov`)
  assert.ok(Math.min(...levels.slice(355)) > -16)
})
