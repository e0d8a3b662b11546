import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeG711, encodeG711 } from '../../../codec/g711.ts'
import { FakeClock } from '../../../core/fake-clock.ts'
import type { SrtpKey } from '../../../core/srtp.ts'
import { printRtp } from '../../../rtp/packet.ts'
import { ntpTime, parseRtcp, printRtcp } from '../../../rtp/rtcp.ts'
import type { XrBlock } from '../../../rtp/rtcp-xr.ts'
import type { PortDescription, StreamQuality } from '../../types.ts'
import { FrameClock } from '../frame-clock.ts'
import { Port } from '../port.ts'
import { BlockPool } from '../recording/block-pool.ts'
import { fakeSockets } from '../test-sockets.ts'

const pcmu = { payloadType: 0, encoding: 'PCMU', clockRateHz: 8000 }
const remote = { ip: '192.0.2.1', rtpPort: 4000, rtcpPort: 4001 }
const alice = { ip: remote.ip, port: remote.rtpPort }
const frameMs = 20

/** 20 ms of a tone of 400 Hz: its eight periods fill the packet. */
const tone = (amplitude: number): Uint8Array =>
  encodeG711(
    'PCMU',
    Int16Array.from({ length: 160 }, (_, i) =>
      Math.max(-32_768, Math.min(32_767, amplitude * Math.sin(i * Math.PI * 0.1))),
    ),
  )
const speech = tone(8000)

interface Sent {
  readonly payload?: Uint8Array
  readonly payloadType?: number
  readonly from?: typeof alice
  /** Whether the n-th packet comes at all, and how much later than the others. */
  readonly lost?: (n: number) => boolean
}

/** A port that a phone speaks to, and that itself sends what a second port receives. */
function setUp(description: Partial<PortDescription> = {}, qualityEveryMs = 0) {
  const clock = new FakeClock()
  const frames = new FrameClock(clock)
  const rtcp: Uint8Array[] = []
  const told: StreamQuality[] = []
  const options = {
    cname: 'call',
    inactiveAfterMs: 0,
    recordedLater: false,
    qualityEveryMs,
    clock,
    wallAt: (nowMs: number) => clock.wallMs() - clock.now() + nowMs,
    blocks: new BlockPool(),
    frames,
    jitter: { minMs: 20, maxMs: 200 },
  }
  const port = new Port({ ...options, tell: (name, event) => name === 'quality' && told.push(event as StreamQuality) })
  const other = new Port({ ...options, tell: () => {} })
  const sent: number[] = []
  const sockets = fakeSockets({ sendRtp: () => sent.push(1) })
  port.attach({ ...sockets, sendRtcp: (bytes) => rtcp.push(bytes) })
  other.attach(sockets)
  other.describe({ remote: { ...remote, ip: '192.0.2.2' }, receive: [pcmu], send: [] })
  port.describe({ remote, receive: [pcmu], send: [pcmu], ...description })
  port.bridge(other)
  let sequence = 0
  const pass = (): void => {
    clock.advance(frameMs)
    sequence++
    if (sequence % 5 === 0) for (const each of [port, other]) each.tick(clock.now())
  }
  const packet = (payload: Uint8Array, payloadType = 0, ssrc = 1): Uint8Array =>
    printRtp({ ssrc, sequence: sequence & 0xffff, timestamp: sequence * 160, marker: false, payloadType }, payload)
  return {
    clock,
    frames,
    port,
    rtcp,
    told,
    verdicts: () => port.stats().quality?.verdicts.map(({ code, about = '' }) => `${code} ${about}`.trim()),
    /** The phone sends for so long. */
    hear: (ms: number, { payload = speech, payloadType, from = alice, lost = () => false }: Sent = {}): void => {
      for (let at = 0; at < ms; at += frameMs) {
        pass()
        if (!lost(sequence)) port.rtp(packet(payload, payloadType), from)
      }
    },
    /** We send this to the phone. */
    say: (payload: Uint8Array): void => {
      pass()
      other.rtp(packet(payload, 0, 2), { ip: '192.0.2.2', port: remote.rtpPort })
    },
    /** We send to the phone for so long, and hear nothing. */
    speak: (ms: number): void => {
      for (let at = 0; at < ms; at += frameMs) {
        pass()
        other.rtp(packet(speech, 0, 2), { ip: '192.0.2.2', port: remote.rtpPort })
      }
    },
    quiet: (ms: number): void => {
      for (let at = 0; at < ms; at += frameMs) pass()
    },
    packet,
  }
}

