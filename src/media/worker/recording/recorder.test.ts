import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { findCodec } from '../../../codec/codecs.ts'
import { decodeG711, type G711Law } from '../../../codec/g711.ts'
import { readWav, readWavHeader, wavHeaderBytes } from '../../../codec/wav.ts'
import type { RecordedFile } from '../../types.ts'
import { BlockPool, blockSamples } from './block-pool.ts'
import { Recorder } from './recorder.ts'

const folder = mkdtempSync(join(tmpdir(), 'patchbay-recorder-'))
after(() => rmSync(folder, { recursive: true }))

const startedAtMs = Date.UTC(2026, 10, 20, 10)
const frame = 160

interface Sent {
  ssrc: number
  /** Counts without wrapping; the packet carries its lowest 16 bits. */
  index: number
  /** Ticks from `firstTimestamp`; the packet carries it modulo 2^32. */
  ticks: number
  atMs: number
  law?: G711Law
  samples?: number
}

let files = 0

/** Packets that any reader can make again: each sample depends on source, index and place. */
function payload(packet: Sent): Uint8Array {
  return Uint8Array.from(
    { length: packet.samples ?? frame },
    (_, i) => (packet.ssrc * 31 + packet.index * 7 + i * 13) & 0xff,
  )
}

const formats = {
  PCMU: { encoding: 'PCMU', clockRateHz: 8000, codec: findCodec('PCMU', 8000) },
  PCMA: { encoding: 'PCMA', clockRateHz: 8000, codec: findCodec('PCMA', 8000) },
}

const g711 = (law: G711Law, bytes: Uint8Array) => ({
  format: formats[law],
  ticks: bytes.length,
  payloadType: 0,
  marker: false,
  bytes,
  from: 0,
  to: bytes.length,
})

/** Blocks that still hold what another recording left in them. */
function usedBlocks(): BlockPool {
  const blocks = new BlockPool()
  for (let i = 0; i < 4; i++) blocks.giveBack(new Int16Array(blockSamples).fill(-12_345))
  return blocks
}

interface Recorded {
  readonly file: RecordedFile | undefined
  readonly path: string
  readonly failures: readonly string[]
}

async function write(
  packets: readonly Sent[],
  firstTimestamp = 0xffff_f000,
  firstSequence = 65_500,
): Promise<Recorded> {
  const path = join(folder, `${files++}.wav`)
  const failures: string[] = []
  const recorder = new Recorder(
    {
      path,
      blocks: usedBlocks(),
      wallAt: (nowMs) => startedAtMs + nowMs,
      failed: (text) => failures.push(text),
    },
    0,
  )
  let nowMs = 0
  for (const packet of packets) {
    for (; nowMs <= packet.atMs; nowMs += 50) recorder.tick(nowMs)
    const bytes = Buffer.from(payload(packet)) // as sockets give them
    recorder.packet(
      {
        ssrc: packet.ssrc,
        sequence: (firstSequence + packet.index) & 0xffff,
        timestamp: (firstTimestamp + packet.ticks) >>> 0,
        ...g711(packet.law ?? 'PCMU', bytes),
      },
      packet.atMs,
    )
    bytes.fill(0) // the port may change them afterwards
  }
  for (const untilMs = nowMs + 1000; nowMs <= untilMs; nowMs += 50) recorder.tick(nowMs)
  return { file: await recorder.close(), path, failures }
}

async function record(...what: Parameters<typeof write>): Promise<Recorded & { readonly pcm: Int16Array }> {
  const recorded = await write(...what)
  assert.ok((recorded.file?.samples ?? 0) < 10_000_000, `${recorded.file?.samples} samples`)
  return { ...recorded, pcm: (await readWav(recorded.path)).pcm }
}

const changed = (packet: Sent, changes: Partial<Sent>): Sent => ({ ...packet, ...changes })

/** Consecutive packets of one source, from packet `from` to before `to`, each on time. */
const run = (from: number, to: number, ssrc = 1, startMs = 0): Sent[] =>
  Array.from({ length: to - from }, (_, i) => ({
    ssrc,
    index: from + i,
    ticks: (from + i) * frame,
    atMs: startMs + (from + i) * 20,
  }))

