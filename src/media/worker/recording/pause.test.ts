/** Recordings that are paused: what came meanwhile is nowhere, and everything else is in its place. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { Codec, EncoderWishes } from '../../../codec/codec.ts'
import { findCodec } from '../../../codec/codecs.ts'
import { opus } from '../../../codec/opus.ts'
import { carriesCopy } from '../../../codec/opus-packet.ts'
import { findSine, sine, speech16k } from '../../../codec/test-support.ts'
import { readWav } from '../../../codec/wav.ts'
import { emptyRtpPacket, parseRtp, printRtp } from '../../../rtp/packet.ts'
import { BlockPool } from './block-pool.ts'
import { Recorder } from './recorder.ts'
import { type SpeechFormat, speechIn } from './speech-packet.ts'

const folder = mkdtempSync(join(tmpdir(), 'patchbay-paused-'))
after(() => rmSync(folder, { recursive: true }))

function codecOf(name: string, clockRateHz: number, channels = 1): Codec {
  const codec = findCodec(name, clockRateHz, channels)
  assert.ok(codec)
  return codec
}

const decoding = codecOf('opus', 48_000, 2)
const secondMs = 1000

interface Call {
  readonly format: SpeechFormat
  readonly payloads: readonly Uint8Array[]
}

function spoken(codec: Codec, sound: Int16Array, wishes?: EncoderWishes): Call {
  const frame = (codec.sampleRateHz / 50) * codec.channels
  const encoder = codec.createEncoder(wishes)
  const bytes = new Uint8Array(1500)
  const payloads: Uint8Array[] = []
  for (let at = 0; at + frame <= sound.length; at += frame)
    payloads.push(bytes.slice(0, encoder.encode(sound, at, frame, bytes, 0)))
  encoder.close()
  const { encoding, clockRateHz } = codec
  return { format: { encoding, clockRateHz, codec: encoding === 'opus' ? decoding : codec }, payloads }
}

let files = 0
const payload0 = new Uint8Array(160)

interface Turns {
  /** Packets before which it is paused or resumed. */
  readonly pausedAt: readonly number[]
  readonly resumedAt: readonly number[]
  readonly lost?: (index: number) => boolean
}

const wallAt = (nowMs: number): number => 1_000_000 + nowMs

async function record({ format, payloads }: Call, { pausedAt, resumedAt, lost = () => false }: Turns) {
  const path = join(folder, `${files++}.wav`)
  const recorder = new Recorder({ path, blocks: new BlockPool(), wallAt, failed: assert.fail }, 0)
  const packet = emptyRtpPacket()
  for (const [index, payload] of payloads.entries()) {
    if (pausedAt.includes(index)) recorder.pause(true, index === 0 ? undefined : index * 20)
    if (resumedAt.includes(index)) recorder.pause(false, index * 20)
    if (index % 3 === 0) recorder.tick(index * 20)
    if (lost(index)) continue
    const timestamp = (0xffff_f000 + (index * format.clockRateHz) / 50) >>> 0
    const sequence = (65_500 + index) & 0xffff
    assert.ok(parseRtp(printRtp({ marker: false, payloadType: 9, sequence, timestamp, ssrc: 5 }, payload), packet))
    recorder.packet(speechIn(packet, format), index * 20)
  }
  return { file: await recorder.close(), path }
}

const loudest = (pcm: Int16Array): number => pcm.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0)

for (const [codec, rate] of [
  [codecOf('PCMU', 8000), 8000],
  [codecOf('PCMA', 8000), 8000],
  [codecOf('G722', 8000), 16_000],
  [decoding, 48_000],
] as const)
  test(`${codec.encoding}: a pause is silence of its length, and what follows is in its place`, async () => {
    const call = spoken(codec, sine(1000, 8000, rate, 4))
    const { path } = await record(call, { pausedAt: [50], resumedAt: [120] })
    const { pcm, samples } = await readWav(path)
    assert.equal(samples, 4 * rate)
    const part = (fromMs: number, untilMs: number): Int16Array =>
      pcm.subarray((fromMs * rate) / secondMs, (untilMs * rate) / secondMs)
    assert.ok(findSine(part(100, 900), 1000, rate).snrDb > 20)
    assert.equal(loudest(part(1000, 2400)), 0)
    assert.ok(findSine(part(2500, 3900), 1000, rate).snrDb > 20)
  })

