/**
 * The path of a packet through two bridged ports, without sockets: what each way costs in time and in memory.
 *
 * Packets are made beforehand and sent as fast as they are taken; the clock that ports see goes on by 20 ms for each of
 * them, and its ticks are counted to the packet. Memory is what the heap grew by, garbage collection kept away meanwhile.
 *
 *   npm run bench -- media-port
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { findCodec } from '../src/codec/codecs.ts'
import { FakeClock } from '../src/core/fake-clock.ts'
import type { PayloadFormat } from '../src/media/types.ts'
import { FrameClock } from '../src/media/worker/frame-clock.ts'
import { Port } from '../src/media/worker/port.ts'
import { BlockPool } from '../src/media/worker/recording/block-pool.ts'
import { fakeSockets } from '../src/media/worker/test-sockets.ts'
import { printRtp, writeRtpHeader } from '../src/rtp/packet.ts'

const packets = 4000
const rounds = 5
const warmUps = 3

setFlagsFromString('--expose-gc')
setFlagsFromString('--semi-space-growth-factor=1')
const collect = runInNewContext('gc') as () => void

const pcmu: PayloadFormat = { payloadType: 0, encoding: 'PCMU', clockRateHz: 8000 }
const pcma: PayloadFormat = { payloadType: 8, encoding: 'PCMA', clockRateHz: 8000 }
const g722: PayloadFormat = { payloadType: 9, encoding: 'G722', clockRateHz: 8000 }
const opus: PayloadFormat = { payloadType: 111, encoding: 'opus', clockRateHz: 48_000, channels: 2 }

interface Way {
  readonly name: string
  readonly from: PayloadFormat
  readonly to?: PayloadFormat
  readonly record?: boolean
}

const ways: readonly Way[] = [
  { name: 'receive', from: pcmu },
  { name: 'receive and record', from: pcmu, record: true },
  { name: 'relay', from: pcmu, to: pcmu },
  { name: 'relay, other law', from: pcmu, to: pcma },
  { name: 'relay and record', from: pcmu, to: pcmu, record: true },
  { name: 'relay Opus', from: opus, to: opus },
  { name: 'PCMU to G.722', from: pcmu, to: g722 },
  { name: 'G.722 to PCMU', from: g722, to: pcmu },
  { name: 'PCMU to Opus', from: pcmu, to: opus },
  { name: 'Opus to PCMU', from: opus, to: pcmu },
  { name: 'G.722 to Opus', from: g722, to: opus },
]

const folder = mkdtempSync(join(tmpdir(), 'patchbay-bench-'))
const source = { ip: '192.0.2.1', port: 4000 }
const remote = { ip: source.ip, rtpPort: source.port, rtcpPort: source.port + 1 }

/** One packet of a tone. */
function packetOf({ encoding, clockRateHz, channels, payloadType }: PayloadFormat): Uint8Array {
  const codec = findCodec(encoding, clockRateHz, channels)
  if (!codec) throw new Error(encoding)
  const samples = Int16Array.from({ length: codec.sampleRateHz / 50 }, (_, i) =>
    Math.round(8000 * Math.sin((2 * Math.PI * 1000 * i) / codec.sampleRateHz)),
  )
  const payload = new Uint8Array(1400)
  const bytes = codec.createEncoder().encode(samples, 0, samples.length, payload, 0)
  return printRtp({ marker: false, payloadType, sequence: 0, timestamp: 0, ssrc: 7 }, payload.subarray(0, bytes))
}

function measure({ name, from, to, record }: Way): string {
  const clock = new FakeClock()
  const frames = new FrameClock(clock)
  const blocks = new BlockPool()
  let sent = 0
  const newPort = (receive: PayloadFormat, send: readonly PayloadFormat[]): Port => {
    const port = new Port({
      cname: 'bench',
      inactiveAfterMs: 0,
      recordedLater: false,
      clock,
      wallAt: (nowMs) => nowMs,
      blocks,
      frames,
      jitter: { minMs: 20, maxMs: 200 },
      tell: () => {},
    })
    port.attach(fakeSockets({ sendRtp: () => void sent++ }))
    port.describe({ remote, receive: [receive], send })
    return port
  }
  const port = newPort(from, [])
  if (to) port.bridge(newPort(to, [to]))
  if (record) port.record(join(folder, `${name}.wav`))
  const template = packetOf(from)
  const bytes = new Uint8Array(template.length)
  const header = { marker: false, payloadType: from.payloadType, sequence: 0, timestamp: 0, ssrc: 7 }
  const run = (): void => {
    for (let i = 0; i < packets; i++) {
      bytes.set(template)
      header.sequence = (header.sequence + 1) & 0xffff
      header.timestamp = (header.timestamp + from.clockRateHz / 50) >>> 0
      writeRtpHeader(bytes, 0, header)
      port.rtp(bytes, source)
      clock.advance(20)
    }
  }
  for (let i = 0; i < warmUps; i++) run()
  const times: number[] = []
  const grown: number[] = []
  for (let i = 0; i < rounds; i++) {
    collect()
    const before = process.memoryUsage().heapUsed
    const beganMs = performance.now()
    run()
    times.push((1000 * (performance.now() - beganMs)) / packets)
    grown.push((process.memoryUsage().heapUsed - before) / packets)
  }
  if (to && sent < packets * (rounds + warmUps) * 0.99) throw new Error(`${name}: only ${sent} packets came out`)
  return [
    name.padEnd(22),
    Math.min(...times)
      .toFixed(2)
      .padStart(10),
    Math.max(0, Math.min(...grown.filter((bytes) => bytes > -1)))
      .toFixed(0)
      .padStart(14),
  ].join('')
}

try {
  console.log(`${cpus()[0]?.model}, ${availableParallelism()} cores, Node ${process.version}`)
  console.log(`the best of ${rounds} times ${packets} packets of 20 ms\n`)
  console.log('way                     µs/packet  bytes/packet')
  for (const way of ways) console.log(measure(way))
} finally {
  rmSync(folder, { recursive: true })
}