/** What a file must hold: each packet at its place, silence between. */
function expected(placed: readonly (readonly [Sent, number])[]): Int16Array {
  const origin = Math.min(...placed.map(([, position]) => position))
  const end = Math.max(...placed.map(([packet, position]) => position + (packet.samples ?? frame)))
  const pcm = new Int16Array(end - origin)
  for (const [packet, position] of placed) pcm.set(decodeG711(packet.law ?? 'PCMU', payload(packet)), position - origin)
  return pcm
}

/** As deepEqual, which draws a picture of half a million samples when they differ. */
function assertSame(actual: Int16Array, model: Int16Array, which = ''): void {
  const at = actual.findIndex((sample, i) => sample !== model[i])
  assert.equal(at, -1, `${which} differs first at sample ${at}, packet ${at / frame}`)
  assert.equal(actual.length, model.length, which)
}

const byTicks = (packets: readonly Sent[]): Int16Array => expected(packets.map((packet) => [packet, packet.ticks]))

test('what came is what is stored, sample for sample, across the wraps of sequence number and timestamp', async () => {
  const packets = run(0, 200)
  const { file, pcm, path } = await record(packets)
  assertSame(pcm, byTicks(packets))
  assert.deepEqual(file, {
    path,
    sampleRateHz: 8000,
    channels: 1,
    samples: 200 * frame,
    bytes: wavHeaderBytes + 200 * frame * 2,
    startedAtMs,
    missingSamples: 0,
  })
  assert.equal(statSync(path).size, file?.bytes)
  assert.equal(readWavHeader(readFileSync(path))?.startedAtMs, startedAtMs)
})

test('a lost packet is silence of its length, and counted', async () => {
  const packets = run(0, 100).filter(({ index }) => index % 7 !== 3)
  const { file, pcm } = await record(packets)
  assertSame(pcm, byTicks(packets))
  assert.equal(file?.missingSamples, 14 * frame)
})

test('300 seeded patterns of loss, doubling, delay and bursts are stored as a slow model says', async () => {
  for (let seed = 1; seed <= 300; seed++) {
    let state = seed * 2_654_435_761
    const random = (): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      return state / 2 ** 32
    }
    const rate = { loss: random() * 0.3, twice: random() * 0.2, late: random() * 0.2, lateMs: random() * 1500 }
    const samples = [80, 160, 240][seed % 3] ?? frame
    const sent: Sent[] = []
    for (let index = 0, ticks = 0, atMs = 0; index < 120; index++) {
      sent.push({ ssrc: 1, index, ticks, atMs: atMs + random() * 30, samples, law: seed % 2 ? 'PCMU' : 'PCMA' })
      const silentMs = random() < 0.02 ? Math.floor(random() * 3000) * (samples / 8) : 0
      ticks += samples + silentMs * 8
      atMs += samples / 8 + silentMs
    }
    // The first packet to come fixes where the file may begin: what overtook it by more than 200 ms is another test.
    const came = sent
      .filter(({ index }) => index === 0 || random() >= rate.loss)
      .flatMap((packet) =>
        random() < rate.twice ? [packet, changed(packet, { atMs: packet.atMs + random() * 400 })] : [packet],
      )
      .map((packet) =>
        packet.index > 10 && random() < rate.late
          ? changed(packet, { atMs: packet.atMs + random() * rate.lateMs })
          : packet,
      )
      .sort((a, b) => a.atMs - b.atMs)
    const { pcm, file } = await record(came, state, seed * 977)
    const unique = new Map(came.map((packet) => [packet.index, packet]))
    assertSame(pcm, byTicks([...unique.values()]), `seed ${seed}`)
    assert.equal(file?.missingSamples, pcm.length - unique.size * samples, `seed ${seed}`)
  }
})

test('packets that overtook the first one still land before it, and the file begins with them', async () => {
  const packets = run(0, 60)
  const [a, b, c] = [packets[0], packets[1], packets[2]]
  assert.ok(a && b && c)
  const swapped = [c, a, b, ...packets.slice(3)].map((packet, i) => changed(packet, { atMs: 100 + i * 20 }))
  const { pcm, file } = await record(swapped)
  assertSame(pcm, byTicks(packets))
  assert.equal(file?.startedAtMs, startedAtMs + 100 - 40)
})

