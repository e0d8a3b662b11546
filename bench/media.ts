/**
 * Packets through one media worker over loopback: what receiving, recording and relaying costs.
 *
 * Packets are paced, 50 a second a stream; the CPU time is that of the worker's thread alone. Sender and sink share
 * this machine's cores with it.
 *
 *   npm run bench -- media --streams 200 --seconds 5
 */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { silentLogger } from '../src/core/logger.ts'
import { createMediaPlane } from '../src/media/plane.ts'
import type { MediaPort } from '../src/media/types.ts'
import { rtpHeaderBytes, writeRtpHeader } from '../src/rtp/packet.ts'
import { pace } from './siprec-load/pacer.ts'
import { fillPayload, frameBytes } from './siprec-load/payload.ts'

const { values } = parseArgs({
  options: { streams: { type: 'string', default: '200' }, seconds: { type: 'string', default: '5' } },
})
const streams = Number(values.streams) & ~1
const packetsEach = Number(values.seconds) * 50
const ip = '127.0.0.1'
const pcmu = { payloadType: 0, encoding: 'PCMU', clockRateHz: 8000 } as const
const folder = mkdtempSync(join(tmpdir(), 'patchbay-bench-'))

interface Kind {
  readonly name: string
  readonly record: boolean
  readonly relay: boolean
}

const kinds: readonly Kind[] = [
  { name: 'receive', record: false, relay: false },
  { name: 'receive and record', record: true, relay: false },
  { name: 'relay', record: false, relay: true },
  { name: 'relay and record', record: true, relay: true },
]

/** Sends all streams and takes what is relayed, in the main thread: it is not part of what is measured. */
async function sinkSocket(): Promise<Socket> {
  const socket = createSocket('udp4')
  socket.bind(0, ip)
  await once(socket, 'listening')
  return socket
}

function send(from: Socket, stream: number, packet: number, to: MediaPort): void {
  const bytes = Buffer.allocUnsafe(rtpHeaderBytes + frameBytes)
  const timestamp = packet * frameBytes
  writeRtpHeader(bytes, 0, { marker: packet === 0, payloadType: 0, sequence: packet & 0xffff, timestamp, ssrc: stream })
  fillPayload(stream, packet, bytes, rtpHeaderBytes)
  from.send(bytes, to.address.rtpPort, to.address.ip)
}

async function measure({ name, record, relay }: Kind): Promise<string> {
  const settings = { workers: 1, bindIp: ip, portMin: 10_000, portMax: 10_000 + streams * 3 }
  const plane = await createMediaPlane(settings, { log: silentLogger })
  const sink = await sinkSocket()
  const session = plane.openSession(name)
  const ports: MediaPort[] = []
  for (let i = 0; i < streams; i++) {
    const port = await session.openPort()
    const remote = { ip, rtpPort: sink.address().port, rtcpPort: sink.address().port }
    port.describe({ remote, receive: [pcmu], send: relay ? [pcmu] : [] })
    if (record) port.record(join(folder, `${name} ${i}.wav`))
    ports.push(port)
  }
  if (relay) for (let i = 0; i < streams; i += 2) session.bridge(ports[i] as MediaPort, ports[i + 1] as MediaPort)
  const [before] = await plane.stats()
  const pacing = await pace(streams, packetsEach, (stream, packet) =>
    send(sink, stream, packet, ports[stream] as MediaPort),
  )
  await new Promise((resolve) => setTimeout(resolve, 500)) // what is still in the sockets
  const [after] = await plane.stats()
  if (!before || !after) throw new Error('the worker is gone')
  await session.close()
  await plane.close()
  sink.close()
  const received = after.packetsReceived
  return [
    name.padEnd(20),
    ((1000 * (after.cpuMs - before.cpuMs)) / received).toFixed(1).padStart(12),
    String(pacing.packets - received).padStart(7),
    after.loopDelayP99Ms.toFixed(1).padStart(20),
    `${pacing.lateP99Ms}/${pacing.lateMaxMs.toFixed(0)}`.padStart(24),
  ].join('')
}

try {
  console.log(`${cpus()[0]?.model}, ${availableParallelism()} cores, Node ${process.version}`)
  console.log(`${streams} streams, ${packetsEach} packets each, one worker\n`)
  console.log('what                   µs/packet   lost   loop delay p99 ms   sender late p99/max ms')
  for (const kind of kinds) console.log(await measure(kind))
} finally {
  rmSync(folder, { recursive: true })
}
