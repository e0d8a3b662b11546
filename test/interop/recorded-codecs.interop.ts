/**
 * What ffmpeg encodes and sends is recorded; ffmpeg decodes the same bits, and the two are laid side by side: signal to
 * noise and lag, for each codec.
 *
 *   speech and a tone ─▶ ffmpeg encodes ─┬─▶ RTP over UDP ─▶ media worker ─▶ leg file ─┬─▶ SNR, lag
 *                                        └─▶ file ─▶ ffmpeg decodes ───────────────────┘
 */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { findSine, resampled, sine, snrDb, speech16k } from '../../src/codec/test-support.ts'
import { readWav, type WavSound } from '../../src/codec/wav.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { correlate } from '../../src/demo/compare.ts'
import { createMediaPlane } from '../../src/media/plane.ts'
import type { MediaPlane, PayloadFormat } from '../../src/media/types.ts'
import { needs, startProgram } from '../support/program.ts'

const ip = '127.0.0.1'
const rateHz = 48_000
const toneHz = 1000
let folder: string
let plane: MediaPlane
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'patchbay-recorded-codecs-'))
  const settings = { workers: 1, bindIp: ip, advertisedIp: ip, portMin: 31_000, portMax: 31_499 }
  plane = await createMediaPlane(settings, { log: silentLogger })
})
after(async () => {
  await plane.close()
  rmSync(folder, { recursive: true })
})

/** 2.4 s of speech and a second of a tone. */
const said = ((): Int16Array => {
  const speech = resampled(speech16k, 16_000, rateHz)
  const tone = sine(toneHz, 8000, rateHz, 1)
  const all = new Int16Array(speech.length + tone.length)
  all.set(speech)
  all.set(tone, speech.length)
  return all
})()

interface Case {
  readonly name: string
  readonly format: PayloadFormat
  /** Of ffmpeg's encoder. */
  readonly encoder: readonly string[]
  /** Of the file beside the network, and of how it is read again. */
  readonly container: string
  readonly decoder?: readonly string[]
  readonly recordedHz: number
  readonly packetBytes?: number
}

async function ffmpeg(...args: readonly string[]): Promise<void> {
  const program = startProgram('ffmpeg', ['-hide_banner', '-loglevel', 'error', '-nostdin', '-y', ...args], {
    timeoutMs: 30_000,
  })
  assert.equal(await program.exited, 0, program.output())
}

const bytesOf = (sound: Int16Array): Uint8Array => new Uint8Array(sound.buffer, sound.byteOffset, sound.byteLength)

/** The recording of a sound that ffmpeg sent, and what ffmpeg makes of the same bits. */
async function sent(one: Case, sound: Int16Array, channels: 1 | 2): Promise<{ wav: WavSound; reference: Int16Array }> {
  const [raw, coded, decoded, wav] = ['raw', one.container, 's16le', 'wav'].map((ending) =>
    join(folder, `${one.name}.${ending}`),
  ) as [string, string, string, string]
  writeFileSync(raw, bytesOf(sound))
  const session = plane.openSession(one.name)
  const port = await session.openPort()
  port.describe({ receive: [one.format], send: [] })
  port.record(wav)
  const size = one.packetBytes === undefined ? '' : `?pkt_size=${one.packetBytes + 12}`
  const rtp = `[f=rtp:payload_type=${one.format.payloadType}]rtp://${ip}:${port.address.rtpPort}${size}`
  const input = ['-f', 's16le', '-ar', String(rateHz), '-ac', String(channels)]
  await ffmpeg(
    '-re',
    ...input,
    '-i',
    raw,
    ...one.encoder,
    '-map',
    '0:a',
    '-f',
    'tee',
    `[f=${one.container}]${coded}|${rtp}`,
  )
  await port.stopRecording()
  await session.close()
  const output = ['-f', 's16le', '-ar', String(one.recordedHz), decoded]
  await ffmpeg(...(one.decoder ?? ['-f', one.container]), '-i', coded, ...output)
  const bytes = readFileSync(decoded)
  return { wav: await readWav(wav), reference: new Int16Array(new Uint8Array(bytes).buffer) }
}

