/**
 * Packets through one media worker over loopback: what receiving, recording and relaying costs, beside a plain C program and
 * rtpengine.
 *
 *   generator (core 1)  ── RTP, paced ─▶  device (core 0)  ── relayed ─▶  generator
 *   here  ── starts both, reads the device's CPU from /proc, compares every sample that was recorded
 *
 * Devices take turns within a round, so that what else the machine does meets all of them; ratios are of one round. A run
 * whose generator was late, or that lost a packet, is marked.
 *
 *   npm run bench -- media --streams 1000 --seconds 10 --rounds 3
 *   npm run bench -- media --kinds relay --devices native,dgram --delay
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { readWav } from '../../src/codec/wav.ts'
import { loadNative } from '../../src/media/native-addon.ts'
import { isolate } from '../isolate.ts'
import { Generator, type LoadReport } from '../native/generator.ts'
import { difference, sent } from '../siprec-load/check.ts'
import { type DeviceName, deviceNames, startDevice, titles } from './devices.ts'
import { type Device, fileOf, type Kind, kinds, records, relays } from './kinds.ts'

const { values } = parseArgs({
  options: {
    streams: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '3' },
    kinds: { type: 'string', default: kinds.join(',') },
    devices: { type: 'string', default: deviceNames.join(',') },
    /** How often the addon looks for packets, ms. */
    poll: { type: 'string', default: '2' },
    /** How long relayed packets are on their way; their samples are not compared then. */
    delay: { type: 'boolean', default: false },
  },
})
const raw = isolate()
const streams = Number(values.streams) & ~1
const seconds = Number(values.seconds)
/** Left out of the reading, s: compiling what runs often, and what stops. */
const warmUpS = 4
const tailS = 0.5
/** A generator later than this has measured itself. */
const validLateMs = 10

interface Result extends LoadReport {
  readonly usPerPacket: number
  readonly core: number
  /** Resident memory that the run added, and what it was before, KiB. */
  readonly residentKib: number
  readonly wrongFiles: number
}

/** CPU time of all threads of a process, ms. */
const cpuMs = (pid: number): number =>
  readdirSync(`/proc/${pid}/task`)
    .map((id) => Number(readFileSync(`/proc/${pid}/task/${id}/schedstat`, 'utf8').split(' ')[0]) / 1e6)
    .reduce((sum, ms) => sum + ms, 0)

const residentKib = (pid: number): number => Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4

async function measure(name: DeviceName, kind: Kind): Promise<Result | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-bench-'))
  const generator = await Generator.start({ seconds, stamp: values.delay, settle: warmUpS, raw })
  try {
    const job = { kind, streams, peerPort: generator.port, folder }
    const device = await startDevice(name, job, Number(values.poll))
    if (!device) return undefined
    const [report, use] = await Promise.all([generator.send(device.ports.map(streamTo)), read(device)])
    await device.stop()
    const checked = records(kind) && !values.delay && (name === 'native' || name === 'dgram')
    return { ...report, ...use, wrongFiles: checked ? await wrongFiles(folder) : 0 }
  } finally {
    generator.kill()
    rmSync(folder, { recursive: true })
  }
}

const streamTo = (port: number, i: number) => ({ ip: '127.0.0.1', port, ssrc: i + 1, sequence: 100, timestamp: 0 })

async function read({ pid }: Device): Promise<Pick<Result, 'usPerPacket' | 'core' | 'residentKib'>> {
  await sleep(warmUpS * 1000)
  const [fromMs, cpuFrom] = [performance.now(), cpuMs(pid)]
  await sleep((seconds - warmUpS - tailS) * 1000)
  const [elapsedMs, usedMs] = [performance.now() - fromMs, cpuMs(pid) - cpuFrom]
  const packets = (streams * elapsedMs) / 20
  return { usPerPacket: (usedMs * 1000) / packets, core: usedMs / elapsedMs, residentKib: residentKib(pid) }
}

/** Files that are not, sample for sample, what was sent. */
async function wrongFiles(folder: string): Promise<number> {
  let wrong = 0
  for (let stream = 0; stream < streams; stream++) {
    const wav = await readWav(fileOf(folder, stream)).catch(() => undefined)
    if (!wav || difference(wav.pcm, sent(stream, seconds * 50)) !== undefined) wrong++
  }
  return wrong
}

function faults(kind: Kind, { sent: count, returned, lateP99Ms, wrongFiles: wrong }: Result): string {
  const lost = relays(kind) ? count - returned : 0
  return [
    lost > 0 ? `${lost} packets lost` : '',
    wrong > 0 ? `${wrong} files differ` : '',
    lateP99Ms > validLateMs ? `generator late by ${lateP99Ms} ms (p99): not valid` : '',
  ]
    .filter(Boolean)
    .join('; ')
}

const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN
const row = (cells: readonly (string | number)[]): void => console.log(`| ${cells.join(' | ')} |`)

async function table(kind: Kind, names: readonly DeviceName[]): Promise<void> {
  const rounds: Map<DeviceName, Result>[] = []
  for (let round = 0; round < Number(values.rounds); round++) {
    const results = new Map<DeviceName, Result>()
    for (const name of names) {
      const result = await measure(name, kind)
      if (result) results.set(name, result)
    }
    rounds.push(results)
  }
  for (const name of names) {
    const results = rounds.flatMap((round) => round.get(name) ?? [])
    const [last] = results.slice(-1)
    if (!last) continue
    const ratios = rounds.flatMap((round) => {
      const [one, floor] = [round.get(name), round.get('floor')]
      return one && floor ? [one.usPerPacket / floor.usPerPacket] : []
    })
    const of = (pick: (result: Result) => number, digits: number): string => median(results.map(pick)).toFixed(digits)
    const wrong = results.map((result) => faults(kind, result)).filter(Boolean)
    row([
      kind,
      titles[name],
      of((result) => result.usPerPacket, 2),
      ratios.length > 0 ? median(ratios).toFixed(2) : '',
      of((result) => result.core, 2),
      of((result) => result.residentKib / 1024, 0),
      values.delay
        ? `${of((r) => r.delayP50Ms, 1)} / ${of((r) => r.delayP99Ms, 1)} / ${of((r) => r.delayMaxMs, 1)}`
        : '',
      of((result) => result.lateP99Ms, 1),
      wrong.length > 0 ? `${wrong.length} of ${results.length} runs: ${wrong[0]}` : '0',
    ])
  }
}

const chosen = values.devices
  .split(',')
  .filter((name): name is DeviceName => (deviceNames as readonly string[]).includes(name))
const loaded = loadNative()
const names = chosen.filter((name) => name !== 'native' || 'native' in loaded)
console.log(
  `${cpus()[0]?.model}, ${availableParallelism()} cores, Node ${process.version}, load ${loadavg()[0]?.toFixed(1)}`,
)
console.log(
  `${streams} streams of 50 packets/s, ${seconds} s, median of ${values.rounds} rounds${raw ? '' : '; no network of its own'}`,
)
if ('missing' in loaded && chosen.includes('native')) console.log(`no native: ${loaded.missing}`)
console.log()
row([
  'work',
  'by',
  'µs a packet',
  'of the floor',
  'core',
  'memory MiB',
  'delay p50 / p99 / max ms',
  'generator late p99 ms',
  'faults',
])
row(Array.from({ length: 9 }, () => '---'))
for (const kind of values.kinds.split(','))
  if ((kinds as readonly string[]).includes(kind)) await table(kind as Kind, names)
