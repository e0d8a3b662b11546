/**
 * What lies on the disk beside what was said, whatever the network and the senders do: each packet that came is where it
 * was said, the length is that of the call, and the legs stay together.
 *
 *   two senders ─▶ network ─▶ Port, Port ─▶ leg files ─▶ combined file ─▶ compared with the senders, sample for sample
 *
 * The first leg is always in order; the second is what the table says. Times are those of the world, ms from the first
 * packet.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { access, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { decodeG711, type G711Law } from '../codec/g711.ts'
import { readWav } from '../codec/wav.ts'
import { FakeClock } from '../core/fake-clock.ts'
import { silentLogger } from '../core/logger.ts'
import { FactBus } from '../events/bus.ts'
import type { RecordedFile } from '../media/types.ts'
import { FrameClock } from '../media/worker/frame-clock.ts'
import { Port } from '../media/worker/port.ts'
import { BlockPool } from '../media/worker/recording/block-pool.ts'
import { printRtp } from '../rtp/packet.ts'
import { digitPackets } from '../rtp/telephone-event.ts'
import type { Manifest } from './manifest.ts'
import { Recordings } from './service.ts'

const packetMs = 20
const frame = 160
const mostApart = frame // 20 ms

/** One packet as it is sent. */
interface Frame {
  /** What is said: a number from which its sound follows. */
  readonly said: number
  /** When its first sample was said. */
  readonly saidMs: number
  /** From when it was said to when it comes; undefined: it never does. */
  readonly delayMs: number | undefined
  readonly sequence: number
  readonly ticks: number
  readonly ssrc: number
  readonly law: G711Law
  /** Port of the sender. */
  readonly from: number
  /** Of the description that moves the port there before it comes. */
  readonly describes?: boolean
  readonly marker?: boolean
  /** Sent again this much later. */
  readonly againMs?: number
}

const first = { sequence: 65_500, ticks: 0xffff_8000, ssrc: 0xabcd, law: 'PCMU', from: 4000 } as const

/** `count` packets in order, from packet `at` on. */
const run = (at: number, count: number, changes: Partial<Frame> = {}): Frame[] =>
  Array.from({ length: count }, (_, i) => ({
    said: at + i,
    saidMs: (at + i) * packetMs,
    delayMs: 5,
    ...first,
    sequence: first.sequence + at + i,
    ticks: first.ticks + (at + i) * frame,
    ...changes,
  }))

const each = (frames: readonly Frame[], change: (frame: Frame, index: number) => Partial<Frame>): Frame[] =>
  frames.map((one, index) => ({ ...one, ...change(one, index) }))

const second = 50

interface Case {
  readonly frames: readonly Frame[]
  /** How far what came may lie from where it was said, ms; 0 when left out. */
  readonly apartMs?: number
}

/** Nothing is sent for a while; numbers go on where they stood, timestamps with the time. */
const quiet = (beforeMs: number): Frame[] => [
  ...run(0, second),
  ...each(run(second + beforeMs / packetMs, second), (_, i) => ({
    sequence: first.sequence + second + i,
    marker: i === 0,
  })),
]

/** Nothing is sent for a while, and numbers and timestamps stand still with it. */
const still = (ms: number, marker = false): Frame[] => [
  ...run(0, 2 * second),
  ...each(run(2 * second + ms / packetMs, 4 * second), (_, i) => ({
    sequence: first.sequence + 2 * second + i,
    ticks: first.ticks + (2 * second + i) * frame,
    marker: marker && i === 0,
  })),
]

/** The sender begins anew with other numbers after a while. */
const anew = (ms: number, changes: Partial<Frame> = {}): Frame[] => [
  ...run(0, 2 * second),
  ...each(run(2 * second + ms / packetMs, 2 * second), (_, i) => ({
    ssrc: 0x1234,
    sequence: 17 + i,
    ticks: 99_000 + i * frame,
    ...changes,
    describes: changes.describes === true && i === 0,
  })),
]

/** Numbers between 0 and 1 that look random. */
const chance = (index: number): number => ((Math.imul(index + 1, 2_654_435_761) >>> 8) & 0xffff) / 0x1_0000

