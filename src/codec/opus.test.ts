import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OpusDecoder, OpusEncoder, type OpusEncoderOptions, type OpusLibrary, type OpusRateHz } from './opus.ts'
import { findSine, sine, snrDb, speech16k } from './test-support.ts'

// Named in a variable, so that the types are checked where the package is not installed yet
const packageName = 'libopus-wasm'
const library = await (import(packageName) as Promise<OpusLibrary>).catch(() => undefined)
const skip = library === undefined && 'libopus-wasm is not installed'
const installed = (): OpusLibrary => library ?? assert.fail()

const voice: OpusEncoderOptions = {
  sampleRateHz: 16_000,
  channels: 1,
  sound: 'voice',
  bitsPerSecond: 24_000,
  complexity: 5,
  fec: false,
  dtx: false,
  lossPercent: 0,
}

/** Packets of 20 ms. */
async function encoded(sound: Int16Array, options: OpusEncoderOptions): Promise<Uint8Array[]> {
  const encoder = await OpusEncoder.create(installed(), options)
  const frame = (options.sampleRateHz / 50) * options.channels
  const packets: Uint8Array[] = []
  const bytes = new Uint8Array(1500)
  for (let at = 0; at + frame <= sound.length; at += frame)
    packets.push(bytes.slice(0, encoder.encode(sound, at, frame, bytes, 0)))
  encoder.close()
  return packets
}

test('a tone keeps pitch and level at every rate, in mono and stereo', { skip }, async () => {
  for (const rate of [8000, 12_000, 16_000, 24_000, 48_000] as readonly OpusRateHz[]) {
    for (const channels of [1, 2] as const) {
      const mono = sine(1000, 8000, rate, 0.6)
      const sound = new Int16Array(mono.length * channels).map((_, i) => mono[Math.floor(i / channels)] ?? 0)
      const options = { ...voice, sampleRateHz: rate, channels, sound: 'music', bitsPerSecond: 96_000 } as const
      const packets = await encoded(sound, options)
      const decoder = await OpusDecoder.create(installed(), options)
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
async function decoded(packets: readonly Uint8Array[], loss: Loss): Promise<Int16Array> {
  const decoder = await OpusDecoder.create(installed(), voice)
  const out = new Int16Array(packets.length * 320)
  packets.forEach((packet, i) => {
    const next = packets[i + 1]
    if (loss === 'none' || i % 5 !== 4) decoder.decode(packet, 0, packet.length, out, i * 320)
    else if (loss === 'recovered' && next) assert.equal(decoder.recover(next, 0, next.length, out, i * 320, 320), 320)
    else decoder.conceal(out, i * 320, 320)
  })
  decoder.close()
  return out
}

test('speech comes back 10 dB above its noise at 48 kbit/s', { skip }, async () => {
  const out = await decoded(await encoded(speech16k, { ...voice, sound: 'music', bitsPerSecond: 48_000 }), 'none')
  const snr = snrDb(speech16k, out, 200)
  assert.ok(snr > 10, `${snr} dB`)
})

test('lost packets are concealed, and better still recovered from the next one', { skip }, async () => {
  const packets = await encoded(speech16k, { ...voice, fec: true, lossPercent: 20 })
  const whole = await decoded(packets, 'none')
  const concealed = snrDb(whole, await decoded(packets, 'concealed'))
  const recovered = snrDb(whole, await decoded(packets, 'recovered'))
  assert.ok(concealed > 3, `${concealed} dB`)
  assert.ok(recovered > concealed + 3, `${recovered} dB, ${concealed} dB`)
})

test('with DTX silence costs next to nothing', { skip }, async () => {
  const packets = await encoded(new Int16Array(16_000 * 2), { ...voice, dtx: true })
  const tiny = packets.slice(50).filter((packet) => packet.length <= 2)
  assert.ok(tiny.length > 40, `${tiny.length} of 50`)
})

test('arbitrary, cut and empty packets, odd lengths and too little room are refused', { skip }, async () => {
  const [packet = new Uint8Array(0)] = await encoded(speech16k, voice)
  const decoder = await OpusDecoder.create(installed(), voice)
  const encoder = await OpusEncoder.create(installed(), voice)
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
