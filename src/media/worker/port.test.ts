import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { decodeG711, encodeG711 } from '../../codec/g711.ts'
import { readWav } from '../../codec/wav.ts'
import { FakeClock } from '../../core/fake-clock.ts'
import { printCheck } from '../../ice/test-support.ts'
import { emptyRtpPacket, parseRtp, printRtp, type RtpPacket } from '../../rtp/packet.ts'
import { middleOfNtp, parseRtcp, printRtcp, type RtcpPacket } from '../../rtp/rtcp.ts'
import { digitPackets } from '../../rtp/telephone-event.ts'
import type { PayloadFormat, PortDescription } from '../types.ts'
import { FrameClock } from './frame-clock.ts'
import { Port } from './port.ts'
import { BlockPool } from './recording/block-pool.ts'
import { fakeSockets } from './test-sockets.ts'

const pcmu = { payloadType: 0, encoding: 'PCMU', clockRateHz: 8000 } as const
const pcma = { payloadType: 8, encoding: 'PCMA', clockRateHz: 8000 } as const
const events = (payloadType: number): PayloadFormat => ({ payloadType, encoding: 'telephone-event', clockRateHz: 8000 })

const alice = { ip: '192.0.2.1', rtpPort: 4000, rtcpPort: 4001 }
const bob = { ip: '192.0.2.2', rtpPort: 5000, rtcpPort: 5001 }

interface Datagram {
  readonly bytes: Uint8Array
  readonly to: string
}

/** A port without sockets: what it sends and tells is kept. */
function portWith(clock: FakeClock, inactiveAfterMs = 0, recordedLater = false) {
  const rtp: Datagram[] = []
  const rtcp: Datagram[] = []
  const told: unknown[] = []
  const port = new Port({
    cname: 'call',
    inactiveAfterMs,
    recordedLater,
    clock,
    wallAt: (nowMs) => clock.wallMs() - clock.now() + nowMs,
    blocks: new BlockPool(),
    frames: new FrameClock(clock),
    jitter: { minMs: 20, maxMs: 200 },
    tell: (name, event) => name !== 'quality' && told.push([name, event]),
  })
  port.attach(
    fakeSockets({
      sendRtp: (bytes, from, length, to) =>
        rtp.push({ bytes: bytes.slice(from, from + length), to: `${to.ip}:${to.port}` }),
      sendRtcp: (bytes, to) => rtcp.push({ bytes, to: `${to.ip}:${to.port}` }),
    }),
  )
  const run = (ms: number): void => {
    for (let left = ms; left > 0; left -= 50) {
      clock.advance(Math.min(50, left))
      port.tick(clock.now())
    }
  }
  return { port, rtp, rtcp, told, run }
}

/** A caller's and a callee's port, bridged. */
function call(clock: FakeClock, caller: Partial<PortDescription> = {}, callee: Partial<PortDescription> = {}) {
  const a = portWith(clock)
  const b = portWith(clock)
  a.port.describe({ remote: alice, receive: [pcmu, events(101)], send: [pcmu, events(101)], ...caller })
  b.port.describe({ remote: bob, receive: [pcmu, events(96)], send: [pcmu, events(96)], ...callee })
  a.port.bridge(b.port)
  return { a, b }
}

const payload = Uint8Array.from({ length: 160 }, (_, i) => (i * 7) & 0xff)

function speech(sequence: number, { payloadType = 0, ssrc = 1, marker = false } = {}): Uint8Array {
  return printRtp({ ssrc, sequence, timestamp: sequence * 160, marker, payloadType }, payload)
}

function parsed(datagram: Datagram | undefined): RtpPacket {
  const packet = emptyRtpPacket()
  assert.ok(datagram && parseRtp(datagram.bytes, packet))
  return packet
}

