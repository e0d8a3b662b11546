import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Codec } from './codec.ts'
import { codecFor, codecs, findCodec } from './codecs.ts'
import { findSine, resampled, sine, snrDb, speech16k } from './test-support.ts'

/** All of a sound through encoder and decoder, 20 ms at a time. */
function coded(codec: Codec, sound: Int16Array): Int16Array {
  const encoder = codec.createEncoder({ bitsPerSecond: 96_000, sound: 'music' })
  const decoder = codec.createDecoder()
  const frame = codec.sampleRateHz / 50
  const payload = new Uint8Array(codec.payloadBytes(frame))
  const out = new Int16Array(sound.length - (sound.length % frame))
  for (let at = 0; at + frame <= sound.length; at += frame) {
    const bytes = encoder.encode(sound, at, frame, payload, 0)
    assert.ok(bytes === payload.length || codec.encoding === 'opus')
    assert.equal(codec.ticksOf(payload, 0, bytes), codec.clockRateHz / 50)
    assert.equal(decoder.decode(payload, 0, bytes, out, at), frame)
  }
  encoder.close()
  decoder.close()
  return out
}

/** Noise of a 1 kHz tone in dB: G.711 and G.722 by what their quantizers can, the resampler and 16 bits by theirs. */
const worstSnrDb = { PCMU: 35, PCMA: 35, G722: 30, L16: 60, opus: 30 }

test('a tone through every pair of codecs keeps its pitch, its level within 0.2 dB, and stays above the noise', () => {
  for (const first of codecs) {
    for (const second of codecs) {
      const sent = sine(1020, 8000, first.sampleRateHz, 0.5)
      const middle = resampled(coded(first, sent), first.sampleRateHz, second.sampleRateHz)
      const heard = coded(second, middle)
      const rate = second.sampleRateHz
      const { peak, snrDb: snr } = findSine(heard.subarray(rate / 10, rate / 10 + rate / 5), 1020, rate)
      const name = `${first.encoding}/${first.sampleRateHz} to ${second.encoding}/${rate}`
      assert.ok(Math.abs(20 * Math.log10(peak / 8000)) < 0.2, `${name}: peak ${peak}`)
      assert.ok(snr > Math.min(worstSnrDb[first.encoding], worstSnrDb[second.encoding]) - 3, `${name}: ${snr} dB`)
    }
  }
})

function through(name: string, rate: number, sound: Int16Array): number {
  const codec = findCodec(name, rate)
  assert.ok(codec)
  return snrDb(sound, coded(codec, sound), 22)
}

test('speech through each codec: 30 dB by G.711, 20 by G.722, exact by L16', () => {
  const speech8k = resampled(speech16k, 16_000, 8000)
  assert.ok(through('PCMU', 8000, speech8k) > 30)
  assert.ok(through('PCMA', 8000, speech8k) > 30)
  assert.ok(through('G722', 8000, speech16k) > 20)
  assert.equal(through('L16', 16_000, speech16k), Number.POSITIVE_INFINITY)
})

test('a codec is found by name in any case, clock and channels', () => {
  assert.equal(findCodec('pcmu', 8000)?.encoding, 'PCMU')
  assert.equal(findCodec('G722', 8000)?.sampleRateHz, 16_000)
  assert.equal(findCodec('G722', 16_000), undefined)
  assert.equal(findCodec('L16', 44_100)?.payloadBytes(882), 1764)
  assert.equal(findCodec('L16', 44_100, 2), undefined)
  assert.equal(findCodec('G729', 8000), undefined)
  assert.equal(findCodec('OPUS', 48_000, 2)?.sampleRateHz, 48_000)
  assert.equal(findCodec('opus', 48_000), undefined)
})

test('opus works at the lowest of its rates that holds the sound, others at their own', () => {
  const [opus, g722] = [findCodec('opus', 48_000, 2), findCodec('G722', 8000)]
  assert.ok(opus && g722)
  const rates = [8000, 16_000, 22_050, 48_000, 96_000].map((rate) => codecFor(opus, rate).sampleRateHz)
  assert.deepEqual(rates, [8000, 16_000, 24_000, 48_000, 48_000])
  assert.equal(codecFor(opus, 8000).clockRateHz, 48_000)
  assert.equal(codecFor(g722, 8000), g722)
})

test('payloads that are cut or too long for the room, and odd frames, are refused without a trace', () => {
  const decoder = findCodec('L16', 8000)?.createDecoder()
  const encoder = findCodec('G722', 8000)?.createEncoder()
  assert.ok(decoder && encoder)
  const samples = new Int16Array(10)
  const bytes = new Uint8Array(40).fill(1)
  assert.equal(decoder.decode(bytes, 0, 3, samples, 0), 0)
  assert.equal(decoder.decode(bytes, 0, 22, samples, 0), 0)
  assert.equal(decoder.decode(bytes, 30, 12, samples, 0), 0)
  assert.deepEqual(samples, new Int16Array(10))
  assert.equal(encoder.encode(samples, 0, 9, bytes, 0), 0)
  assert.equal(encoder.encode(samples, 0, 12, bytes, 0), 0)
  assert.equal(encoder.encode(samples, 0, 10, bytes, 36), 0)
  assert.equal(encoder.encode(samples, 0, 10, bytes, 35), 5)
})