test('a good stream scores as G.107 says, and has no verdict', () => {
  const { hear, port, told } = setUp()
  hear(20_000)
  const { quality } = port.stats()
  assert.ok(quality)
  assert.deepEqual(quality.verdicts, [])
  assert.deepEqual([quality.lossShare, quality.discardShare, quality.burstRatio], [0, 0, 1])
  assert.equal(quality.scale, 'narrowband')
  assert.equal(quality.delayMs, 60, 'a packet of 20 ms and the least buffer')
  assert.equal(quality.mos?.toFixed(1), '4.4')
  assert.ok(Math.abs((quality.levelDbov ?? 0) - 20 * Math.log10(8000 / 32_768 / Math.SQRT2)) < 0.2)
  assert.deepEqual(told, [])
})

test('one-way audio: we send and nothing comes, told once, and taken back when it does', () => {
  const { speak, hear, verdicts, told } = setUp()
  speak(10_100)
  assert.deepEqual(verdicts(), ['one-way-audio'])
  speak(20_000)
  assert.equal(told.length, 1)
  hear(20_000)
  assert.deepEqual(verdicts(), [])
  assert.equal(told.length, 2)
})

test('who is silent while the other side rings is not blamed any more from its first packet on', () => {
  const { speak, hear, verdicts, told } = setUp({}, 1000)
  speak(20_000)
  assert.deepEqual(verdicts(), ['one-way-audio'])
  told.length = 0
  hear(frameMs)
  assert.deepEqual(verdicts(), [])
  hear(20_000)
  assert.ok(told.length > 0)
  for (const quality of told) assert.deepEqual(quality.verdicts, [])
})

test('nobody is blamed for nothing who said that it sends nothing', () => {
  const { speak, verdicts } = setUp({ silent: true })
  speak(30_000)
  assert.deepEqual(verdicts(), [])
})

test('nor is who suppresses silence, and said so by comfort noise (RFC 3389)', () => {
  const { hear, speak, verdicts } = setUp()
  hear(1000)
  hear(frameMs, { payload: Uint8Array.of(70), payloadType: 13 })
  speak(30_000)
  assert.deepEqual(verdicts(), [])
})

test('wrong address: who is refused is named', () => {
  const { hear, clock, port, packet, verdicts } = setUp()
  hear(2000)
  for (let i = 0; i < 200; i++) {
    hear(frameMs)
    port.rtp(packet(speech, 0, 77), { ip: '198.51.100.7', port: 4444 })
  }
  hear(1000)
  assert.ok(clock.now() > 0)
  assert.deepEqual(verdicts(), ['wrong-address 198.51.100.7:4444'])
})

test('wrong codec: the payload type is named, also when nothing else ever came', () => {
  const { hear, verdicts } = setUp()
  hear(5100, { payloadType: 18 })
  assert.deepEqual(verdicts(), ['wrong-codec 18'])
})

const key = (byte: number): SrtpKey => ({
  suite: 'AES_CM_128_HMAC_SHA1_80',
  master: Buffer.alloc(30, byte),
  mkiBytes: 0,
})

test('wrong key: nothing that comes can be decrypted', () => {
  const { hear, verdicts } = setUp({ srtp: { send: key(1), receive: key(2) } })
  hear(5100)
  assert.deepEqual(verdicts(), ['wrong-key'])
  const awaited = setUp({ srtp: 'awaited' })
  awaited.hear(5100)
  assert.deepEqual(awaited.verdicts(), [], 'its key is not known yet')
})

test('silence: packets come and nothing is in them for half a minute', () => {
  const { hear, verdicts } = setUp()
  hear(2000)
  hear(27_000, { payload: tone(0) })
  assert.deepEqual(verdicts(), [])
  hear(9000, { payload: tone(0) })
  assert.deepEqual(verdicts(), ['silence'])
})

test('clipping: samples stand at the end of the scale', () => {
  const { hear, verdicts } = setUp()
  hear(5100, { payload: tone(60_000) })
  assert.equal(verdicts()?.length, 1)
  assert.match(verdicts()?.[0] ?? '', /^clipping \d\d\.\d %$/)
})

test('high loss: 5 % at random is told and costs what G.113 says; bursts cost more', () => {
  const random = setUp()
  random.hear(20_000, { lost: (n) => n % 20 === 0 })
  assert.match(random.verdicts()?.[0] ?? '', /^high-loss [45]\.\d %$/)
  const scattered = random.port.stats().quality
  assert.ok(scattered?.rating !== undefined && Math.abs(scattered.rating - (93.2 - 95 * (5 / 30.1))) < 2)
  const bursts = setUp()
  bursts.hear(20_000, { lost: (n) => n % 100 < 5 })
  const together = bursts.port.stats().quality
  assert.ok((together?.rating ?? 99) < scattered.rating - 2)
  assert.ok((together?.burstRatio ?? 0) > 4)
  assert.equal(together?.burstMs, 100)
})

