/** Recordings of what is not G.711: decoded in order, resampled after a change of codec, or stored as it came. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { Codec, EncoderWishes } from '../../../codec/codec.ts'
import { findCodec } from '../../../codec/codecs.ts'
import { opus } from '../../../codec/opus.ts'
import { carriesCopy } from '../../../codec/opus-packet.ts'
import { findSine, sine, snrDb, speech16k } from '../../../codec/test-support.ts'
import { readWav, type WavSound } from '../../../codec/wav.ts'
import { correlate } from '../../../demo/compare.ts'
import { emptyRtpPacket, parseRtp, printRtp } from '../../../rtp/packet.ts'
import type { RecordedFile } from '../../types.ts'
import { BlockPool } from './block-pool.ts'
import { Recorder } from './recorder.ts'
import { type SpeechFormat, speechIn } from './speech-packet.ts'

const folder = mkdtempSync(join(tmpdir(), 'patchbay-codecs-recorded-'))
after(() => rmSync(folder, { recursive: true }))
const startedAtMs = Date.UTC(2026, 10, 20, 10)

interface Sent {
  readonly format: SpeechFormat
  readonly sequence: number
  readonly timestamp: number
  readonly payload: Uint8Array
  readonly atMs: number
}

function codecOf(name: string, clockRateHz: number, channels = 1): Codec {
  const codec = findCodec(name, clockRateHz, channels)
  assert.ok(codec)
  return codec
}

const pcmu = codecOf('PCMU', 8000)
const g722 = codecOf('G722', 8000)
const l16 = codecOf('L16', 16_000)
const mono = codecOf('opus', 48_000, 2)

const formatOf = (codec: Codec): SpeechFormat => ({
  encoding: codec.encoding,
  clockRateHz: codec.clockRateHz,
  codec: codec.encoding === 'opus' ? mono : codec,
})

/** Packets of 20 ms, on time. @param first Number of the first, from which its place in time follows. */
function packets(codec: Codec, sound: Int16Array, wishes?: EncoderWishes, first = 0): Sent[] {
  const frame = (codec.sampleRateHz / 50) * codec.channels
  const encoder = codec.createEncoder(wishes)
  const bytes = new Uint8Array(1500)
  const format = formatOf(codec)
  const sent: Sent[] = []
  for (let at = 0; at + frame <= sound.length; at += frame) {
    const index = first + at / frame
    const payload = bytes.slice(0, encoder.encode(sound, at, frame, bytes, 0))
    const timestamp = (0xffff_0000 + (index * codec.clockRateHz) / 50) >>> 0
    sent.push({ format, sequence: (65_530 + index) & 0xffff, timestamp, payload, atMs: index * 20 })
  }
  encoder.close()
  return sent
}

let files = 0

const wallAt = (nowMs: number): number => startedAtMs + nowMs

async function record(sent: readonly Sent[]): Promise<{ file: RecordedFile | undefined; path: string }> {
  const path = join(folder, `${files++}.wav`)
  const recorder = new Recorder({ path, blocks: new BlockPool(), wallAt, failed: assert.fail }, 0)
  let nowMs = 0
  for (const { format, sequence, timestamp, payload, atMs } of sent) {
    for (; nowMs <= atMs; nowMs += 50) recorder.tick(nowMs)
    const header = { marker: false, payloadType: 18, sequence, timestamp, ssrc: 7 }
    const packet = emptyRtpPacket()
    const bytes = printRtp(header, payload)
    assert.ok(parseRtp(bytes, packet))
    recorder.packet(speechIn(packet, format), atMs)
    bytes.fill(0) // lent, and used again
  }
  for (const untilMs = nowMs + 1000; nowMs <= untilMs; nowMs += 50) recorder.tick(nowMs)
  return { file: await recorder.close(), path }
}

async function heard(sent: readonly Sent[]): Promise<WavSound & { readonly missingSamples: number }> {
  const { file, path } = await record(sent)
  assert.ok(file)
  return { ...(await readWav(path)), missingSamples: file.missingSamples }
}

/** As a receiver without a loss hears it. */
function decoded(codec: Codec, sent: readonly Sent[]): Int16Array {
  const frame = (codec.sampleRateHz / 50) * codec.channels
  const decoder = codec.createDecoder()
  const out = new Int16Array(sent.length * frame)
  sent.forEach(({ payload }, i) => assert.equal(decoder.decode(payload, 0, payload.length, out, i * frame), frame))
  decoder.close()
  return out
}

function assertSame(actual: Int16Array, model: Int16Array): void {
  assert.equal(
    actual.findIndex((sample, i) => sample !== model[i]),
    -1,
  )
  assert.equal(actual.length, model.length)
}

/** Every fifth packet is overtaken by the two after it. */
const swapped = (sent: readonly Sent[]): Sent[] =>
  sent
    .map((packet, i) => (i > 0 && i % 5 === 0 ? { ...packet, atMs: packet.atMs + 50 } : packet))
    .toSorted((a, b) => a.atMs - b.atMs)