test('speech goes to the other side with its payload untouched and a header of ours', () => {
  const { a, b } = call(new FakeClock())
  a.port.rtp(speech(1, { marker: true }), { ip: alice.ip, port: alice.rtpPort })
  a.port.rtp(speech(2), { ip: alice.ip, port: alice.rtpPort })
  assert.deepEqual(
    b.rtp.map(({ to }) => to),
    ['192.0.2.2:5000', '192.0.2.2:5000'],
  )
  const [first, second] = b.rtp.map(parsed)
  assert.ok(first && second)
  assert.ok(first.marker && !second.marker)
  assert.notEqual(first.ssrc, 1)
  assert.equal((second.sequence - first.sequence) & 0xffff, 1)
  assert.equal((second.timestamp - first.timestamp) >>> 0, 160)
  assert.deepEqual(second.bytes.slice(12), payload)
  assert.deepEqual(a.rtp, [])
})

test('payload types are those that each side declared', () => {
  const odd = { ...pcma, payloadType: 115 }
  const { a, b } = call(new FakeClock(), { receive: [pcma] }, { send: [odd] })
  a.port.rtp(speech(1, { payloadType: 8 }), { ip: alice.ip, port: alice.rtpPort })
  assert.equal(parsed(b.rtp[0]).payloadType, 115)
})

test('mu-law becomes A-law for a side that takes only that, and is kept for one that takes both', () => {
  for (const [send, payloadType] of [
    [[pcma], 8],
    [[pcma, pcmu], 0],
  ] as const) {
    const { a, b } = call(new FakeClock(), {}, { send })
    a.port.rtp(speech(1), { ip: alice.ip, port: alice.rtpPort })
    const sent = parsed(b.rtp[0])
    assert.equal(sent.payloadType, payloadType)
    const expected = payloadType === 0 ? payload : encodeG711('PCMA', decodeG711('PCMU', payload))
    assert.deepEqual(sent.bytes.slice(12), expected)
  }
})

test('nothing is sent to a side that takes nothing: on hold', () => {
  const { a, b } = call(new FakeClock(), {}, { send: [] })
  a.port.rtp(speech(1), { ip: alice.ip, port: alice.rtpPort })
  assert.deepEqual(b.rtp, [])
  b.port.describe({ remote: bob, receive: [pcmu], send: [pcmu] })
  a.port.rtp(speech(2), { ip: alice.ip, port: alice.rtpPort })
  assert.equal(b.rtp.length, 1)
})

test('comfort noise that nobody agreed to shows that its sender lives, and is not sent on (RFC 3389)', async () => {
  const clock = new FakeClock()
  const { a, b } = call(clock)
  a.port.rtp(speech(1), { ip: alice.ip, port: alice.rtpPort })
  clock.advance(200)
  a.port.rtp(speech(2, { payloadType: 13 }), { ip: alice.ip, port: alice.rtpPort })
  clock.advance(200)
  a.port.rtp(speech(20), { ip: alice.ip, port: alice.rtpPort })
  const [first, second] = b.rtp.map(parsed)
  assert.equal(b.rtp.length, 2)
  assert.equal(((second?.sequence ?? 0) - (first?.sequence ?? 0)) & 0xffff, 18, 'the noise leaves no hole')
  clock.advance(100)
  a.port.rtp(speech(21, { payloadType: 13 }), { ip: alice.ip, port: alice.rtpPort })
  const stats = await a.port.close()
  assert.deepEqual([stats.packetsReceived, stats.packetsRefused, stats.idleMs], [4, 0, 0])
})

test('strangers, unknown payload types and noise are refused, counted, and not relayed', async () => {
  const clock = new FakeClock()
  const { a, b } = call(clock)
  a.port.rtp(speech(1), { ip: alice.ip, port: alice.rtpPort })
  clock.advance(2000)
  a.port.rtp(speech(2), { ip: '203.0.113.9', port: 1 })
  a.port.rtp(speech(3, { payloadType: 18 }), { ip: alice.ip, port: alice.rtpPort })
  a.port.rtp(Uint8Array.of(1, 2, 3), { ip: alice.ip, port: alice.rtpPort })
  assert.equal(b.rtp.length, 1)
  const stats = await a.port.close()
  assert.equal(stats.packetsReceived, 1)
  assert.equal(stats.packetsRefused, 3)
  assert.equal(stats.source, '192.0.2.1:4000')
  assert.equal(stats.codec, 'PCMU')
})

