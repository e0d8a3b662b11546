/** Ports whose packets may wait, because nobody but the recorder wants them. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { findCodec } from '../../codec/codecs.ts'
import { readWav } from '../../codec/wav.ts'
import { FakeClock } from '../../core/fake-clock.ts'
import { printRtp } from '../../rtp/packet.ts'
import { FrameClock } from './frame-clock.ts'
import { Port } from './port.ts'
import { BlockPool } from './recording/block-pool.ts'
import { fakeSockets } from './test-sockets.ts'

const g722 = { payloadType: 9, encoding: 'G722', clockRateHz: 8000 } as const
const remote = { ip: '192.0.2.1', rtpPort: 4000, rtcpPort: 4001 }
const from = { ip: remote.ip, port: remote.rtpPort }

function recorded(t: TestContext) {
  const clock = new FakeClock()
  const calls: string[] = []
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const newPort = (): Port => {
    const port = new Port({
      cname: 'c',
      inactiveAfterMs: 0,
      recordedLater: false,
      clock,
      wallAt: (nowMs) => nowMs,
      blocks: new BlockPool(),
      frames: new FrameClock(clock),
      jitter: { minMs: 20, maxMs: 200 },
      tell: () => {},
    })
    port.describe({ remote, receive: [g722], send: [g722] })
    return port
  }
  const port = newPort()
  port.attach(fakeSockets({ ease: (on) => void calls.push(`ease ${on}`), drain: () => void calls.push('drain') }))
  const other = newPort()
  other.attach(fakeSockets({}))
  port.record(join(folder, 'a.wav'))
  const tick = (): void => {
    clock.advance(50)
    port.tick(clock.now())
  }
  return { clock, port, other, calls, tick }
}

const payload = (i: number): Uint8Array => Uint8Array.from({ length: 160 }, (_, at) => (at * 31 + i * 57) & 0xff)
const packet = (i: number): Uint8Array =>
  printRtp({ marker: false, payloadType: 9, sequence: 100 + i, timestamp: 160 * i, ssrc: 7 }, payload(i))

test('packets of a port may wait from its first packet on, while it only records', (t) => {
  const { clock, port, other, calls, tick } = recorded(t)
  tick()
  assert.deepEqual(calls, [], 'nobody speaks yet')
  port.rtp(packet(0), from, clock.now())
  tick()
  tick()
  assert.deepEqual(calls.splice(0), ['ease true'])
  port.drain()
  assert.deepEqual(calls.splice(0), ['drain'], 'an order comes')
  port.bridge(other)
  assert.deepEqual(calls.splice(0), ['ease false'], 'somebody hears it')
})

test('a packet that was overtaken is recorded, though it is read so much later than the others', async (t) => {
  const { clock, port, tick } = recorded(t)
  const startMs = clock.now()
  const came = (i: number, atMs: number): void => port.rtp(packet(i), from, startMs + atMs)
  came(0, 0)
  tick()
  for (let i = 0; i < 4; i++) tick()
  // Read at 250 ms: the twelfth came just before, the eleventh not yet.
  for (const i of [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]) came(i, i * 20)
  came(12, 249)
  for (let i = 0; i < 4; i++) tick()
  came(11, 251)
  for (const i of [13, 14]) came(i, i * 20)
  const file = await port.stopRecording()
  assert.ok(file)
  const decoder = findCodec('G722', 8000)?.createDecoder()
  const expected = new Int16Array(15 * 320)
  for (let i = 0; i < 15; i++) decoder?.decode(payload(i), 0, 160, expected, i * 320)
  assert.deepEqual((await readWav(file.path)).pcm, expected)
})