for (const [codec, rate] of [
  [g722, 16_000],
  [mono, 48_000],
] as const)
  test(`${codec.encoding} is stored at ${rate} Hz as its decoder makes it, also when packets were overtaken`, async () => {
    const sent = packets(codec, rate === 16_000 ? speech16k : sine(440, 9000, rate, 2))
    const twice = swapped(sent).flatMap((packet, i) => (i % 7 === 3 ? [packet, packet] : [packet]))
    const wav = await heard(twice)
    assert.deepEqual([wav.sampleRateHz, wav.channels, wav.missingSamples], [rate, 1, 0])
    assertSame(wav.pcm, decoded(codec, sent))
    assert.equal(wav.startedAtMs, startedAtMs)
  })

test('a lost packet of G.722 is silence of its length, and what comes after it is in its place', async () => {
  const sent = packets(g722, speech16k)
  const wav = await heard(sent.filter((_, i) => i !== 50))
  assert.equal(wav.missingSamples, 320)
  assert.ok(wav.pcm.subarray(50 * 320, 51 * 320).every((sample) => sample === 0))
  assert.equal(wav.pcm.length, sent.length * 320)
  // The decoder finds its way back within some tens of milliseconds.
  assert.ok(snrDb(decoded(g722, sent).subarray(55 * 320, 100 * 320), wav.pcm.subarray(55 * 320, 100 * 320)) > 10)
})

test('a lost packet of Opus is made out of the copy in the next one, where there is a copy', async () => {
  const wide = opus(16_000)
  const sent = packets(wide, speech16k, { fec: true, lossPercent: 20, bitsPerSecond: 32_000 })
  const copied = sent.flatMap(({ payload }, i) => (carriesCopy(payload, 0, payload.length) ? [i - 1] : []))
  const lost = [30, 50, 70].map((from) => copied.find((i) => i >= from) ?? assert.fail())
  const came = sent.filter((_, i) => !lost.includes(i))
  const whole = decoded(mono, sent)
  const wav = await heard(came)
  assert.equal(wav.pcm.length, whole.length)
  assert.equal(wav.missingSamples, 0)
  const frame = 960
  for (const i of lost) {
    const [model, copy] = [whole, wav.pcm].map((sound) => sound.subarray(i * frame, (i + 1) * frame))
    assert.ok(snrDb(model ?? whole, copy ?? whole) > 1, `packet ${i}`)
  }

  const plain = await heard(packets(wide, speech16k).filter((_, i) => !lost.includes(i)))
  assert.equal(plain.missingSamples, 3 * frame)
})

test('numbers that telephone-events took are no loss that is made good', async () => {
  const sent = packets(opus(16_000), speech16k, { fec: true, lossPercent: 20, bitsPerSecond: 32_000 })
  const wav = await heard(sent.filter((_, i) => i < 40 || i >= 50))
  assert.ok(wav.pcm.subarray(40 * 960, 50 * 960).every((sample) => sample === 0))
})

test('what an Opus sender does not send while nobody speaks (DTX) is silence, and speech after it is in its place', async () => {
  const sound = new Int16Array(speech16k.length * 2 + 48_000)
  sound.set(speech16k)
  sound.set(speech16k, speech16k.length + 48_000)
  const all = packets(opus(16_000), sound, { dtx: true, bitsPerSecond: 24_000 })
  // RFC 7587 §3.1.3: packets of DTX may be left out; numbers go on with those that are sent.
  const sent = all
    .filter(({ payload }) => payload.length > 2)
    .map((packet, i) => Object.assign(packet, { sequence: (65_530 + i) & 0xffff }))
  assert.ok(all.length - sent.length > 100, `${all.length - sent.length} left out`)
  const wav = await heard(sent)
  const whole = decoded(mono, all)
  assert.ok(Math.abs(wav.samples - whole.length) <= 960, `${wav.samples} samples, not ${whole.length}`)
  const again = (speech16k.length + 48_000) * 3
  for (const from of [0, again]) {
    const [a, b] = [whole, wav.pcm].map((pcm) => pcm.slice(from, from + 96_000))
    const { lagSamples, score } = correlate(a ?? whole, b ?? whole)
    assert.ok(Math.abs(lagSamples) <= 48 && score > 0.95, `${lagSamples} samples, ${score}`)
  }
})

test('Opus in stereo stays stereo', async () => {
  const [left, right] = [sine(440, 9000, 48_000, 1), sine(1000, 5000, 48_000, 1)]
  const both = new Int16Array(96_000).map((_, i) => (i % 2 === 0 ? left : right)[i >> 1] ?? 0)
  const wav = await heard(packets(opus(48_000, 2), both, { bitsPerSecond: 128_000, sound: 'music' }))
  assert.equal(wav.channels, 2)
  assert.ok(findSine(wav.channel(0).subarray(9600, 43_200), 440, 48_000).snrDb > 25)
  assert.ok(findSine(wav.channel(1).subarray(9600, 43_200), 1000, 48_000).snrDb > 25)
})