test('what was lost between an overtaken packet and the first to come is silence', async () => {
  const packets = run(0, 60).filter(({ index }) => index !== 1 && index !== 2)
  const [overtaken, first, ...rest] = packets
  assert.ok(overtaken && first)
  const { pcm } = await record([first, changed(overtaken, { atMs: first.atMs + 5 }), ...rest])
  assertSame(pcm, byTicks(packets))
})

test('a packet that comes half a minute late lands in place, over the silence that was written for it', async () => {
  const packets = run(0, 1500)
  const late = packets.splice(10, 1)[0]
  assert.ok(late)
  packets.push({ ...late, atMs: 30_500 })
  const { pcm, file } = await record(packets)
  assertSame(pcm, byTicks(packets))
  assert.equal(file?.missingSamples, 0)
})

test('silence that was not sent keeps its time, and takes no room on the disk', async () => {
  const packets = [...run(0, 50), ...run(30_000, 30_050)].map((packet) =>
    changed(packet, { index: packet.index < 50 ? packet.index : packet.index - 29_950 }),
  )
  const { pcm, path } = await record(packets)
  assertSame(pcm, byTicks(packets))
  const { size, blocks } = statSync(path)
  assert.ok(blocks * 512 < size / 10, `${blocks * 512} bytes on disk for ${size}`)
})

test('another source goes on without a gap when it follows at once', async () => {
  const first = run(0, 50)
  const second = run(0, 50, 2, 1015).map((packet) => changed(packet, { ticks: packet.ticks + 777_777 }))
  const { pcm } = await record([...first, ...second])
  const follows = second.map((packet) => [packet, packet.ticks - 777_777 + 8000] as const)
  assertSame(pcm, expected([...first.map((packet) => [packet, packet.ticks] as const), ...follows]))
})

test('another source that begins later begins where the clock says', async () => {
  const first = run(0, 50)
  const second = run(0, 50, 2, 5000)
  const { pcm } = await record([...first, ...second])
  const later = second.map((packet) => [packet, packet.ticks + 40_000] as const)
  assertSame(pcm, expected([...first.map((packet) => [packet, packet.ticks] as const), ...later]))
})

test('a late packet of the source before lands by its own time line', async () => {
  const first = run(0, 50)
  const late = first.splice(20, 1)[0]
  assert.ok(late)
  const second = run(0, 50, 2, 1000)
  const packets = [...first, ...second.slice(0, 5), { ...late, atMs: 1090 }, ...second.slice(5)]
  const { pcm } = await record(packets)
  const placed = [late, ...first].map((packet) => [packet, packet.ticks] as const)
  assertSame(pcm, expected([...placed, ...second.map((packet) => [packet, packet.ticks + 8000] as const)]))
})

test('a stall of three seconds moves no sample: what comes after it in a burst is in time', async () => {
  const packets = run(0, 400).map((packet) =>
    changed(packet, { atMs: packet.atMs > 2000 && packet.atMs < 5000 ? 5000 : packet.atMs }),
  )
  const { pcm } = await record(packets)
  assertSame(pcm, byTicks(packets))
})

test('a sender that stood still on hold and counts on is joined where the clock says', async () => {
  const before = run(0, 100)
  const afterHold = run(100, 200, 1, 30_000)
  const { pcm } = await record([...before, ...afterHold])
  assertSame(
    pcm,
    expected([
      ...before.map((packet) => [packet, packet.ticks] as const),
      ...afterHold.map((packet) => [packet, packet.ticks + 240_000] as const),
    ]),
  )
})

test('a sender that jumps to other timestamps goes on without a gap', async () => {
  for (const jump of [5_000_000, -3_000_000]) {
    const before = run(0, 100)
    const jumped = run(100, 200).map((packet) => changed(packet, { ticks: packet.ticks + jump }))
    const { pcm } = await record([...before, ...jumped])
    assertSame(
      pcm,
      expected([
        ...before.map((packet) => [packet, packet.ticks] as const),
        ...jumped.map((packet) => [packet, packet.ticks - jump] as const),
      ]),
      `jump of ${jump}`,
    )
  }
})

