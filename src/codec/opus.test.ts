import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EncoderWishes } from './codec.ts'
import { OpusDecoder, OpusEncoder, type OpusOptions, type OpusRateHz } from './opus.ts'
import { carriesCopy, opusTicks } from './opus-packet.ts'
import { findSine, sine, snrDb, speech16k } from './test-support.ts'

const voice = { sampleRateHz: 16_000, channels: 1, bitsPerSecond: 24_000 } as const

/** Packets of 20 ms. */
function encoded(sound: Int16Array, options: OpusOptions & EncoderWishes): Uint8Array[] {
  const encoder = new OpusEncoder(options, options)
  const frame = (options.sampleRateHz / 50) * options.channels
  const packets: Uint8Array[] = []
  const bytes = new Uint8Array(1500)
  for (let at = 0; at + frame <= sound.length; at += frame)
    packets.push(bytes.slice(0, encoder.encode(sound, at, frame, bytes, 0)))
  encoder.close()
  return packets
}

test('a tone keeps pitch and level at every rate, in mono and stereo', () => {
  for (const rate of [8000, 12_000, 16_000, 24_000, 48_000] as readonly OpusRateHz[]) {
    for (const channels of [1, 2] as const) {
      const mono = sine(1000, 8000, rate, 0.6)
      const sound = new Int16Array(mono.length * channels).map((_, i) => mono[Math.floor(i / channels)] ?? 0)
      const options = { ...voice, sampleRateHz: rate, channels, sound: 'music', bitsPerSecond: 96_000 } as const
      const packets = encoded(sound, options)
      const decoder = new OpusDecoder(options)
      const out = new Int16Array(sound.length)
      const frame = (rate / 50) * channels
      packets.forEach((packet, i) => assert.equal(decoder.decode(packet, 0, packet.length, out, i * frame), frame))
      decoder.close()
      const heard = out.filter((_, i) => i % channels === channels - 1).subarray(rate / 5, (rate * 2) / 5)
      const { peak } = findSine(heard, 1000, rate)
      assert.ok(Math.abs(20 * Math.log10(peak / 8000)) < 0.5, `${rate}/${channels}: ${peak}`)
    }
  }
})

type Loss = 'none' | 'concealed' | 'recovered'

/** All packets decoded, but for one in five. */
function decoded(packets: readonly Uint8Array[], loss: Loss): Int16Array {
  const decoder = new OpusDecoder(voice)
  const out = new Int16Array(packets.length * 320)
  packets.forEach((packet, i) => {
    const next = packets[i + 1]
    if (loss === 'none' || i % 5 !== 4) decoder.decode(packet, 0, packet.length, out, i * 320)
    else if (loss === 'concealed' || !next || decoder.recover(next, 0, next.length, out, i * 320, 320) === 0)
      decoder.conceal(out, i * 320, 320)
  })
  decoder.close()
  return out
}

test('speech comes back 10 dB above its noise at 48 kbit/s', () => {
  const out = decoded(encoded(speech16k, { ...voice, sound: 'music', bitsPerSecond: 48_000 }), 'none')
  const snr = snrDb(speech16k, out, 200)
  assert.ok(snr > 10, `${snr} dB`)
})

test('lost packets are concealed, and better still recovered from the next one', () => {
  const packets = encoded(speech16k, { ...voice, fec: true, lossPercent: 20 })
  const whole = decoded(packets, 'none')
  const concealed = snrDb(whole, decoded(packets, 'concealed'))
  const recovered = snrDb(whole, decoded(packets, 'recovered'))
  assert.ok(concealed > 3, `${concealed} dB`)
  assert.ok(recovered > concealed + 3, `${recovered} dB, ${concealed} dB`)
})

test('with DTX silence costs next to nothing', () => {
  const packets = encoded(new Int16Array(16_000 * 2), { ...voice, dtx: true })
  const tiny = packets.slice(50).filter((packet) => packet.length <= 2)
  assert.ok(tiny.length > 40, `${tiny.length} of 50`)
})

