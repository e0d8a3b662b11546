import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { findCodec } from '../../../codec/codecs.ts'
import { decodeG711 } from '../../../codec/g711.ts'
import { decodeWav, readWavHeader } from '../../../codec/wav.ts'
import { readStored } from '../../../sealing/stored-file.ts'
import { opensWith, testMaster, testSeal } from '../../../sealing/test-support.ts'
import { BlockPool } from './block-pool.ts'
import { Recorder } from './recorder.ts'
import type { SpeechPacket } from './speech-packet.ts'

const folder = mkdtempSync(join(tmpdir(), 'patchbay-sealed-leg-'))
after(() => rmSync(folder, { recursive: true }))

const master = testMaster()
const openKey = opensWith(master)
const startedAtMs = Date.UTC(2026, 10, 20, 10)
const pcmu = { encoding: 'PCMU', clockRateHz: 8000, codec: findCodec('PCMU', 8000) }
const g729 = { encoding: 'G729', clockRateHz: 8000, codec: undefined }

const payload = (index: number): Uint8Array => Uint8Array.from({ length: 160 }, (_, i) => (index * 7 + i * 13) & 0xff)

const packet = (index: number, format: SpeechPacket['format'] = pcmu): SpeechPacket => ({
  ssrc: 1,
  sequence: index & 0xffff,
  timestamp: index * 160,
  ticks: 160,
  payloadType: 0,
  marker: false,
  format,
  bytes: payload(index),
  from: 0,
  to: 160,
})

const recorder = (name: string): Recorder =>
  new Recorder(
    {
      path: join(folder, name),
      seal: testSeal(master),
      blocks: new BlockPool(),
      wallAt: (nowMs) => startedAtMs + nowMs,
      failed: assert.fail,
    },
    0,
  )

/** Three seconds, of which packet 10 comes last, a second late. */
function feed(into: Recorder, until = 150): void {
  for (let index = 0; index < until; index++) {
    if (index !== 10) into.packet(packet(index), index * 20)
    if (index === 60) into.packet(packet(10), index * 20)
    into.tick(index * 20)
  }
}

test('a sealed leg holds what a plain one would, late packets in their place, and nothing lies in the clear', async () => {
  const into = recorder('a.wav')
  feed(into)
  const file = await into.close()

  assert.equal(file?.path, join(folder, 'a.wav.sealed'))
  assert.deepEqual(readdirSync(folder), ['a.wav.sealed'])
  const wav = decodeWav(await readStored(join(folder, 'a.wav.sealed'), { openKey }))
  const expected = decodeG711('PCMU', Buffer.concat(Array.from({ length: 150 }, (_, index) => payload(index))))
  assert.deepEqual(wav?.pcm, expected)
  assert.equal(wav?.startedAtMs, startedAtMs)
  const onDisk = readFileSync(join(folder, 'a.wav.sealed'))
  assert.ok(!onDisk.includes('RIFF') && !onDisk.includes(Buffer.from(expected.buffer, 0, 64)))
})

test('while the call lives, what is older than a second can be read (a kill costs no more)', async () => {
  const into = recorder('b.wav')
  feed(into)
  const path = join(folder, 'b.wav.sealed')
  let seconds = 0
  // The disk takes it in its own time.
  while (seconds < 2) {
    await setImmediate()
    const bytes = existsSync(path) ? await readPrefix(path) : Buffer.alloc(0)
    seconds = (readWavHeader(bytes)?.samples ?? 0) / 8000
  }
  await into.close()
  assert.ok(seconds < 3)
})

async function readPrefix(path: string): Promise<Buffer> {
  if (statSync(path).size < 4096) return Buffer.alloc(0)
  return readStored(path, { openKey, unfinished: true })
}

test('packets that are not decoded are sealed too', async () => {
  const into = recorder('c.wav')
  for (let index = 0; index < 100; index++) into.packet(packet(index, g729), index * 20)
  await into.close()
  const bytes = await readStored(join(folder, 'c.rtpdump.sealed'), { openKey })

  assert.ok(bytes.subarray(0, 12).equals(Buffer.from('#!rtpplay1.0')))
  assert.equal(bytes.subarray(-160).compare(payload(99)), 0)
})