test('a stranger cannot turn the stream towards itself, nor teach a port with a packet that is no speech', () => {
  const clock = new FakeClock()
  const { a, b } = call(clock)
  a.port.rtp(speech(1, { payloadType: 18 }), { ip: '203.0.113.9', port: 1 })
  b.port.rtp(speech(1), { ip: bob.ip, port: bob.rtpPort })
  assert.equal(a.rtp[0]?.to, '192.0.2.1:4000')
})

test('media started is told with the first speech of each source, not with each packet', () => {
  const clock = new FakeClock()
  const { a } = call(clock)
  for (let i = 0; i < 3; i++) a.port.rtp(speech(i), { ip: '198.51.100.7', port: 33_333 })
  a.port.describe({ remote: { ...alice, rtpPort: 4444 }, receive: [pcmu], send: [pcmu] })
  a.port.rtp(speech(3), { ip: '192.0.2.1', port: 4444 })
  assert.deepEqual(a.told, [
    ['media-started', { source: '198.51.100.7:33333', codec: 'PCMU' }],
    ['media-started', { source: '192.0.2.1:4444', codec: 'PCMU' }],
  ])
})

test('a digit is told once and relayed packet by packet', () => {
  const clock = new FakeClock()
  const { a, b } = call(clock)
  a.port.rtp(speech(1), { ip: alice.ip, port: alice.rtpPort })
  digitPackets('5', 80).forEach(({ payload, marker }, i) => {
    const header = { ssrc: 1, sequence: 2 + i, timestamp: 320, marker, payloadType: 101 }
    a.port.rtp(printRtp(header, payload), { ip: alice.ip, port: alice.rtpPort })
  })
  assert.deepEqual(a.told.slice(1), [['digit', { digit: '5', durationMs: 80 }]])
  const relayed = b.rtp.slice(1).map(parsed)
  assert.equal(relayed.length, 6)
  assert.ok(relayed.every(({ payloadType }) => payloadType === 96))
  assert.equal(new Set(relayed.map(({ timestamp }) => timestamp)).size, 1)
  assert.deepEqual(b.told, [])
})

test('a digit of another source is told though its timestamps are older', () => {
  const { a } = call(new FakeClock())
  for (const [ssrc, timestamp] of [
    [1, 80_000],
    [2, 320],
  ] as const) {
    for (const { payload } of digitPackets('7', 40)) {
      const header = { ssrc, sequence: 1, timestamp, marker: false, payloadType: 101 }
      a.port.rtp(printRtp(header, payload), { ip: alice.ip, port: alice.rtpPort })
    }
  }
  assert.equal(a.told.length, 2)
})

test('silence on the wire is told at the limit, and again only after packets came', () => {
  const clock = new FakeClock()
  const { port, told, run } = portWith(clock, 10_000)
  run(60_000)
  assert.deepEqual(told, [], 'nothing was agreed yet')
  port.describe({ remote: alice, receive: [pcmu], send: [pcmu] })
  run(60_000)
  assert.deepEqual(told, [['inactive', { idleMs: 10_000 }]])
  port.rtp(speech(1), { ip: alice.ip, port: alice.rtpPort })
  run(9_950)
  assert.equal(told.length, 2, 'only that media started')
  run(50)
  assert.deepEqual(told.at(-1), ['inactive', { idleMs: 10_000 }])
})

function reports(datagrams: readonly Datagram[]): RtcpPacket[] {
  return datagrams.flatMap(({ bytes }) => parseRtcp(bytes))
}

test('a port that only receives sends receiver reports about every five seconds', () => {
  const clock = new FakeClock()
  const { port, rtcp, run } = portWith(clock)
  port.describe({ remote: alice, receive: [pcmu], send: [] })
  for (let i = 0; i < 3000; i++) {
    if (i !== 100) port.rtp(speech(i, { ssrc: 77 }), { ip: alice.ip, port: alice.rtpPort })
    run(20)
  }
  assert.ok(rtcp.length >= 9 && rtcp.length <= 29, `${rtcp.length} reports in a minute`)
  assert.ok(rtcp.every(({ to }) => to === '192.0.2.1:4001'))
  const last = reports(rtcp).at(-1)
  assert.ok(last?.type === 'report' && !last.sender)
  assert.equal(last.blocks[0]?.ssrc, 77)
  assert.equal(last.blocks[0]?.cumulativeLost, 1)
})