test('high jitter: packets that wait for each other are told, and counted as too late', () => {
  const { clock, port, packet, quiet, verdicts } = setUp()
  for (let i = 0; i < 100; i++) {
    // Nine wait for the tenth.
    const waiting: Uint8Array[] = []
    for (let j = 0; j < 10; j++) {
      quiet(frameMs)
      waiting.push(packet(speech))
    }
    for (const bytes of waiting) port.rtp(bytes, alice)
  }
  assert.ok(clock.now() > 0)
  assert.ok(
    verdicts()?.some((text) => text.startsWith('high-jitter') || text.startsWith('high-loss')),
    String(verdicts()),
  )
  assert.ok((port.stats().quality?.discardShare ?? 0) > 0.02)
})

test('high delay: half of the round trip, as reports tell it', () => {
  const { clock, hear, speak, port, rtcp, verdicts } = setUp()
  speak(10_000)
  const report = rtcp.map((bytes) => parseRtcp(bytes)[0]).findLast((each) => each?.type === 'report' && each.sender)
  assert.ok(report?.type === 'report' && report.sender)
  const { ntpSeconds, ntpFraction } = report.sender
  const lastReport = ((ntpSeconds << 16) | (ntpFraction >>> 16)) >>> 0
  const sinceMs = clock.wallMs() - (ntpSeconds - 2_208_988_800 + ntpFraction / 2 ** 32) * 1000
  const block = {
    ssrc: report.ssrc,
    fractionLost: 64,
    cumulativeLost: 1,
    highestSequence: 9,
    jitter: 80,
    lastReport,
    delaySinceLastReport: Math.round(((sinceMs - 300) * 65_536) / 1000),
  }
  hear(100)
  port.rtcp(printRtcp({ ssrc: 1, cname: 'a', block }), { ip: alice.ip, port: remote.rtcpPort })
  hear(5000)
  const { quality } = port.stats()
  assert.ok(Math.abs((quality?.roundTripMs ?? 0) - 400) < 2)
  assert.deepEqual(quality?.heardByPeer, { lossShare: 0.25, jitterMs: 10 })
  assert.match(verdicts()?.find((text) => text.startsWith('high-delay')) ?? '', /^high-delay 26\d ms$/)
  // Somebody was busy, that once: what was measured next is nearer to the truth.
  const quick = { ...block, delaySinceLastReport: block.delaySinceLastReport + Math.round((5100 + 280) * 65.536) }
  port.rtcp(printRtcp({ ssrc: 1, cname: 'a', block: quick }), { ip: alice.ip, port: remote.rtcpPort })
  assert.ok((port.stats().quality?.delayMs ?? 999) < 80)
  assert.ok(Math.abs((port.stats().roundTripMs ?? 0) - 20) < 2)
})

test('echo: what we send comes back, quieter and later', () => {
  const { quiet, port, packet, say, verdicts } = setUp()
  const spoken: Uint8Array[] = []
  for (let i = 0; i < 1250; i++) {
    // Words of some length, and pauses.
    const word = Math.sin(i / 7) + Math.sin(i / 3.1) > 0.2 ? tone(6000 + 4000 * Math.sin(i / 5)) : tone(0)
    spoken.push(word)
    say(word)
    const back = spoken[i - 10]
    if (back)
      port.rtp(
        packet(
          encodeG711(
            'PCMU',
            decodeG711('PCMU', back).map((sample) => sample / 4),
          ),
        ),
        alice,
      )
  }
  quiet(100)
  assert.deepEqual(verdicts(), ['echo 12 dB below, after 200 ms'])
})

test('while somebody listens, the jitter buffer says what came too late, how deep it is and what was made up', () => {
  const { clock, frames, hear, quiet, packet, port } = setUp()
  let silent = 0
  const listener = { tick: (tick: number) => (silent += port.voice.read(tick) ? 0 : 1) }
  frames.add(listener)
  hear(10_000)
  const good = port.stats().quality
  assert.equal(good?.concealedShare, 0)
  assert.ok(good.bufferMs >= 20 && good.bufferMs < 40, String(good.bufferMs))
  hear(10_000, { lost: (n) => n % 10 === 0 })
  const late = packet(speech)
  for (let i = 0; i < 10; i++) {
    quiet(frameMs)
    if (i > 0) port.rtp(packet(speech), alice)
  }
  quiet(300)
  port.rtp(late, alice)
  hear(2000)
  const bad = port.stats().quality
  frames.remove(listener)
  assert.ok(clock.now() > 0 && silent < 100)
  assert.ok((bad?.concealedShare ?? 0) > 0.02 && (bad?.concealedShare ?? 1) < 0.2, String(bad?.concealedShare))
  assert.ok((bad?.discardShare ?? 0) > 0)
})