const cases: Readonly<Record<string, Case>> = {
  'all in order, across the wraps of number and timestamp': { frames: run(0, 4 * second) },
  'one packet lost': { frames: each(run(0, 100), (_, i) => (i === 40 ? { delayMs: undefined } : {})) },
  'ten packets lost in a row': {
    frames: each(run(0, 100), (_, i) => (i >= 40 && i < 50 ? { delayMs: undefined } : {})),
  },
  'three seconds lost': { frames: [...run(0, second), ...run(4 * second, second)] },
  'two minutes lost': { frames: [...run(0, second), ...run(121 * second, second)] },
  'every tenth lost, at random': {
    frames: each(run(0, 400), (_, i) => (chance(i) < 0.1 && i > 0 ? { delayMs: undefined } : {})),
  },
  'packets overtake each other': { frames: each(run(0, 200), (_, i) => (i % 5 === 2 ? { delayMs: 70 } : {})) },
  'packets come twice': { frames: each(run(0, 200), (_, i) => (i % 4 === 1 ? { againMs: 130 } : {})) },
  'jitter of 80 ms': { frames: each(run(0, 400), (_, i) => ({ delayMs: 5 + 80 * chance(i) })), apartMs: 20 },
  'the network stands still for a second, then all comes at once': {
    frames: each(run(0, 300), ({ saidMs }) => (saidMs >= 2000 && saidMs < 3000 ? { delayMs: 3005 - saidMs } : {})),
  },
  'the network stands still for four seconds, then all comes at once': {
    frames: each(run(0, 500), ({ saidMs }) => (saidMs >= 2000 && saidMs < 6000 ? { delayMs: 6005 - saidMs } : {})),
  },
  'a queue on the way fills to a second and empties again': {
    frames: each(run(0, 600), (_, i) => ({ delayMs: 5 + Math.max(0, 1000 - Math.abs(i - 300) * 5) })),
  },
  'silence of 200 ms is not sent': { frames: quiet(200) },
  'silence of three seconds is not sent': { frames: quiet(3000) },
  'silence of five minutes is not sent': { frames: quiet(300_000) },
  'another source takes over at once': { frames: anew(0), apartMs: 20 },
  'another source takes over after 700 ms': { frames: anew(700), apartMs: 20 },
  'ten seconds of hold, then another source from the same port (an SBC that does not say so)': {
    frames: anew(10_000),
    apartMs: 20,
  },
  'ten seconds of hold, then from where a re-INVITE says': {
    frames: anew(10_000, { from: 4500, describes: true }),
    apartMs: 20,
  },
  'the sender moves without a gap, as a re-INVITE says': {
    frames: anew(0, { from: 4500, describes: true }),
    apartMs: 20,
  },
  'ten seconds of hold in which timestamps go on': { frames: quiet(10_000) },
  'ten seconds of hold in which timestamps stand still': { frames: still(10_000), apartMs: 20 },
  'timestamps stand still for 100 ms': { frames: still(100), apartMs: 20 },
  'timestamps stand still for 300 ms, and a talkspurt begins': { frames: still(300, true), apartMs: 20 },
  'timestamps stand still for a second': { frames: still(1000), apartMs: 20 },
  'timestamps stand still for 1.9 seconds': { frames: still(1900), apartMs: 20 },
  'the payload type changes from packet to packet': {
    frames: each(run(0, 200), (_, i) => ({ law: i % 3 === 0 ? 'PCMA' : 'PCMU' })),
  },
  'the law changes with a new source': { frames: anew(300, { law: 'PCMA' }), apartMs: 20 },
}

for (const [what, { frames, apartMs = 0 }] of Object.entries(cases))
  test(`as long as it was, and together with the other leg: ${what}`, async (t) => {
    const untilMs = Math.max(...frames.map(({ saidMs }) => saidMs)) + packetMs
    const clean = run(0, untilMs / packetMs, { ssrc: 7 })
    const wav = await recorded(t, [clean, frames])
    assert.ok(Math.abs(wav.samples - untilMs * 8) <= frame, `${wav.samples / 8} ms, not ${untilMs}`)
    assert.equal(farthest(clean, wav.channel(0), 0), 0)
    const apart = farthest(frames, wav.channel(1), apartMs * 8)
    assert.ok(apart <= Math.min(apartMs * 8, mostApart), `${apart / 8} ms apart`)
    assert.ok(isSilentBetween(frames, wav.channel(1), apartMs))
  })

test('digits in a PCMU call cost nothing but their own time', async (t) => {
  const spoken = [...run(0, second), ...run(2 * second, second)]
  const events = digitPackets('5', 200)
  assert.ok(events.length > 3)
  const ticks = first.ticks + second * frame
  const digits = events.map(({ payload, atMs }) => ({ payload, atMs: 1005 + atMs, ticks }))
  const wav = await recorded(t, [run(0, 3 * second, { ssrc: 7 }), spoken], digits)
  assert.ok(Math.abs(wav.samples - 3 * 8000) <= frame)
  assert.equal(farthest(spoken, wav.channel(1), 0), 0)
})

