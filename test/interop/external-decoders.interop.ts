/**
 * Legs that this server does not decode, decoded by ffmpeg after the call as the documentation says: what lies in the
 * recording is what ffmpeg makes of the same frames at one go. No encoder for these codecs is free and at hand, so the
 * frames are random: any bits are a frame of G.729, and of AMR and AMR-WB.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readWav } from '../../src/codec/wav.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { BlockPool } from '../../src/media/worker/recording/block-pool.ts'
import { Recorder } from '../../src/media/worker/recording/recorder.ts'
import { speechIn } from '../../src/media/worker/recording/speech-packet.ts'
import { openRaw } from '../../src/recording/raw.ts'
import { decodeLeg } from '../../src/recording/undecoded/decode-leg.ts'
import { emptyRtpPacket, parseRtp, printRtp } from '../../src/rtp/packet.ts'
import { needs } from '../support/program.ts'

/** As in docs/recordings.md. */
const ffmpeg = (format: string, rateHz: number): string[] => [
  'ffmpeg',
  '-loglevel',
  'error',
  '-f',
  format,
  '-i',
  'pipe:0',
  '-f',
  's16le',
  '-ar',
  String(rateHz),
  '-ac',
  '1',
  'pipe:1',
]

const random = (length: number, seed: number): Uint8Array => {
  let state = seed
  return Uint8Array.from({ length }, () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) >>> 24)
}

const packets = 100
const wallAt = (nowMs: number): number => 1_000_000 + nowMs
const openKey = () => Promise.reject(new Error('nothing is sealed'))

for (const { encoding, clockRateHz, format, head, payload, inFile } of [
  {
    encoding: 'G729',
    clockRateHz: 8000,
    format: 'g729',
    head: '',
    payload: (i: number) => random(20, i + 1),
    inFile: (i: number) => random(20, i + 1),
  },
  {
    encoding: 'AMR',
    clockRateHz: 8000,
    format: 'amr',
    head: '#!AMR\n',
    payload: (i: number) => Uint8Array.of(0xf0, (7 << 3) | 4, ...random(30, i + 1), 0xf0),
    inFile: (i: number) => Uint8Array.of((7 << 3) | 4, ...random(30, i + 1), 0xf0),
  },
  {
    encoding: 'AMR-WB',
    clockRateHz: 16_000,
    format: 'amr',
    head: '#!AMR-WB\n',
    payload: (i: number) => Uint8Array.of(0xf0, (2 << 3) | 4, ...random(31, i + 1), 0x80),
    inFile: (i: number) => Uint8Array.of((2 << 3) | 4, ...random(31, i + 1), 0x80),
  },
])
  test(`${encoding} is recorded as ffmpeg decodes it, sample for sample`, needs('ffmpeg'), async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'patchbay-decoders-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const path = join(folder, 'leg.wav')
    const recorder = new Recorder({ path, blocks: new BlockPool(), wallAt, failed: assert.fail }, 0)
    const packet = emptyRtpPacket()
    for (let i = 0; i < packets; i++) {
      const header = { marker: false, payloadType: 96, sequence: i, timestamp: (i * clockRateHz) / 50, ssrc: 3 }
      assert.ok(parseRtp(printRtp(header, payload(i)), packet))
      recorder.packet(speechIn(packet, { encoding, clockRateHz, codec: undefined }), i * 20)
    }
    await recorder.close()
    const raw = await openRaw(path, { openKey, log: silentLogger })
    assert.ok(raw)
    const command = ffmpeg(format, clockRateHz)
    const decoders = { [encoding]: command }
    const log = {
      ...silentLogger,
      error: (text: string, fields?: object) => assert.fail(text + JSON.stringify(fields)),
    }
    await decodeLeg({
      folder,
      unfinished: folder,
      wavName: 'leg.wav',
      raw,
      encoding,
      decoders,
      seal: undefined,
      openKey,
      log,
    })
    const frames = Array.from({ length: packets }, (_, i) => inFile(i))
    const input = Buffer.concat([Buffer.from(head, 'latin1'), ...frames])
    const [program = '', ...args] = command
    const { stdout } = spawnSync(program, args, { input, timeout: 30_000, maxBuffer: 1 << 26 })
    const reference = new Int16Array(Uint8Array.from(stdout).buffer)
    const { pcm, sampleRateHz } = await readWav(path)
    assert.equal(sampleRateHz, clockRateHz)
    assert.equal(pcm.length, (packets * clockRateHz) / 50)
    assert.ok(reference.length >= pcm.length - clockRateHz / 50)
    assert.equal(
      reference.findIndex((sample, i) => sample !== pcm[i]),
      -1,
    )
  })