test('a stray timestamp makes no gap and costs only its own packet', async () => {
  const packets = run(0, 200)
  const stray = { ...run(100, 101)[0], ssrc: 1, index: 100, ticks: 800_000_000, atMs: 2000 }
  const { pcm } = await record([...packets.slice(0, 100), stray, ...packets.slice(101)])
  assertSame(pcm, byTicks(packets.filter(({ index }) => index !== 100)))
})

test('hostile timestamps make a file no longer than the packets and the time they took', async () => {
  const packets = run(0, 500).map((packet) => changed(packet, { ticks: (packet.index * 2_654_435_761) % 2 ** 32 }))
  const { pcm } = await record(packets)
  assert.ok(pcm.length < 2 * 500 * frame, `${pcm.length} samples`)
})

test('audio that is sent faster than time runs is stored as it was sent', async () => {
  const packets = run(0, 1000).map((packet) => changed(packet, { atMs: packet.index / 10 }))
  const { pcm } = await record(packets.filter(({ index }) => index % 9 !== 4))
  assertSame(pcm, byTicks(packets.filter(({ index }) => index % 9 !== 4)))
})

test('a sender whose clock is 500 ppm slow for three hours is never doubted', async () => {
  const packets = Array.from({ length: 10_800 }, (_, i) => ({
    ssrc: 1,
    index: i,
    ticks: i * 8000,
    atMs: i * 1000.5,
    samples: 8,
  }))
  const { file } = await write(packets)
  assert.equal(file?.samples, 10_799 * 8000 + 8)
})

test('the law may change from packet to packet', async () => {
  const packets = run(0, 60).map((packet) => changed(packet, { law: packet.index % 2 ? 'PCMA' : 'PCMU' }))
  const { pcm } = await record(packets)
  assertSame(pcm, byTicks(packets))
})

test('no packet, no file', async () => {
  const { file, path } = await write([])
  assert.equal(file, undefined)
  assert.throws(() => statSync(path), { code: 'ENOENT' })
})

test('half a second after it came, speech is in the file with its time, though nobody closed it', async () => {
  const path = join(folder, 'open.wav')
  const options = { path, blocks: usedBlocks(), wallAt: () => startedAtMs, failed: assert.fail }
  const recorder = new Recorder(options, 0)
  const [overtaken, first] = run(0, 2)
  assert.ok(overtaken && first)
  for (const packet of [first, overtaken]) {
    const header = { ssrc: 1, sequence: packet.index, timestamp: packet.ticks }
    recorder.packet({ ...header, ...g711('PCMU', payload(packet)) }, 10)
  }
  recorder.tick(499)
  recorder.tick(500)
  const complete = (): boolean => {
    const bytes = statSync(path, { throwIfNoEntry: false }) ? readFileSync(path) : Buffer.alloc(0)
    const header = readWavHeader(bytes)
    return header?.samples === 2 * frame && header.startedAtMs === startedAtMs - 20
  }
  while (!complete()) await setImmediate()
  assertSame((await readWav(path)).pcm, byTicks([overtaken, first]))
  await recorder.close()
})

test('a file that cannot be made is told once and nothing else happens', async () => {
  const path = join(folder, 'taken.wav')
  mkdirSync(path)
  const failures: string[] = []
  const failed = (text: string): unknown => failures.push(text)
  const recorder = new Recorder({ path, blocks: new BlockPool(), wallAt: () => 0, failed }, 0)
  for (const { index } of run(0, 100)) {
    const header = { ssrc: 1, sequence: index, timestamp: index * frame }
    recorder.packet({ ...header, ...g711('PCMU', new Uint8Array(frame)) }, index * 20)
    recorder.tick(index * 20)
  }
  assert.equal(await recorder.close(), undefined)
  assert.equal(failures.length, 1)
  assert.match(failures[0] ?? '', /EEXIST/)
})
