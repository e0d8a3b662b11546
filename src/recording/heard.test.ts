import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { findCodec } from '../codec/codecs.ts'
import { sine } from '../codec/test-support.ts'
import { FakeClock } from '../core/fake-clock.ts'
import { silentLogger } from '../core/logger.ts'
import { FactBus } from '../events/bus.ts'
import type { FactOf } from '../events/catalogue.ts'
import { FakePort, goodQuality } from '../media/test-support.ts'
import { noPackets, type PayloadFormat } from '../media/types.ts'
import { FrameClock } from '../media/worker/frame-clock.ts'
import { Port } from '../media/worker/port.ts'
import { BlockPool } from '../media/worker/recording/block-pool.ts'
import { printRtp } from '../rtp/packet.ts'
import { HeardLeg } from './heard.ts'
import { Recordings } from './service.ts'
import { HearingPort, noise } from './test-support.ts'

/** Of mu-law. */
const quietSpeech = (): Uint8Array => Uint8Array.from({ length: 160 }, (_, i) => 0x40 | ((i * 37) & 0x3f))

/** A stream of a recording client on a real port of a worker, and how it was heard. */
function stream(format: PayloadFormat = { payloadType: 0, encoding: 'PCMU', clockRateHz: 8000 }) {
  const clock = new FakeClock()
  const told = new FakePort(4000)
  const heard = new HeardLeg(told, 'leg', 'callee', undefined)
  const port = new Port({
    cname: 'call',
    inactiveAfterMs: 0,
    recordedLater: false,
    clock,
    wallAt: (nowMs) => nowMs,
    blocks: new BlockPool(),
    frames: new FrameClock(clock),
    jitter: { minMs: 40, maxMs: 200 },
    tell: (name, event) => told.emit(name, event),
  })
  const receive = [format]
  port.describe({ remote: { ip: '192.0.2.1', rtpPort: 4000, rtcpPort: 4001 }, receive, send: [], listensOnly: true })
  let sequence = 0
  const speak = (seconds: number, ip: string | undefined, payloadType = 0, says = quietSpeech): void => {
    for (let packet = 0; packet < seconds * 50; packet++, sequence++) {
      clock.advance(20)
      const header = { sequence, timestamp: sequence * 160, ssrc: 9, marker: false, payloadType }
      if (ip !== undefined) port.rtp(printRtp(header, says()), { ip, port: 4000 })
      if (sequence % 5 === 0) port.tick(clock.now())
    }
  }
  return { port, speak, verdict: () => heard.end(port.stats()).verdict }
}

test('who moved without a word is named as the reason for the silence', () => {
  const { speak, verdict } = stream()
  speak(12, '192.0.2.1')
  speak(20, '192.0.2.66')
  assert.equal(
    verdict(),
    'callee sent no audio after 12 s: RTP came from another address, 192.0.2.66:4000, and was refused',
  )
})

test('a stream that never came, one of another codec and a good one are told as that', () => {
  const never = stream()
  never.speak(20, undefined)
  assert.equal(never.verdict(), 'callee sent no audio at all')
  const other = stream()
  other.speak(20, '192.0.2.1', 18)
  assert.equal(
    other.verdict(),
    'callee sent no audio at all: RTP of payload type 18 came, which nobody had agreed to, and was refused',
  )
  const good = stream()
  good.speak(20, '192.0.2.1')
  assert.equal(good.verdict(), 'callee was heard well')
})

test('a short call whose packets were all refused says how many', () => {
  const heard = new HeardLeg(new FakePort(4000), 'leg', 'stream', '7')
  const { verdict, packetsRefused } = heard.end({ ...noPackets, packetsRefused: 41 })
  assert.deepEqual([verdict, packetsRefused], ['stream 7 sent no audio: 41 packets came and were refused', 41])
})

test('how each leg was heard is told with the recording, what was wrong once too', async (t: TestContext) => {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-heard-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const clock = new FakeClock()
  const bus = new FactBus()
  const stored = new Promise<FactOf<'recording.stored'>>((resolve) => bus.on('recording.stored', resolve))
  const recordings = new Recordings({ folder, bus, clock, log: silentLogger })
  const port = new HearingPort({ samples: noise(1, 800), startedAtMs: clock.wallMs() })
  const recording = recordings.start({ callId: 'c', name: 'c', tracks: [{ port, legId: 'a', role: 'caller' }] })
  port.emit('quality', { ...goodQuality, verdicts: [{ code: 'high-loss', about: '4.1 %' }] })
  port.emit('quality', goodQuality)
  await recording.stop()
  assert.deepEqual((await stored).heard, [
    {
      legId: 'a',
      verdict: 'caller lost packets on the way: 4.1 %',
      codes: ['high-loss'],
      packetsReceived: 1,
      packetsLost: 0,
      packetsRefused: 0,
      jitterMs: 0,
    },
  ])
})

test('a dead microphone is told in a codec that has to be decoded, too', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-heard-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const g722 = findCodec('G722', 8000)
  assert.ok(g722)
  for (const [peak, verdict] of [
    [0, 'callee sent nothing but silence'],
    [6000, 'callee was heard well'],
  ] as const) {
    const encoder = g722.createEncoder()
    const sound = sine(440, peak, 16_000, 0.02)
    const bytes = new Uint8Array(160)
    const told = stream({ payloadType: 9, encoding: 'G722', clockRateHz: 8000 })
    told.port.record(join(folder, `${peak}.wav`))
    told.speak(40, '192.0.2.1', 9, () => bytes.subarray(0, encoder.encode(sound, 0, 320, bytes, 0)))
    assert.equal(told.verdict(), verdict)
    await told.port.stopRecording()
  }
})
