/** A recording by a thread that reads packets late, and does not know when they came. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { findCodec } from '../../../codec/codecs.ts'
import { decodeG711 } from '../../../codec/g711.ts'
import { readWav } from '../../../codec/wav.ts'
import { emptyRtpPacket, parseRtp, printRtp } from '../../../rtp/packet.ts'
import { BlockPool } from './block-pool.ts'
import { Recorder } from './recorder.ts'
import { speechIn } from './speech-packet.ts'

const format = { encoding: 'PCMU', clockRateHz: 8000, codec: findCodec('PCMU', 8000) }
const failed = (text: string): void => assert.fail(text)
const payload = (i: number): Uint8Array => Uint8Array.from({ length: 160 }, (_, at) => (at * 7 + i * 11) & 0xff)

for (const [what, ticks] of [
  ['which has its turns at last', 'afterwards'],
  ['which has its turns late', 'meanwhile'],
] as const) {
  test(`a thread that stood still for a second, and stays late, moves no sample: ${what}`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'patchbay-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const options = { path: join(folder, 'a.wav'), blocks: new BlockPool(), wallAt: (nowMs: number) => nowMs, failed }
    const recorder = new Recorder(options, 0)
    const read = (i: number, atMs: number): void => {
      const packet = emptyRtpPacket()
      const header = { marker: false, payloadType: 0, sequence: 100 + i, timestamp: 160 * i, ssrc: 7 }
      assert.ok(parseRtp(printRtp(header, payload(i)), packet))
      recorder.packet(speechIn(packet, format), atMs)
    }
    for (const i of [0, 1, 2]) read(i, i * 20)
    recorder.tick(50)
    for (let i = 3; i < 60; i++) {
      const atMs = 1000 + i * 20
      if (ticks === 'meanwhile' && i % 5 === 3) recorder.tick(atMs, atMs, i === 3)
      read(i, atMs)
    }
    recorder.tick(2300)
    const file = await recorder.close()
    assert.ok(file)
    const expected = Buffer.concat(Array.from({ length: 60 }, (_, i) => payload(i)))
    assert.deepEqual((await readWav(file.path)).pcm, decodeG711('PCMU', expected))
  })
}