test('what still comes in for the call that had this port before is not in the recording', async (t) => {
  const stale = each(run(0, 12, { ssrc: 0xdead, from: 9999, delayMs: 1 }), (_, i) => ({
    said: 5000 + i,
    sequence: 5 + i,
    ticks: 123_456 + i * frame,
  }))
  const own = run(2, 3 * second)
  const wav = await recorded(t, [run(0, 3 * second + 2, { ssrc: 7 }), [...stale, ...own]])
  assert.ok(farthest(own, wav.channel(1), mostApart) <= mostApart)
  for (const { said, law } of stale) assert.equal(placeOf(soundOf(said, law), wav.channel(1)), undefined)
})

test('how far the clock of a sender is off is told with its leg, and the channels have one length', async (t) => {
  const untilMs = 100_000
  const slow = each(run(0, untilMs / packetMs), ({ saidMs }, i) => ({
    saidMs: saidMs * (1 + 200e-6),
    delayMs: 5 + 20 * chance(i),
  }))
  const wav = await recorded(t, [run(0, untilMs / packetMs, { ssrc: 7 }), slow])
  const [first = 1, second = 1] = wav.tracks.map(({ driftPpm = Number.NaN }) => driftPpm)
  assert.ok(Math.abs(first) < 0.1 && Math.abs(second - 200) < 20, `${first} and ${second} ppm`)
  assert.ok(Math.abs(wav.samples - (untilMs + 20) * 8) < 40, `${wav.samples / 8} ms`)
})

test('packets that this thread reads late, when it was busy, are where they were said', async (t) => {
  // From the first second on each packet is read 300 ms late, as if the sender had stood still for so long.
  const frames = each(run(0, 300), (_, i) => (i >= 50 ? { delayMs: 305 } : {}))
  const wav = await recorded(t, [run(0, 300, { ssrc: 7 }), frames], [], [1075, 1390])
  assert.equal(farthest(frames, wav.channel(1), 0), 0)
})

/** What packet number `said` sounds like: like no other. */
function payloadOf(said: number): Uint8Array {
  return Uint8Array.from({ length: frame }, (_, i) => {
    const mixed = Math.imul(said * frame + i + 1, 2_246_822_519)
    return (Math.imul(mixed ^ (mixed >>> 15), 3_266_489_917) >>> 13) & 0xff
  })
}

const soundOf = (said: number, law: G711Law): Int16Array => decodeG711(law, payloadOf(said))

interface Datagram {
  readonly atMs: number
  readonly bytes: Uint8Array
  readonly from: number
  readonly describes: boolean
}

function datagramsOf(frames: readonly Frame[]): Datagram[] {
  return frames.flatMap(({ delayMs, againMs, ...one }) => {
    if (delayMs === undefined) return []
    const header = {
      sequence: one.sequence & 0xffff,
      timestamp: one.ticks >>> 0,
      ssrc: one.ssrc,
      marker: one.marker === true,
      payloadType: one.law === 'PCMU' ? 0 : 8,
    }
    // A packet leaves when its last sample was said.
    const atMs = one.saidMs + packetMs + delayMs
    const sent = { bytes: printRtp(header, payloadOf(one.said)), from: one.from, describes: one.describes === true }
    return [{ ...sent, atMs }, ...(againMs === undefined ? [] : [{ ...sent, atMs: atMs + againMs }])]
  })
}

const formats = [
  { payloadType: 0, encoding: 'PCMU', clockRateHz: 8000 },
  { payloadType: 8, encoding: 'PCMA', clockRateHz: 8000 },
  { payloadType: 101, encoding: 'telephone-event', clockRateHz: 8000 },
]

interface Digit {
  readonly payload: Uint8Array
  readonly atMs: number
  readonly ticks: number
}