for (const [encoding, payloadType, container] of [
  ['PCMU', 0, 'mulaw'],
  ['PCMA', 8, 'alaw'],
] as const)
  test(`${encoding} is recorded as ffmpeg decodes it, sample for sample`, needs('ffmpeg'), async () => {
    const format = { payloadType, encoding, clockRateHz: 8000 }
    const encoder = ['-ar', '8000', '-c:a', `pcm_${container}`]
    const decoder = ['-f', container, '-ar', '8000', '-ac', '1']
    const one = { name: encoding, format, encoder, container, decoder, recordedHz: 8000, packetBytes: 160 }
    const { wav, reference } = await sent(one, said, 1)
    assert.equal(wav.sampleRateHz, 8000)
    assert.equal(wav.samples, reference.length)
    assert.equal(
      wav.pcm.findIndex((sample, i) => sample !== reference[i]),
      -1,
    )
  })

test('G.722 is recorded as ffmpeg decodes it, to 35 dB and more', needs('ffmpeg'), async (t) => {
  const format = { payloadType: 9, encoding: 'G722', clockRateHz: 8000 }
  const encoder = ['-ar', '16000', '-c:a', 'g722']
  const one = { name: 'g722', format, encoder, container: 'g722', recordedHz: 16_000, packetBytes: 160 }
  const { wav, reference } = await sent(one, said, 1)
  const snr = snrDb(reference, wav.pcm)
  t.diagnostic(`${snr.toFixed(1)} dB beside ffmpeg's decoder`)
  assert.ok(snr >= 35, `${snr} dB`)
  assert.ok(Math.abs(wav.samples - reference.length) <= 320)
  assert.equal(correlate(reference, wav.pcm).lagSamples, 0)
})

/** What the file says that a decoder leaves out at the beginning, and RTP does not say: 6.5 ms (RFC 7845 §4.2). */
const preSkip = 312

/** Signal to noise beside what was said, at the lag within 10 ms that fits best. */
const quality = (sound: Int16Array): number => snrDb(said.subarray(480), sound, 960)

for (const [what, wishes] of [
  ['', []],
  [', with copies (FEC)', ['-fec', '1', '-packet_loss', '20']],
] as const)
  test(`Opus${what} is recorded as well as libopus decodes it, to 0.5 dB`, needs('ffmpeg'), async (t) => {
    const format = { payloadType: 111, encoding: 'opus', clockRateHz: 48_000, channels: 2 }
    const encoder = ['-ac', '1', '-c:a', 'libopus', '-b:a', '32k', '-application', 'voip', ...wishes]
    const decoder = ['-c:a', 'libopus']
    const one = { name: `opus${wishes.length}`, format, encoder, container: 'ogg', decoder, recordedHz: rateHz }
    const { wav, reference } = await sent(one, said, 1)
    const [theirs, ours] = [quality(reference), quality(wav.channel(0))]
    const beside = snrDb(reference, wav.channel(0).subarray(preSkip))
    t.diagnostic(`${ours.toFixed(2)} dB, libopus ${theirs.toFixed(2)} dB; ${beside.toFixed(0)} dB beside it`)
    assert.ok(ours >= theirs - 0.5, `${ours} dB, libopus ${theirs} dB`)
    assert.ok(beside > 50, `${beside} dB beside libopus`)
    assert.ok(Math.abs(wav.samples - said.length) <= 960 + preSkip, `${wav.samples} samples of ${said.length}`)
  })

test('Opus in stereo is recorded in stereo, each side as libopus decodes it', needs('ffmpeg'), async () => {
  const [left, right] = [sine(toneHz, 9000, rateHz, 2), sine(440, 5000, rateHz, 2)]
  const both = new Int16Array(2 * left.length).map((_, i) => (i % 2 === 0 ? left : right)[i >> 1] ?? 0)
  const format = { payloadType: 111, encoding: 'opus', clockRateHz: 48_000, channels: 2 }
  const encoder = ['-ac', '2', '-c:a', 'libopus', '-b:a', '128k']
  const decoder = ['-c:a', 'libopus']
  const one = { name: 'stereo', format, encoder, container: 'ogg', decoder, recordedHz: rateHz }
  const { wav, reference } = await sent(one, both, 2)
  assert.equal(wav.channels, 2)
  for (const [channel, hz] of [toneHz, 440].entries()) {
    const theirs = findSine(reference.filter((_, i) => i % 2 === channel).subarray(9600, 81_600), hz, rateHz)
    const ours = findSine(wav.channel(channel).subarray(9600, 81_600), hz, rateHz)
    assert.ok(ours.snrDb >= theirs.snrDb - 0.5, `channel ${channel}: ${ours.snrDb} dB, libopus ${theirs.snrDb} dB`)
  }
})
