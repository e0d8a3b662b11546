import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { decodeG711 } from './g711.ts'
import { readWav, readWavHeader, repairWav, wavHeader, wavHeaderBytes } from './wav.ts'

const folder = mkdtempSync(join(tmpdir(), 'patchbay-wav-'))
after(() => rmSync(folder, { recursive: true }))

const startedAtMs = Date.UTC(2026, 10, 20, 23, 59, 59, 875)
const spec = { sampleRateHz: 8000, channels: 1, startedAtMs }
const pcmBytes = (samples: number[]): Buffer => Buffer.from(Int16Array.from(samples).buffer)

function chunk(id: string, data: Buffer): Buffer {
  const head = Buffer.alloc(8)
  head.write(id, 0, 'latin1')
  head.writeUInt32LE(data.length, 4)
  return Buffer.concat([head, data, Buffer.alloc(data.length % 2)])
}

function foreignWav(tag: number, bits: number, data: Buffer): Buffer {
  const fmt = Buffer.alloc(18)
  fmt.writeUInt16LE(tag, 0)
  fmt.writeUInt16LE(1, 2)
  fmt.writeUInt32LE(8000, 4)
  fmt.writeUInt16LE(bits, 14)
  const body = [
    chunk('LIST', Buffer.from('odd')),
    chunk('fmt ', fmt),
    chunk('data', data),
    chunk('id3 ', Buffer.alloc(4)),
  ]
  return Buffer.concat([chunk('RIFF', Buffer.alloc(0)), Buffer.from('WAVE'), ...body])
}

test('a header read back says what was written, the start to the sample (EBU Tech 3285 TimeReference)', () => {
  const header = readWavHeader(wavHeader({ ...spec, dataBytes: 320 }), wavHeaderBytes + 320)
  assert.deepEqual(header, {
    encoding: 'pcm16',
    channels: 1,
    sampleRateHz: 8000,
    dataOffset: wavHeaderBytes,
    dataBytes: 320,
    samples: 160,
    startedAtMs,
  })
  const precise = wavHeader({ ...spec, startedAtMs: startedAtMs + 0.125, dataBytes: 0 })
  assert.equal(readWavHeader(precise)?.startedAtMs, startedAtMs + 0.125)
})

test('date and time of the first sample stand in the header as text', () => {
  const text = wavHeader(spec).toString('latin1')
  assert.match(text, /^RIFF.{4}WAVEbext/s)
  assert.match(text, /2026-11-2023:59:59/)
})

test('a file that was never finished reads to its end', async () => {
  const path = join(folder, 'unfinished.wav')
  writeFileSync(path, Buffer.concat([wavHeader(spec), pcmBytes([1, -2, 3])]))
  assert.deepEqual([...(await readWav(path)).pcm], [1, -2, 3])
})

test('repair fills in the lengths, cuts half a sample, keeps the rest, and does so only once', async () => {
  const path = join(folder, 'killed.wav')
  writeFileSync(path, Buffer.concat([wavHeader(spec), pcmBytes([7, 8, 9]), Buffer.of(1)]))
  const repaired = await repairWav(path)
  assert.equal(repaired?.samples, 3)
  assert.equal(repaired?.startedAtMs, startedAtMs)
  assert.equal(statSync(path).size, wavHeaderBytes + 6)
  assert.deepEqual(await repairWav(path), repaired)
  const again = await readWav(path)
  assert.equal(again.dataBytes, 6)
  assert.deepEqual([...again.channel(0)], [7, 8, 9])
})

test('repair of a file without a header says so', async () => {
  const path = join(folder, 'empty.wav')
  writeFileSync(path, '')
  assert.equal(await repairWav(path), undefined)
})

test('stereo samples come apart by channel', async () => {
  const path = join(folder, 'stereo.wav')
  const header = wavHeader({ ...spec, channels: 2, dataBytes: 8 })
  writeFileSync(path, Buffer.concat([header, pcmBytes([1, 10, 2, 20])]))
  const sound = await readWav(path)
  assert.equal(sound.samples, 2)
  assert.deepEqual([...sound.channel(1)], [10, 20])
})

test('G.711 in WAV is read, past chunks of odd length that nobody knows', async () => {
  const codes = Buffer.from([0, 0x55, 0xd5, 0xff])
  const path = join(folder, 'alaw.wav')
  writeFileSync(path, foreignWav(6, 8, codes))
  assert.deepEqual((await readWav(path)).pcm, decodeG711('PCMA', codes))
  writeFileSync(path, foreignWav(7, 8, codes))
  assert.deepEqual((await readWav(path)).pcm, decodeG711('PCMU', codes))
})

test('what is no WAV of ours is refused: other formats, other widths, cut headers, noise', () => {
  const good = foreignWav(1, 16, pcmBytes([1]))
  assert.ok(readWavHeader(good))
  assert.equal(readWavHeader(foreignWav(3, 32, Buffer.alloc(4))), undefined)
  assert.equal(readWavHeader(foreignWav(1, 32, Buffer.alloc(4))), undefined)
  for (let length = 0; length < good.indexOf('data') + 8; length++)
    assert.equal(readWavHeader(good.subarray(0, length)), undefined)
})