test('a port that sends says so, and learns the round trip from the answer', () => {
  const clock = new FakeClock()
  const { a, b } = call(clock)
  for (let i = 0; i < 500; i++) {
    a.port.rtp(speech(i), { ip: alice.ip, port: alice.rtpPort })
    b.run(20)
  }
  const report = reports(b.rtcp).at(-1)
  assert.ok(report?.type === 'report' && report.sender)
  assert.ok(report.sender.packets > 100)
  assert.equal(report.sender.bytes, report.sender.packets * 160)
  const { ntpSeconds, ntpFraction } = report.sender
  const sentAtMs = (ntpSeconds - 2_208_988_800) * 1000 + (ntpFraction * 1000) / 2 ** 32
  clock.advance(100)
  // Of the time since our report the peer says that it spent all but 30 ms; the rest was the way there and back.
  const delayMs = clock.wallMs() - sentAtMs - 30
  const block = {
    ssrc: report.ssrc,
    fractionLost: 0,
    cumulativeLost: 0,
    highestSequence: 1,
    jitter: 0,
    lastReport: middleOfNtp(ntpSeconds, ntpFraction),
    delaySinceLastReport: Math.round((delayMs * 65_536) / 1000),
  }
  const ofAnother = { ...block, ssrc: block.ssrc ^ 1 }
  b.port.rtcp(printRtcp({ ssrc: 9, cname: 'bob', block: ofAnother }), { ip: bob.ip, port: bob.rtcpPort })
  assert.equal(b.port.stats().roundTripMs, undefined, 'a report about somebody else tells nothing')
  b.port.rtcp(printRtcp({ ssrc: 9, cname: 'bob', block }), { ip: bob.ip, port: bob.rtcpPort })
  const roundTripMs = b.port.stats().roundTripMs
  assert.ok(roundTripMs !== undefined && Math.abs(roundTripMs - 30) < 1, `${roundTripMs} ms`)
})

test('with RTCP on the RTP port reports come and go there (RFC 5761)', () => {
  const clock = new FakeClock()
  const { port, rtp, rtcp, run } = portWith(clock)
  port.describe({ remote: { ...alice, rtcpPort: 4000 }, receive: [pcmu], send: [] })
  port.rtp(printRtcp({ ssrc: 9, cname: 'alice' }), { ip: alice.ip, port: alice.rtpPort })
  assert.equal(port.stats().packetsRefused, 0)
  run(20_000)
  assert.deepEqual(rtcp, [])
  assert.equal(rtp[0]?.to, '192.0.2.1:4000')
})

test('RTCP of strangers is refused; a peer behind NAT gets its reports where its own came from', () => {
  const clock = new FakeClock()
  const { port, rtcp, run } = portWith(clock)
  port.describe({ remote: alice, receive: [pcmu], send: [] })
  port.rtp(speech(1), { ip: '198.51.100.7', port: 33_333 })
  port.rtcp(printRtcp({ ssrc: 9, cname: 'x' }), { ip: '203.0.113.9', port: 1 })
  assert.equal(port.stats().packetsRefused, 1)
  port.rtcp(printRtcp({ ssrc: 9, cname: 'alice' }), { ip: '198.51.100.7', port: 44_444 })
  run(20_000)
  assert.equal(rtcp[0]?.to, '198.51.100.7:44444')
})

test('a port that had traffic says goodbye', async () => {
  const { a } = call(new FakeClock())
  a.port.rtp(speech(1), { ip: alice.ip, port: alice.rtpPort })
  await a.port.close()
  assert.equal(reports(a.rtcp).at(-1)?.type, 'bye')
})

test('after one side closed, the other relays to nobody', async () => {
  const { a, b } = call(new FakeClock())
  await b.port.close()
  a.port.rtp(speech(1), { ip: alice.ip, port: alice.rtpPort })
  assert.equal(b.rtp.length, 0)
})

