/** One media worker in a process of its own, for bench/media: opens its ports, says so, and works until its input ends. */
import { once } from 'node:events'
import { silentLogger } from '../../src/core/logger.ts'
import { createMediaPlane } from '../../src/media/plane.ts'
import type { IoKind, MediaPort } from '../../src/media/types.ts'
import { fileOf, type Job, records, relays } from './kinds.ts'

export interface WorkerJob extends Job {
  readonly io: IoKind
  readonly pollMs: number
}

const { kind, streams, peerPort, folder, io, pollMs } = JSON.parse(process.argv[2] ?? '') as WorkerJob
const ip = '127.0.0.1'
const pcmu = { payloadType: 0, encoding: 'PCMU', clockRateHz: 8000 } as const
const settings = { workers: 1, bindIp: ip, portMin: 1024, portMax: 32_000, io, pollMs }
const plane = await createMediaPlane(settings, { log: silentLogger })
const session = plane.openSession('bench')
const ports: MediaPort[] = []
for (let i = 0; i < streams; i++) {
  const port = await session.openPort()
  const remote = { ip, rtpPort: peerPort, rtcpPort: peerPort }
  port.describe({ remote, receive: [pcmu], send: relays(kind) ? [pcmu] : [] })
  if (records(kind)) port.record(fileOf(folder, i))
  ports.push(port)
}
if (relays(kind)) for (let i = 0; i < streams; i += 2) session.bridge(ports[i] as MediaPort, ports[i + 1] as MediaPort)
await plane.stats() // the worker has done all that was ordered
console.log(JSON.stringify({ ports: ports.map(({ address }) => address.rtpPort) }))
process.stdin.resume()
await once(process.stdin, 'end')
await session.close()
await plane.close()
