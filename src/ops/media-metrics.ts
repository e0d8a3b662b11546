/** Metrics of sound: how well legs were heard, and the RTP ports. Read by metrics.ts; labels from short lists only. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { FactBus } from '../events/bus.ts'
import type { WorkerReading } from './health.ts'

/** Pairs of ports (a part of media's PortPoolStats). */
export interface PortReading {
  readonly inUse: number
  readonly free: number
  readonly resting: number
  readonly takenEarly: number
  readonly exhausted: number
}

const scoreBuckets = [1.5, 2, 2.5, 3, 3.5, 3.8, 4, 4.2, 4.4]
const shareBuckets = [0.001, 0.005, 0.01, 0.03, 0.05, 0.1, 0.2]
const secondBuckets = [0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32]
/** Codes of docs/media.md; any other would be a peer's word, and there is none. */
const verdictCodes = [
  'one-way-audio',
  'wrong-address',
  'wrong-codec',
  'wrong-key',
  'silence',
  'clipping',
  'echo',
  'high-loss',
  'high-jitter',
  'high-delay',
]

/** One observation a leg, when it ends. */
export function countQuality(registry: Registry, bus: FactBus): void {
  const registers = [registry]
  const histogram = <Label extends string>(name: string, help: string, buckets: number[], labelNames: Label[] = []) =>
    new Histogram({ name, help, buckets, labelNames, registers })
  const score = histogram('patchbay_media_mos', 'Mean opinion score of a leg', scoreBuckets, ['scale'])
  const loss = histogram('patchbay_media_loss_ratio', 'Packets of a leg that were lost or too late', shareBuckets)
  const jitter = histogram('patchbay_media_jitter_seconds', 'Interarrival jitter at the end of a leg', secondBuckets)
  const delay = histogram('patchbay_media_delay_seconds', 'One way from a leg to here, with its buffer', secondBuckets)
  const verdict = new Counter({
    name: 'patchbay_media_verdicts_total',
    help: 'Legs that something was wrong with, by what',
    labelNames: ['code'],
    registers,
  })
  for (const code of verdictCodes) verdict.inc({ code }, 0)
  bus.on('leg.ended', ({ media }) => {
    const quality = media?.quality
    if (!quality) return
    for (const { code } of quality.verdicts) verdict.inc({ code })
    if (media.packetsReceived === 0) return
    if (quality.mos !== undefined && quality.scale) score.observe({ scale: quality.scale }, quality.mos)
    loss.observe(quality.lossShare + quality.discardShare)
    jitter.observe(quality.jitterMs / 1000)
    delay.observe(quality.delayMs / 1000)
  })
}

export function readPorts(registry: Registry, read: () => PortReading): void {
  const registers = [registry]
  const pairs = new Gauge({
    name: 'patchbay_rtp_port_pairs',
    help: 'Pairs of RTP ports; resting ones were freed not long ago and are taken last',
    labelNames: ['state'],
    registers,
    collect() {
      const { inUse, free, resting } = read()
      pairs.set({ state: 'used' }, inUse)
      pairs.set({ state: 'free' }, free)
      pairs.set({ state: 'resting' }, resting)
    },
  })
  const counter = (name: string, help: string, value: (reading: PortReading) => number): Counter => {
    const made: Counter = new Counter({
      name,
      help,
      registers,
      collect() {
        made.reset()
        made.inc(value(read()))
      },
    })
    return made
  }
  counter('patchbay_rtp_ports_taken_early_total', 'Ports taken while they rested', ({ takenEarly }) => takenEarly)
  counter('patchbay_rtp_ports_exhausted_total', 'Times no RTP port was free', ({ exhausted }) => exhausted)
}

/** Media threads that stand still, and those that are no more. */
export function readWorkers(registry: Registry, bus: FactBus, read: () => readonly WorkerReading[]): void {
  const registers = [registry]
  const down: Gauge = new Gauge({
    name: 'patchbay_media_worker_down_seconds',
    help: 'For how long a media thread has stood still, or not been there; 0 while it runs',
    labelNames: ['worker'],
    registers,
    collect() {
      for (const { worker, downMs } of read()) down.set({ worker: String(worker) }, downMs / 1000)
    },
  })
  const stalls = new Counter({
    name: 'patchbay_media_worker_stalls_total',
    help: 'Times a media thread stood still for 2 s',
    registers,
  })
  const lost = new Counter({ name: 'patchbay_media_workers_lost_total', help: 'Media threads that died', registers })
  bus.on('worker.stalled', () => stalls.inc())
  bus.on('worker.lost', () => lost.inc())
}