test('20,000 hostile datagrams on both sockets change nothing but the counters', () => {
  const { a } = call(new FakeClock())
  let seed = 42
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    return (seed >>> 8) % below
  }
  for (let i = 0; i < 20_000; i++) {
    const bytes = i % 2 ? speech(random(65_536)) : printRtcp({ ssrc: 9, cname: 'x'.repeat(random(20)) })
    const cut = bytes.slice(0, random(bytes.length + 1))
    for (let change = random(8); change > 0 && cut.length > 0; change--) cut[random(cut.length)] = random(256)
    a.port.rtp(cut.slice(), { ip: alice.ip, port: alice.rtpPort })
    a.port.rtcp(cut, { ip: alice.ip, port: alice.rtcpPort })
  }
  assert.ok(a.port.stats().packetsRefused > 0)
})

test('a port is closed only when its file is, also when the recording was stopped just before', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-port-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const { port } = portWith(new FakeClock())
  port.describe({ remote: alice, receive: [pcmu], send: [] })
  port.record(join(folder, 'leg.wav'))
  port.rtp(speech(1), { ip: alice.ip, port: alice.rtpPort })
  let closed = false
  void port.stopRecording().then(() => (closed = true))
  await port.close()
  assert.ok(closed)
})

test('a call bridged since its early media misses no packet that overtook the answer in its recording', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-port-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const clock = new FakeClock()
  const a = portWith(clock, 0, true)
  const b = portWith(clock, 0, true)
  a.port.describe({ remote: alice, receive: [pcmu], send: [pcmu] })
  b.port.describe({ remote: bob, receive: [pcmu], send: [pcmu] })
  a.port.bridge(b.port)
  b.port.rtp(speech(1), { ip: bob.ip, port: bob.rtpPort })
  clock.advance(20)
  b.port.record(join(folder, 'callee.wav'))
  b.port.rtp(speech(2), { ip: bob.ip, port: bob.rtpPort })
  const file = await b.port.stopRecording()
  assert.equal(file?.samples, 320)
  assert.equal(file.startedAtMs, clock.wallMs() - 20)
})

test('a browser that speaks from two places by turns is told of a few times, then once a second', () => {
  const clock = new FakeClock()
  const { port, told } = portWith(clock)
  const local = { user: 'ours', password: 'our-password-of-22-chars' }
  const remote = { user: 'them', password: 'their-password-22-chars' }
  port.describe({ remote: alice, receive: [pcmu], send: [pcmu], ice: { local, remote } })
  const places = [4000, 4002].map((at) => ({ ip: alice.ip, port: at }))
  for (const place of places) port.rtp(printCheck({ username: 'ours:them', password: local.password }), place)
  for (let i = 0; i < 100; i++) {
    for (const place of places.slice(i % 2, (i % 2) + 1)) port.rtp(speech(i), place)
    clock.advance(20)
  }
  const started = told.filter((each) => (each as string[])[0] === 'media-started').length
  assert.ok(started >= 2 && started <= 10, `${started}`)
})

test('what came before the recording began is not kept either when it begins paused', async (t) => {
  const clock = new FakeClock()
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-port-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const { port, run } = portWith(clock, 0, true)
  port.describe({ remote: alice, receive: [pcmu], send: [] })
  const from = { ip: alice.ip, port: alice.rtpPort }
  const speak = (first: number, until: number): void => {
    for (let sequence = first; sequence < until; sequence++) {
      port.rtp(speech(sequence), from)
      run(20)
    }
  }
  speak(0, 10)
  port.pauseRecording(true)
  port.record(join(folder, 'a.wav'))
  speak(10, 20)
  port.pauseRecording(false)
  speak(20, 30)
  await port.stopRecording()
  const { pcm } = await readWav(join(folder, 'a.wav'))
  const sound = decodeG711('PCMU', payload)
  assert.equal(pcm.length, 30 * 160)
  assert.ok(pcm.subarray(0, 20 * 160).every((sample) => sample === 0))
  for (let index = 20; index < 30; index++) assert.deepEqual(pcm.slice(index * 160, (index + 1) * 160), sound)
})

/** A port that sends what another receives, to a recording server. */
function copyOf(clock: FakeClock, source: Port, send: readonly PayloadFormat[] = [pcmu, events(101)]) {
  const copy = portWith(clock)
  const remote = { ip: '192.0.2.3', rtpPort: 6000, rtcpPort: 6001 }
  copy.port.describe({ remote, receive: [], send, silent: true })
  copy.port.sendCopyOf(source)
  return copy
}

