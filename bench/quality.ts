/**
 * What it costs to know how well a stream is heard: for each packet, and for each figure of the whole stream.
 *
 *   npm run bench -- quality --ports 2000 --packets 500
 *
 * CPU time of many ports in turn, as a worker meets them. Rounds after the first, which only warms up; no socket.
 */
import { parseArgs } from 'node:util'
import { QualityMeter } from '../src/media/worker/quality/stream-quality.ts'
import { Reports } from '../src/media/worker/reports.ts'
import { emptyRtpPacket, parseRtp, printRtp } from '../src/rtp/packet.ts'

const { values } = parseArgs({
  options: { ports: { type: 'string', default: '2000' }, packets: { type: 'string', default: '500' } },
})
const [ports, packets] = [Number(values.ports), Number(values.packets)]
const rounds = 5

const counted = { packetsReceived: 1, packetsSent: 1, jitterMs: 1 }
const meters = Array.from({ length: ports }, () => {
  const reports = new Reports('call', 0, Math.random)
  return new QualityMeter({
    nowMs: 0,
    everyMs: 0,
    reports,
    counted: () => counted,
    voice: () => undefined,
    tell: () => {},
  })
})
const speech = Uint8Array.from({ length: 160 }, (_, i) => (i * 7) & 0xff)
const packet = emptyRtpPacket()

/** µs of processor time, of each of `count` pieces of work. */
function cpuOf(count: number, work: () => void): number {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / count
}

function pass(round: number, encoding: string): number {
  return cpuOf(ports * packets, () => {
    for (let i = round * packets; i < (round + 1) * packets; i++) {
      const header = { ssrc: 1, sequence: i & 0xffff, timestamp: i * 160, marker: false, payloadType: 0 }
      parseRtp(printRtp(header, speech), packet)
      for (const meter of meters) meter.packet(packet, encoding, 8000, i * 20, 1, false)
    }
  })
}

let at = 0
for (const [name, encoding] of [
  ['a packet of G.711, one in ten looked into', 'PCMU'],
  ['a packet of another codec', 'G729'],
] as const) {
  const times = Array.from({ length: rounds }, () => pass(at++, encoding)).slice(1)
  console.log(`${name.padEnd(44)}${(Math.min(...times) * 1000).toFixed(0).padStart(6)} ns`)
}
const reads = Array.from({ length: rounds }, () =>
  cpuOf(ports * 20, () => {
    for (const meter of meters) for (let i = 0; i < 20; i++) meter.read()
  }),
)
console.log(`${'all figures of a stream'.padEnd(44)}${(Math.min(...reads) * 1000).toFixed(0).padStart(6)} ns`)
