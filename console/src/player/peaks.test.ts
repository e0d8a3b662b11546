import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PeaksReader, peaksOf } from './peaks.ts'

/** A WAV of interleaved 16-bit samples, with a chunk of odd length before the audio as Broadcast WAV has. */
function wav(channels: number, samples: readonly number[], bits = 16): Uint8Array {
  const odd = 7
  const bytes = Buffer.alloc(12 + 24 + 8 + odd + 1 + 8 + samples.length * 2)
  bytes.write('RIFF', 0)
  bytes.writeUInt32LE(bytes.length - 8, 4)
  bytes.write('WAVEfmt ', 8)
  bytes.writeUInt32LE(16, 16)
  bytes.writeUInt16LE(1, 20)
  bytes.writeUInt16LE(channels, 22)
  bytes.writeUInt32LE(8_000, 24)
  bytes.writeUInt16LE(bits, 34)
  bytes.write('bext', 36)
  bytes.writeUInt32LE(odd, 40)
  bytes.write('data', 52)
  bytes.writeUInt32LE(samples.length * 2, 56)
  for (const [index, sample] of samples.entries()) bytes.writeInt16LE(sample, 60 + index * 2)
  return bytes
}

function read(bytes: Uint8Array, chunkBytes: number) {
  const reader = new PeaksReader()
  for (let at = 0; at < bytes.length; at += chunkBytes) reader.push(bytes.subarray(at, at + chunkBytes))
  return reader.peaks()
}

test('each channel gets its own loudest samples, as a part of full scale', () => {
  const peaks = read(wav(2, [16_384, 0, -32_768, 8_192]), 1_000)
  assert.deepEqual(peaks?.format, { channels: 2, sampleRateHz: 8_000, samples: 2 })
  assert.deepEqual(
    peaks?.channels.map((channel) => Array.from(channel)),
    [
      [0.5, 1],
      [0, 0.25],
    ],
  )
})

test('chunks may be cut anywhere, also within a sample', () => {
  const bytes = wav(
    2,
    Array.from({ length: 20_000 }, (_, index) => ((index * 7_919) % 65_536) - 32_768),
  )
  const whole = read(bytes, bytes.length)
  for (const chunkBytes of [1, 3, 7, 61, 1_001]) assert.deepEqual(read(bytes, chunkBytes), whole)
})

test('a long recording needs no more memory than a short one, and its last sample counts', () => {
  const samples = Array.from({ length: 100_000 }, () => 0)
  samples[99_999] = 32_767
  const channel = read(wav(1, samples), 4_096)?.channels[0]
  assert.ok(channel && channel.length <= 4_096)
  assert.ok((channel.at(-1) ?? 0) > 0.99)
})

test('bytes after the audio are not taken for audio', () => {
  // 4097 samples make stretches of two, so the last one has room left.
  const silence = Array.from({ length: 4_097 }, () => 0)
  const bytes = Buffer.concat([wav(1, silence), Buffer.from('LIST\xff\x7f\xff\x7f', 'latin1')])
  assert.equal(read(bytes, 10)?.channels[0]?.at(-1), 0)
})

test('codes of G.711 count as the samples they stand for', () => {
  // µ-law: 0xff is 0, 0x80 the loudest; A-law: 0xd5 is the quietest, 0x2a the loudest the other way.
  const mu = Buffer.from(wav(1, [0, 0], 8))
  mu.writeUInt16LE(7, 20)
  mu.set([0xff, 0xff, 0xff, 0x80], 60)
  assert.deepEqual(read(mu, 3)?.format, { channels: 1, sampleRateHz: 8_000, samples: 4 })
  assert.deepEqual(Array.from(read(mu, 3)?.channels[0] ?? []), [0, 0, 0, 32_124 / 32_768].map(Math.fround))
  const a = Buffer.from(wav(2, [0], 8))
  a.writeUInt16LE(6, 20)
  a.set([0xd5, 0x2a], 60)
  const levels = read(a, 61)?.channels.map((channel) => channel[0])
  assert.deepEqual(levels, [8 / 32_768, 32_256 / 32_768].map(Math.fround))
})

test('of decoded sound the outline is the same; without it there is a line of the right length', () => {
  const samples = Array.from({ length: 10_000 }, (_, index) => (index * 7_919) % 32_768)
  const whole = read(wav(1, samples), 4_096)
  assert.ok(whole)
  const decoded = Float32Array.from(samples, (sample) => sample / 32_768)
  assert.deepEqual(peaksOf(whole.format, [decoded]), whole)
  const line = peaksOf(whole.format)
  assert.deepEqual(line.channels, [new Float32Array(whole.channels[0]?.length ?? 0)])
})

test('what is not 16-bit PCM is refused with words', () => {
  assert.throws(() => read(wav(1, [0], 8), 1_000), /8-bit/)
  assert.throws(() => read(Buffer.from('<!doctype html><title>'), 1_000), /not a WAV/)
})