test('what a port receives is sent by another port as well, with the payload as it came', () => {
  const clock = new FakeClock()
  const { a, b } = call(clock, {}, { send: [pcma] })
  const copy = copyOf(clock, a.port)
  for (let i = 1; i <= 3; i++) a.port.rtp(speech(i), { ip: alice.ip, port: alice.rtpPort })
  b.port.rtp(speech(1), { ip: bob.ip, port: bob.rtpPort })
  assert.equal(copy.rtp.length, 3, 'what the other party says is not in it')
  assert.equal(copy.rtp[0]?.to, '192.0.2.3:6000')
  const sent = copy.rtp.map(parsed)
  assert.deepEqual(sent[2]?.bytes.slice(12), payload, 'the relayed copy is made over in place, this one is not')
  assert.equal(parsed(b.rtp[0]).payloadType, 8)
  assert.notEqual(sent[0]?.ssrc, parsed(b.rtp[0]).ssrc)
  assert.equal(((sent[2]?.sequence ?? 0) - (sent[0]?.sequence ?? 0)) & 0xffff, 2)
})

test('a copy goes on with its numbers when it is of somebody else, and stops when it is of nobody', async () => {
  const clock = new FakeClock()
  const { a, b } = call(clock)
  const copy = copyOf(clock, a.port)
  a.port.rtp(speech(1), { ip: alice.ip, port: alice.rtpPort })
  clock.advance(20)
  copy.port.sendCopyOf(b.port)
  a.port.rtp(speech(2), { ip: alice.ip, port: alice.rtpPort })
  b.port.rtp(speech(700, { ssrc: 9 }), { ip: bob.ip, port: bob.rtpPort })
  const [first, second, ...more] = copy.rtp.map(parsed)
  assert.deepEqual(more, [])
  assert.equal(second?.ssrc, first?.ssrc)
  assert.equal(((second?.sequence ?? 0) - (first?.sequence ?? 0)) & 0xffff, 1)
  copy.port.sendCopyOf(undefined)
  b.port.rtp(speech(701, { ssrc: 9 }), { ip: bob.ip, port: bob.rtpPort })
  assert.equal(copy.rtp.length, 2)
  copy.port.sendCopyOf(b.port)
  await b.port.close()
  await copy.port.close()
})

test('a paused copy leaves no hole in the numbers, and the time goes on', () => {
  const clock = new FakeClock()
  const { a } = call(clock)
  const copy = copyOf(clock, a.port)
  a.port.rtp(speech(1), { ip: alice.ip, port: alice.rtpPort })
  copy.port.describe({
    remote: { ip: '192.0.2.3', rtpPort: 6000, rtcpPort: 6001 },
    receive: [],
    send: [],
    silent: true,
  })
  for (let i = 2; i <= 50; i++) a.port.rtp(speech(i), { ip: alice.ip, port: alice.rtpPort })
  assert.equal(copy.rtp.length, 1)
  copy.port.describe({
    remote: { ip: '192.0.2.3', rtpPort: 6000, rtcpPort: 6001 },
    receive: [],
    send: [pcmu],
    silent: true,
  })
  a.port.rtp(speech(51), { ip: alice.ip, port: alice.rtpPort })
  const [first, second] = copy.rtp.map(parsed)
  assert.equal(((second?.sequence ?? 0) - (first?.sequence ?? 0)) & 0xffff, 1)
  assert.equal(((second?.timestamp ?? 0) - (first?.timestamp ?? 0)) >>> 0, 50 * 160)
})

test('a copy that is made over for its receiver leaves what the other party hears as it came', () => {
  const clock = new FakeClock()
  const { a, b } = call(clock)
  const copy = copyOf(clock, a.port, [pcma])
  a.port.rtp(speech(1), { ip: alice.ip, port: alice.rtpPort })
  assert.deepEqual(parsed(copy.rtp[0]).bytes.slice(12), encodeG711('PCMA', decodeG711('PCMU', payload)))
  assert.deepEqual(parsed(b.rtp[0]).bytes.slice(12), payload)
})