test('while packets come, quality is told as often as asked for', () => {
  const { hear, quiet, told } = setUp({}, 10_000)
  hear(41_000)
  assert.equal(told.length, 4)
  quiet(100)
})

/** The extended blocks that were sent. */
const extended = (rtcp: readonly Uint8Array[]): XrBlock[] =>
  rtcp.flatMap((bytes) => parseRtcp(bytes).flatMap((each) => (each.type === 'extended' ? each.blocks : [])))

test('VoIP metrics go to who asked for them, and to nobody else (RFC 3611 §4.7)', () => {
  const asked = setUp({ extendedReports: { voipMetrics: true, receiverRoundTrip: false } })
  asked.hear(20_000, { lost: (n) => n % 20 === 0 })
  const block = extended(asked.rtcp).at(-1)
  assert.ok(block?.type === 'voip-metrics')
  const { metrics } = block
  assert.equal(metrics.ssrc, 1)
  assert.ok(metrics.lossShare > 0.03 && metrics.lossShare < 0.06)
  assert.equal(metrics.endSystemMs, 60)
  assert.equal(metrics.signalDbm0, -9)
  assert.ok(metrics.rFactor !== undefined && metrics.rFactor > 70 && metrics.rFactor < 82)
  assert.ok((metrics.mosListening ?? 0) >= (metrics.mosConversational ?? 9))
  const plain = setUp()
  plain.hear(20_000)
  assert.deepEqual(extended(plain.rtcp), [])
})

test('who only receives learns the round trip by reference times (RFC 3611 §4.4, §4.5)', () => {
  const { clock, hear, port, rtcp } = setUp({ extendedReports: { voipMetrics: false, receiverRoundTrip: true } })
  hear(5000)
  const reference = extended(rtcp).at(-1)
  assert.ok(reference?.type === 'reference-time')
  const lastReference = ((reference.ntpSeconds << 16) | (reference.ntpFraction >>> 16)) >>> 0
  const sinceMs = clock.wallMs() - (reference.ntpSeconds - 2_208_988_800 + reference.ntpFraction / 2 ** 32) * 1000
  const [ours] = parseRtcp(rtcp.at(-1) ?? new Uint8Array(0))
  assert.ok(ours?.type === 'report')
  const delays = [{ ssrc: ours.ssrc, lastReference, delay: Math.round(((sinceMs - 120) * 65_536) / 1000) }]
  const answer = printRtcp({ ssrc: 1, cname: 'a', extended: [{ type: 'delays', delays }] })
  port.rtcp(answer, { ip: alice.ip, port: remote.rtcpPort })
  assert.ok(Math.abs((port.stats().roundTripMs ?? 0) - 120) < 2)
})

test("a peer's reference time is answered with the time since (RFC 3611 §4.5)", () => {
  const { clock, hear, port, rtcp } = setUp()
  hear(100)
  const asks = printRtcp({ ssrc: 1, cname: 'a', extended: [{ type: 'reference-time', ...ntpTime(clock.wallMs()) }] })
  const askedAtMs = clock.now()
  port.rtcp(asks, { ip: alice.ip, port: remote.rtcpPort })
  rtcp.length = 0
  while (rtcp.length === 0) hear(frameMs)
  const [block] = extended(rtcp)
  assert.ok(block?.type === 'delays')
  assert.equal(block.delays[0]?.ssrc, 1)
  assert.equal(block.delays[0]?.delay, Math.round(((clock.now() - askedAtMs) * 65_536) / 1000))
})

test('a peer with our SSRC makes us take another one, once, after a goodbye (RFC 3550 §8.2)', () => {
  const { hear, speak, port, rtcp, packet } = setUp()
  speak(10_000)
  const [report] = parseRtcp(rtcp.at(-1) ?? new Uint8Array(0))
  assert.ok(report?.type === 'report')
  rtcp.length = 0
  port.rtp(packet(speech, 0, report.ssrc), alice)
  const [last, bye] = parseRtcp(rtcp.at(-1) ?? new Uint8Array(0))
  assert.deepEqual(bye, { type: 'bye', ssrcs: [report.ssrc] })
  assert.ok(last?.type === 'report')
  rtcp.length = 0
  speak(10_000)
  const [next] = parseRtcp(rtcp.at(-1) ?? new Uint8Array(0))
  assert.ok(next?.type === 'report' && next.ssrc !== report.ssrc)
  rtcp.length = 0
  port.rtp(packet(speech, 0, next.ssrc), alice)
  hear(100)
  assert.ok(rtcp.every((bytes) => parseRtcp(bytes).every(({ type }) => type !== 'bye')))
})
