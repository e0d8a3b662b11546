/**
 * Legs in codecs that are not decoded here, and programs that do. The programs are small ones of the tests: that a real
 * decoder gives speech is shown by test/interop/external-decoders.interop.ts.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { readWav } from '../../codec/wav.ts'
import { FakeClock } from '../../core/fake-clock.ts'
import { silentLogger } from '../../core/logger.ts'
import { FactBus } from '../../events/bus.ts'
import type { FactOf } from '../../events/catalogue.ts'
import { FakePort } from '../../media/test-support.ts'
import type { RecordedFile } from '../../media/types.ts'
import { BlockPool } from '../../media/worker/recording/block-pool.ts'
import { Recorder } from '../../media/worker/recording/recorder.ts'
import { speechIn } from '../../media/worker/recording/speech-packet.ts'
import { emptyRtpPacket, parseRtp, printRtp } from '../../rtp/packet.ts'
import { Recordings } from '../service.ts'
import type { Decoders } from './decode-leg.ts'

const wallAt = (nowMs: number): number => 1_000_000 + nowMs

/** A port that got these payloads, each 20 ms; undefined: it was lost. */
class PacketPort extends FakePort {
  readonly #encoding: string
  readonly #clockRateHz: number
  readonly #payloads: readonly (Uint8Array | undefined)[]

  constructor(encoding: string, clockRateHz: number, payloads: readonly (Uint8Array | undefined)[]) {
    super(4000)
    this.#encoding = encoding
    this.#clockRateHz = clockRateHz
    this.#payloads = payloads
  }

  override async stopRecording(): Promise<RecordedFile | undefined> {
    const recorder = new Recorder(
      { path: this.recording ?? '', blocks: new BlockPool(), wallAt, failed: assert.fail },
      0,
    )
    const packet = emptyRtpPacket()
    for (const [index, payload] of this.#payloads.entries()) {
      if (!payload) continue
      const timestamp = (0xffff_ff00 + (index * this.#clockRateHz) / 50) >>> 0
      assert.ok(
        parseRtp(printRtp({ marker: false, payloadType: 96, sequence: index, timestamp, ssrc: 3 }, payload), packet),
      )
      const format = { encoding: this.#encoding, clockRateHz: this.#clockRateHz, codec: undefined }
      recorder.packet(speechIn(packet, format), index * 20)
    }
    return recorder.close()
  }
}

async function stored(t: TestContext, port: PacketPort, encoding: string, decoders: Decoders) {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-undecoded-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const bus = new FactBus()
  const told = new Promise<FactOf<'recording.stored'>>((resolve) => bus.on('recording.stored', resolve))
  const recordings = new Recordings({ folder, bus, clock: new FakeClock(), log: silentLogger, decoders })
  const recording = recordings.start({ callId: 'c', name: 'c', tracks: [{ port, legId: 'a', role: 'caller' }] })
  port.emit('media-started', { source: '192.0.2.1:4000', codec: encoding })
  await recording.stop()
  const { files } = await told
  return { folder, files: files.map(({ name, kind }) => `${name} ${kind}`) }
}

/** Ten bytes a frame become 80 samples of the first one's value, times 100. */
const byFirstByte = [
  process.execPath,
  '-e',
  `let left = Buffer.alloc(0)
   process.stdin.on('data', (bytes) => {
     left = Buffer.concat([left, bytes])
     for (; left.length >= 10; left = left.subarray(10)) {
       const out = Buffer.alloc(160)
       for (let i = 0; i < 80; i++) out.writeInt16LE(left[0] * 100, i * 2)
       process.stdout.write(out)
     }
   })`,
]

const g729 = (value: number): Uint8Array =>
  Uint8Array.from({ length: 20 }, (_, i) => (i % 10 === 0 ? value + i / 10 : 99))

test('G.729 becomes sound by the program of the settings, each frame where it was said, and is combined', async (t) => {
  const payloads = Array.from({ length: 30 }, (_, i) => (i >= 10 && i < 13 ? undefined : g729(2 * i + 1)))
  const { folder, files } = await stored(t, new PacketPort('G729', 8000, payloads), 'G729', { G729: byFirstByte })
  assert.deepEqual(files, ['c.wav combined', 'c_caller.wav leg', 'c_caller.rtpdump raw'])
  const { pcm, sampleRateHz, startedAtMs } = await readWav(join(folder, 'c_caller.wav'))
  assert.deepEqual([pcm.length, sampleRateHz, startedAtMs], [30 * 160, 8000, 1_000_000])
  const expected = payloads.flatMap((payload, i) => [2 * i + 1, 2 * i + 2].map((value) => (payload ? value * 100 : 0)))
  assert.deepEqual(
    expected,
    expected.map((_, frame) => pcm[frame * 80 + 40]),
  )
  assert.deepEqual((await readWav(join(folder, 'c.wav'))).pcm, pcm)
})

const payload = (i: number): Uint8Array => Uint8Array.from({ length: 33 }, () => i)

test('a decoder, which reads what strangers sent, is told none of the secrets in our environment', async (t) => {
  process.env['SIPREC_MASTER_KEY'] = 'secret'
  t.after(() => delete process.env['SIPREC_MASTER_KEY'])
  const told = `process.stdin.resume(); process.stdout.write(Buffer.alloc(1600, process.env.SIPREC_MASTER_KEY ? 1 : process.env.PATH ? 2 : 3))`
  const port = new PacketPort('G729', 8000, [g729(1)])
  const { folder } = await stored(t, port, 'G729', { G729: [process.execPath, '-e', told] })
  assert.equal((await readWav(join(folder, 'c_caller.wav'))).pcm[0], 0x0202)
})

test('EVS is stored as a file of its codec, with what was lost as frames without data', async (t) => {
  const payloads = [payload(1), undefined, payload(3)]
  const { folder, files } = await stored(t, new PacketPort('EVS', 16_000, payloads), 'EVS', {})
  assert.deepEqual(files, ['c_caller.rtpdump raw', 'c_caller.awb raw'])
  const file = readFileSync(join(folder, 'c_caller.awb'))
  assert.deepEqual(
    file,
    Buffer.concat([
      Buffer.from('#!EVS_MC1.0\n\0\0\0\x01', 'latin1'),
      Buffer.of(4),
      payload(1),
      Buffer.of(15, 4),
      payload(3),
    ]),
  )
})

for (const [what, command] of [
  ['is not there', ['/no/such/decoder']],
  ['fails', [process.execPath, '-e', 'process.exit(3)']],
  ['says too little', [process.execPath, '-e', 'process.stdin.resume()']],
] as const)
  test(`a decoder that ${what} costs nothing but the sound: the packets are stored`, async (t) => {
    const port = new PacketPort(
      'G729',
      8000,
      Array.from({ length: 10 }, () => g729(1)),
    )
    const { files } = await stored(t, port, 'G729', { G729: command })
    assert.deepEqual(files, ['c_caller.rtpdump raw'])
  })