const tone = (rate: number): Int16Array => sine(1000, 8000, rate, 1)

test('sound that another codec brings goes on in the file of the first, at its rate and in its place', async () => {
  for (const first of [pcmu, g722, mono]) {
    const parts = [first, pcmu, g722, mono, l16, first].map((codec, i) =>
      packets(codec, tone(codec.sampleRateHz), {}, i * 50),
    )
    const wav = await heard(parts.flat())
    const rate = first.sampleRateHz
    assert.equal(wav.sampleRateHz, rate)
    assert.ok(Math.abs(wav.samples - 6 * rate) <= rate / 50, `${wav.samples} samples`)
    for (let second = 0; second < 6; second++) {
      const part = wav.pcm.subarray((second + 0.2) * rate, (second + 0.8) * rate)
      const { peak, snrDb: snr } = findSine(part, 1000, rate)
      assert.ok(
        Math.abs(20 * Math.log10(peak / 8000)) < 1 && snr > 20,
        `${first.encoding}, second ${second}: ${peak}, ${snr}`,
      )
    }
  }
})

test('sound of another rate keeps its place after a silence that was not sent', async () => {
  const spoken = packets(g722, tone(16_000), {}, 50)
  const later = packets(g722, tone(16_000), {}, 150)
  const [last] = spoken.slice(-1)
  // Silence takes no numbers.
  const joined = later.map((packet, i) => Object.assign(packet, { sequence: ((last?.sequence ?? 0) + 1 + i) & 0xffff }))
  const wav = await heard([...packets(pcmu, tone(8000)), ...spoken, ...joined])
  const loudest = (fromMs: number, untilMs: number): number =>
    wav.pcm.subarray(fromMs * 8, untilMs * 8).reduce((most, sample) => Math.max(most, Math.abs(sample)), 0)
  assert.equal(wav.sampleRateHz, 8000)
  assert.ok(loudest(1_900, 1_990) > 7_000)
  assert.equal(loudest(2_010, 2_990), 0)
  assert.ok(loudest(3_010, 3_100) > 7_000)
  assert.ok(Math.abs(wav.samples - 4 * 8000) <= 160, `${wav.samples} samples`)
})

interface Dumped {
  readonly atMs: number
  readonly sequence: number
  readonly timestamp: number
  readonly payload: readonly number[]
}

/** What rtptools' rtpdump format says it is. */
function readDump(bytes: Buffer): { startedAtMs: number; packets: Dumped[] } {
  const line = bytes.indexOf('\n')
  assert.equal(bytes.toString('latin1', 0, line), '#!rtpplay1.0 0.0.0.0/0')
  const dumped: Dumped[] = []
  const started = bytes.readUInt32BE(line + 1) * 1000 + bytes.readUInt32BE(line + 5) / 1000
  for (let at = line + 17; at < bytes.length; at += bytes.readUInt16BE(at)) {
    const packet = emptyRtpPacket()
    assert.ok(parseRtp(bytes.subarray(at + 8, at + 8 + bytes.readUInt16BE(at + 2)), packet))
    const payload = [...packet.bytes.subarray(packet.payloadStart, packet.payloadEnd)]
    const { sequence, timestamp } = packet
    dumped.push({ atMs: bytes.readUInt32BE(at + 4), sequence, timestamp, payload })
  }
  return { startedAtMs: started, packets: dumped }
}

const g729: SpeechFormat = { encoding: 'G729', clockRateHz: 8000, codec: undefined }
const g729Packets = (count: number): Sent[] =>
  Array.from({ length: count }, (_, i) => ({
    format: g729,
    sequence: (65_530 + i) & 0xffff,
    timestamp: i * 160,
    payload: Uint8Array.from({ length: i % 10 === 9 ? 2 : 20 }, (__, byte) => (i * 3 + byte) & 255),
    atMs: 40 + i * 20,
  }))

test('G.729 is stored as it came, with its headers and times, in a file that Wireshark reads', async () => {
  const sent = g729Packets(1000)
  const { file, path } = await record(sent)
  assert.equal(file, undefined)
  assert.equal(existsSync(path), false)
  const dump = readDump(readFileSync(path.replace('.wav', '.rtpdump')))
  assert.equal(dump.startedAtMs, startedAtMs + 40)
  assert.deepEqual(
    dump.packets,
    sent.map(({ sequence, timestamp, payload, atMs }) => ({
      atMs: atMs - 40,
      sequence,
      timestamp,
      payload: [...payload],
    })),
  )
})

test('a leg that changes from G.729 to G.711 has both files', async () => {
  const { file, path } = await record([...g729Packets(50), ...packets(pcmu, sine(440, 9000, 8000, 1), {}, 60)])
  assert.equal(file?.samples, 8000)
  assert.equal(readDump(readFileSync(path.replace('.wav', '.rtpdump'))).packets.length, 50)
})