test('a recording that begins or ends in a pause has its whole length', async () => {
  const call = spoken(codecOf('PCMA', 8000), sine(1000, 8000, 8000, 2))
  const begins = await readWav((await record(call, { pausedAt: [0], resumedAt: [50] })).path)
  assert.deepEqual([begins.samples, begins.startedAtMs], [16_000, 1_000_000])
  assert.deepEqual([loudest(begins.pcm.subarray(0, 8000)), loudest(begins.pcm.subarray(8000)) > 7000], [0, true])
  const ends = await readWav((await record(call, { pausedAt: [50], resumedAt: [] })).path)
  assert.deepEqual([ends.samples, loudest(ends.pcm.subarray(8000))], [16_000, 0])
})

test('the copy of a packet that an Opus sender repeats in the next one is not taken out of a pause', async () => {
  const call = spoken(opus(16_000), speech16k, { fec: true, lossPercent: 20, bitsPerSecond: 32_000 })
  const first = call.payloads.findIndex((payload, i) => i > 60 && carriesCopy(payload, 0, payload.length))
  // The packet in the pause is lost, so that the first after it is what knows of it.
  const turns = { pausedAt: [first - 1], resumedAt: [first], lost: (index: number) => index === first - 1 }
  const { pcm } = await readWav((await record(call, turns)).path)
  assert.equal(loudest(pcm.subarray((first - 1) * 960, first * 960)), 0)
  assert.ok(loudest(pcm.subarray(first * 960, (first + 10) * 960)) > 0)
})

test('packets of a codec that is not decoded are not stored while paused', async () => {
  const payloads = Array.from({ length: 30 }, (_, index) => Uint8Array.of(index, 0xaa, index))
  const call = { format: { encoding: 'G729', clockRateHz: 8000, codec: undefined }, payloads }
  const { path } = await record(call, { pausedAt: [10], resumedAt: [20] })
  const dump = readFileSync(path.replace('.wav', '.rtpdump'))
  const kept = payloads.map((payload) => dump.includes(Buffer.from(payload)))
  assert.deepEqual(
    kept,
    payloads.map((_, index) => index < 10 || index >= 20),
  )
  assert.ok(!existsSync(path))
})

test('a packet belongs to a pause by when it came, not by when the addon hands it over', async () => {
  const path = join(folder, `${files++}.wav`)
  const recorder = new Recorder({ path, blocks: new BlockPool(), wallAt, failed: assert.fail }, 0)
  const { format, payloads } = spoken(codecOf('PCMU', 8000), sine(1000, 8000, 8000, 1))
  const packet = emptyRtpPacket()
  const hand = (index: number): void => {
    const header = { marker: false, payloadType: 0, sequence: index, timestamp: index * 160, ssrc: 5 }
    assert.ok(parseRtp(printRtp(header, payloads[index] ?? payload0), packet))
    recorder.packet(speechIn(packet, format), index * 20)
  }
  // Five packets each are kept back when the orders come.
  for (let index = 0; index < 15; index++) hand(index)
  recorder.pause(true, 20 * 20)
  for (let index = 15; index < 25; index++) hand(index)
  recorder.pause(false, 30 * 20)
  for (let index = 25; index < 40; index++) hand(index)
  await recorder.close()
  const { pcm } = await readWav(path)
  const isSilent = (index: number): boolean => loudest(pcm.subarray(index * 160, (index + 1) * 160)) === 0
  assert.deepEqual(
    Array.from({ length: 40 }, (_, index) => isSilent(index)),
    Array.from({ length: 40 }, (_, index) => index >= 20 && index < 30),
  )
})