test('arbitrary, cut and empty packets, odd lengths and too little room are refused', () => {
  const [packet = new Uint8Array(0)] = encoded(speech16k, voice)
  const decoder = new OpusDecoder(voice)
  const encoder = new OpusEncoder(voice, voice)
  const out = new Int16Array(decoder.longestPacket)
  assert.equal(decoder.decode(packet, 0, 0, out, 0), 0)
  assert.equal(decoder.decode(packet, 1, packet.length, out, 0), 0)
  assert.equal(decoder.decode(packet, 0, packet.length, out, out.length - 319), 0)
  for (let first = 0; first < 256; first++) {
    const noise = Uint8Array.from({ length: 30 }, (_, i) => (i === 0 ? first : (first * 31 + i * 167) & 255))
    const count = decoder.decode(noise, 0, 30, out, 0)
    assert.ok(count >= 0 && count <= out.length)
  }
  out.fill(5)
  decoder.conceal(out, 0, 321)
  assert.ok(out.subarray(0, 321).every((sample) => sample === 0))
  assert.equal(out[321], 5)
  assert.equal(encoder.encode(speech16k, 0, 321, new Uint8Array(1500), 0), 0)
  assert.equal(encoder.encode(speech16k, 0, 320, new Uint8Array(0), 0), 0)
  const small = new Uint8Array(20)
  assert.ok(encoder.encode(speech16k, 0, 320, small, 0) <= 20)
  decoder.close()
  encoder.close()
})

test('a packet tells its length before it is decoded (RFC 6716 §3.1)', () => {
  for (const [ms, count] of [
    [10, 160],
    [20, 320],
    [40, 640],
    [60, 960],
  ] as const) {
    const bytes = new Uint8Array(1500)
    const encoder = new OpusEncoder(voice, voice)
    const length = encoder.encode(speech16k, 0, count, bytes, 0)
    encoder.close()
    assert.equal(opusTicks(bytes, 0, length), ms * 48)
  }
  assert.equal(opusTicks(Uint8Array.of(0xfc), 0, 1), 960)
  // Three frames of 20 ms, and 48 of 20 ms, which is too long; a count that is missing.
  assert.equal(opusTicks(Uint8Array.of(0xff, 3), 0, 2), 2880)
  assert.equal(opusTicks(Uint8Array.of(0xff, 48), 0, 2), 0)
  assert.equal(opusTicks(Uint8Array.of(0xff), 0, 1), 0)
  assert.equal(opusTicks(new Uint8Array(0), 0, 0), 0)
})

const shareWithCopies = (packets: readonly Uint8Array[]): number =>
  packets.filter((packet) => carriesCopy(packet, 0, packet.length)).length / packets.length

test('a packet tells whether it carries a copy of the one before, and nothing is recovered from one that does not', () => {
  const withCopies = encoded(speech16k, { ...voice, fec: true, lossPercent: 20 })
  const without = encoded(speech16k, voice)
  assert.ok(shareWithCopies(withCopies) > 0.5, `${shareWithCopies(withCopies)}`)
  assert.equal(shareWithCopies(without), 0)
  const [first = new Uint8Array(0)] = without
  const decoder = new OpusDecoder(voice)
  assert.equal(decoder.recover(first, 0, first.length, new Int16Array(320), 0, 320), 0)
  decoder.close()
})

test('two thousand decoders are made, work and give their room back; a closed one decodes nothing', () => {
  const [packet = new Uint8Array(0)] = encoded(speech16k, voice)
  const out = new Int16Array(320)
  for (let round = 0; round < 2; round++) {
    const decoders = Array.from({ length: 1000 }, () => new OpusDecoder(voice))
    for (const decoder of decoders) assert.equal(decoder.decode(packet, 0, packet.length, out, 0), 320)
    for (const decoder of decoders) decoder.close()
    for (const decoder of decoders) assert.equal(decoder.decode(packet, 0, packet.length, out, 0), 0)
  }
})

test('a closed encoder encodes nothing, and hears of loss without harm', () => {
  const encoder = new OpusEncoder(voice, voice)
  encoder.close()
  encoder.close()
  encoder.adapt(20)
  assert.equal(encoder.encode(speech16k, 0, 320, new Uint8Array(1500), 0), 0)
})

test('wishes that libopus does not know are refused', () => {
  assert.throws(() => new OpusEncoder(voice, { complexity: 11 }), RangeError)
})