/** The combined file of a call whose legs are sent this. */
async function recorded(
  t: TestContext,
  legs: readonly (readonly Frame[])[],
  digits: readonly Digit[] = [],
  busy: readonly [fromMs: number, untilMs: number] = [0, 0],
) {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-truth-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const clock = new FakeClock()
  const blocks = new BlockPool()
  const frames = new FrameClock(clock)
  const wallOffsetMs = clock.wallMs() - clock.now()
  const ports = legs.map(() => {
    const port = new Port({
      cname: 'call',
      inactiveAfterMs: 0,
      recordedLater: false,
      clock,
      wallAt: (nowMs) => wallOffsetMs + nowMs,
      blocks,
      frames,
      jitter: { minMs: 40, maxMs: 200 },
      tell: () => undefined,
    })
    describe(port, 4000)
    return port
  })
  const bus = new FactBus()
  const recordings = new Recordings({ folder, bus, clock, log: silentLogger })
  const recording = recordings.start({
    callId: 'call',
    name: 'call',
    tracks: ports.map((port, i) => ({ legId: `${i}`, role: 'stream', label: `${i}`, port: trackOf(port) })),
  })
  const pressed = digits.map(({ payload, atMs, ticks }, i) => {
    const sequence = (first.sequence + 500 + i) & 0xffff
    const header = { sequence, timestamp: ticks >>> 0, ssrc: first.ssrc, marker: i === 0, payloadType: 101 }
    return { port: ports[1], atMs, bytes: printRtp(header, payload), from: 4000, describes: false }
  })
  const coming = legs
    .flatMap((leg, i) => datagramsOf(leg).map((datagram) => Object.assign(datagram, { port: ports[i] })))
    .concat(pressed)
    .toSorted((a, b) => a.atMs - b.atMs)
  const startMs = clock.now()
  let tickMs = 50
  const passUntil = (ms: number): void => {
    for (; tickMs <= ms; tickMs += 50) {
      clock.advance(startMs + tickMs - clock.now())
      if (tickMs > busy[0] && tickMs < busy[1]) continue
      for (const port of ports) port.tick(clock.now())
    }
    clock.advance(startMs + ms - clock.now())
  }
  for (const { atMs, port, bytes, from, describes } of coming) {
    passUntil(atMs)
    // The disk is real: who waits for an answer of it lets it write.
    if (atMs % 100 < 20) await access(folder)
    if (describes && port) describe(port, from)
    port?.rtp(bytes, { ip: '192.0.2.1', port: from })
  }
  passUntil((coming.at(-1)?.atMs ?? 0) + 1000)
  await recording.stop()
  const wav = await readWav(join(folder, 'call.wav'))
  const { tracks } = JSON.parse(await readFile(join(folder, 'call.json'), 'utf8')) as Manifest
  return Object.assign(wav, { tracks })
}

const describe = (port: Port, rtpPort: number): void =>
  port.describe({ remote: { ip: '192.0.2.1', rtpPort, rtcpPort: rtpPort + 1 }, receive: formats, send: [] })

const trackOf = (port: Port) => ({
  record: (path: string) => port.record(path),
  pauseRecording: (on: boolean) => port.pauseRecording(on),
  stopRecording: (): Promise<RecordedFile | undefined> => port.stopRecording(),
  stats: () => Promise.resolve(port.stats()),
  hearTones: () => undefined,
  on: () => () => undefined,
})

/** How many samples the packet farthest from its place is off; more than `most` when one is not found. */
function farthest(frames: readonly Frame[], channel: Int16Array, most: number): number {
  let worst = 0
  for (const { said, saidMs, law, delayMs } of frames) {
    if (delayMs === undefined) continue
    const sound = soundOf(said, law)
    const place = saidMs * 8
    let apart = 0
    while (apart <= most && !isAt(sound, channel, place + apart) && !isAt(sound, channel, place - apart)) apart++
    if (apart > most) return Number.POSITIVE_INFINITY
    worst = Math.max(worst, apart)
  }
  return worst
}

const isAt = (sound: Int16Array, channel: Int16Array, place: number): boolean =>
  sound.every((sample, i) => channel[place + i] === sample)

function placeOf(sound: Int16Array, channel: Int16Array): number | undefined {
  for (let place = 0; place + frame <= channel.length; place++) if (isAt(sound, channel, place)) return place
  return undefined
}

/** Where nothing came nothing is. */
function isSilentBetween(frames: readonly Frame[], channel: Int16Array, apartMs: number): boolean {
  const covered = new Uint8Array(channel.length)
  for (const { saidMs, delayMs } of frames) {
    if (delayMs !== undefined) covered.fill(1, Math.max(0, (saidMs - apartMs) * 8), (saidMs + packetMs + apartMs) * 8)
  }
  return channel.every((sample, i) => sample === 0 || covered[i] === 1)
}
