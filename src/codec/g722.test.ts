import assert from 'node:assert/strict'
import { test } from 'node:test'
import { G722Decoder, G722Encoder } from './g722.ts'
import { differing, noise, readBytes, readSamples, snrDb, speech16k } from './test-support.ts'

const encoded = readBytes('speech.g722')

test('speech encodes to the very bytes of another implementation', () => {
  const bytes = new Uint8Array(encoded.length)
  new G722Encoder().encode(speech16k, 0, speech16k.length, bytes, 0)
  assert.equal(differing(bytes, encoded), 0)
})

test('those bytes decode to its very samples, in frames of any size', () => {
  const decoder = new G722Decoder()
  const samples = new Int16Array(2 * encoded.length)
  for (let at = 0; at < encoded.length; at += 77)
    decoder.decode(encoded, at, Math.min(77, encoded.length - at), samples, 2 * at)
  assert.equal(differing(samples, readSamples('speech.g722.decoded.s16le')), 0)
})

test('speech comes back 22 samples later, more than 20 dB above the noise', () => {
  const samples = new Int16Array(2 * encoded.length)
  new G722Decoder().decode(encoded, 0, encoded.length, samples, 0)
  assert.ok(snrDb(speech16k, samples.subarray(22)) > 20)
})

test('full-scale noise and arbitrary bytes neither overflow nor get stuck', () => {
  const loud = noise(60_000, 16_000)
  const bytes = new Uint8Array(8000)
  new G722Encoder().encode(loud, 0, loud.length, bytes, 0)
  const decoder = new G722Decoder()
  const samples = new Int16Array(16_000)
  decoder.decode(bytes, 0, 8000, samples, 0)
  decoder.decode(
    Uint8Array.from(bytes, (byte, i) => byte ^ (i * 167)),
    0,
    8000,
    samples,
    0,
  )
  decoder.decode(encoded, 0, encoded.length, new Int16Array(2 * encoded.length), 0)
  const again = new Int16Array(2 * encoded.length)
  decoder.decode(encoded, 0, encoded.length, again, 0)
  // Scale factors left high by the noise take a moment to come down
  const snr = snrDb(speech16k.subarray(6400), again.subarray(6422))
  assert.ok(snr > 20, `${snr} dB`)
})
