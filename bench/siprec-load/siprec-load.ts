/**
 * Many SIPREC sessions at once: what they cost the server, and proof that every sample of each was recorded.
 *
 *   here  ── starts ─▶  server (a child, on free ports)  ◀─ SIP, RTP ──  generator.ts (a child)
 *         ── measures by /proc, asks for its metrics ──▶  server
 *         ── checks every file bit by bit
 *
 * Server and generator share the cores of this machine: a run whose generator was late says so and counts for nothing.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { systemClock } from '../../src/core/clock.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { loadNative } from '../../src/media/native-addon.ts'
import { EnvironmentKeys } from '../../src/sealing/keys/environment-keys.ts'
import { KeyRing } from '../../src/sealing/keys/key-ring.ts'
import { type ServerProcess, startServerProcess, useOf } from '../../test/support/server-process.ts'
import { until } from '../../test/support/until.ts'
import { isolate, pin } from '../isolate.ts'
import type { Inside } from '../soak/inside.ts'
import { checkSession, combinedFiles } from './check.ts'
import { type FromGenerator, type Load, labels, type ToGenerator } from './load.ts'

const { values } = parseArgs({
  options: {
    sessions: { type: 'string', default: '50,100,250' },
    seconds: { type: 'string', default: '10' },
    /** INVITEs a second. */
    rate: { type: 'string', default: '50' },
    io: { type: 'string', default: 'dgram,native' },
    /** Clients that do not put RTCP on the port of RTP: four sockets a session instead of two. */
    unmuxed: { type: 'boolean', default: false },
    /** Media threads of the server, which has one core in all. */
    workers: { type: 'string', default: '1' },
    /** `no`, `yes`: recordings in the clear, and sealed. */
    sealed: { type: 'string', default: 'no,yes' },
  },
})
const masterKey = randomBytes(32).toString('base64')
const { openKey } = new KeyRing({
  sources: [new EnvironmentKeys([masterKey])],
  cipher: 'AES-256-GCM',
  clock: systemClock,
  log: silentLogger,
})
/** Where the server's threads write it (bench/soak/inside.ts). */
const heldFile = 'held.json'
const raw = isolate()
const seconds = Number(values.seconds)
const packets = seconds * 50
/** A generator later than this has measured itself. */
const validLateMs = 10

interface Row {
  readonly cells: readonly string[]
  readonly problems: readonly string[]
}

const head = [
  'sessions',
  'io',
  'sealed',
  'packets/s',
  'CPU ms/session-s',
  'CPU ms/set-up+end',
  'core',
  'resident KiB/session',
  'held KiB/session',
  'loop delay p99 ms',
  'generator late p99/max ms',
  'channels apart p99 ms',
  'written KiB/session-s',
  'fsyncs/session',
  'bit-exact',
]

console.log(`${cpus()[0]?.model}, ${availableParallelism()} cores, Node ${process.version}`)
console.log(`two streams a session, PCMU, 50 packets/s each, ${seconds} s; new server for each row, on one core\n`)
const row = (cells: readonly string[]): void => console.log(`| ${cells.join(' | ')} |`)
row(head)
row(head.map(() => '---'))
const loaded = loadNative()
const kinds = values.io.split(',').filter((io) => io !== 'native' || 'native' in loaded)
const all: string[] = []
for (const sessions of values.sessions.split(',').map(Number)) {
  for (const io of kinds)
    for (const sealed of values.sealed.split(',')) {
      const load = { sessions, seconds, rate: Number(values.rate), raw, muxed: !values.unmuxed }
      const { cells, problems } = await measure(load, io, sealed === 'yes')
      row(cells)
      all.push(...problems.slice(0, 5).map((problem) => `${sessions} ${io}: ${problem}`))
      if (problems.length > 5) all.push(`… and ${problems.length - 5} more`)
    }
}
if ('missing' in loaded) console.log(`\nno native: ${loaded.missing}`)
if (all.length > 0) {
  console.log(`\n${all.join('\n')}`)
  process.exitCode = 1
}

async function measure(load: Omit<Load, 'server'>, io: string, sealed: boolean): Promise<Row> {
  const server = await startServerProcess({
    env: {
      RTP_PORT_MIN: '10000',
      RTP_PORT_MAX: String(Math.min(32_000, 10_000 + load.sessions * 8 + 100)),
      MAX_CONCURRENT_CALLS: String(load.sessions + 10),
      MEDIA_IO: io,
      MEDIA_WORKERS: values.workers,
      NODE_OPTIONS: `--expose-gc --import=${pathToFileURL(join(import.meta.dirname, '..', 'soak', 'inside.ts')).href}`,
      SOAK_FILE: heldFile,
      ENABLE_RECORDING_ENCRYPTION: String(sealed),
      SIPREC_MASTER_KEY: masterKey,
    },
  })
  pin(0, server.pid)
  const generator = fork(join(import.meta.dirname, 'generator.ts'), [JSON.stringify({ server: server.sip, ...load })], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
  })
  try {
    return await drive(server, generator, load.sessions, io, sealed)
  } finally {
    generator.kill()
    await server.remove()
  }
}

async function drive(
  server: ServerProcess,
  generator: ChildProcess,
  sessions: number,
  io: string,
  sealed: boolean,
): Promise<Row> {
  const heldIdle = await heldBytes(server)
  const idle = useOf(server.pid)
  const { callIds, problems } = await said(generator, 'up')
  const settled = useOf(server.pid)
  const writtenBefore = writtenBytes(server)
  const startedMs = performance.now()
  await loopDelayMs(server) // the next reading is of the time from here
  const sent = said(generator, 'sent')
  generator.send('send' satisfies ToGenerator)
  const { report } = await sent
  const elapsedS = (performance.now() - startedMs) / 1000
  const busy = useOf(server.pid)
  const writtenKiB = (writtenBytes(server) - writtenBefore) / 1024
  const delayMs = await loopDelayMs(server)
  const held = (await heldBytes(server)) - heldIdle
  const syncedBefore = fsyncs(server)
  const ended = said(generator, 'ended')
  generator.send('end' satisfies ToGenerator)
  await ended
  const finished = await until(
    'the combined files',
    120_000,
    () => combinedFiles(server.recordingDir, callIds) === callIds.length,
  ).then(
    () => [],
    (error: unknown) => [String(error)],
  )
  const over = useOf(server.pid)
  await heldBytes(server)
  const synced = fsyncs(server) - syncedBefore
  const wrong = await check(server.recordingDir, callIds)
  const mediaCpuMs = busy.cpuMs - settled.cpuMs
  const late = report.lateP99Ms > validLateMs ? ' (late: not valid)' : ''
  return {
    cells: [
      String(sessions),
      io,
      sealed ? 'yes' : 'no',
      (report.sent / elapsedS).toFixed(0),
      (mediaCpuMs / callIds.length / elapsedS).toFixed(2),
      ((over.cpuMs - idle.cpuMs - mediaCpuMs) / callIds.length).toFixed(1),
      (mediaCpuMs / 1000 / elapsedS).toFixed(2),
      ((busy.residentBytes - idle.residentBytes) / 1024 / callIds.length).toFixed(0),
      (held / 1024 / callIds.length).toFixed(0),
      delayMs.toFixed(1),
      `${report.lateP99Ms}/${report.lateMaxMs.toFixed(0)}${late}`,
      wrong.apartP99Ms.toFixed(1),
      (writtenKiB / callIds.length / elapsedS).toFixed(1),
      (synced / callIds.length).toFixed(1),
      `${callIds.length - wrong.sessions}/${sessions}`,
    ],
    problems: [...problems, ...finished, ...wrong.problems],
  }
}

async function said<Type extends FromGenerator['type']>(
  generator: ChildProcess,
  type: Type,
): Promise<Extract<FromGenerator, { type: Type }>> {
  return new Promise((resolve, reject) => {
    const exited = (code: number | null): void => reject(new Error(`the generator ended with ${code}`))
    const heard = (message: unknown): void => {
      if ((message as FromGenerator).type !== type) return
      generator.off('message', heard)
      generator.off('exit', exited)
      resolve(message as Extract<FromGenerator, { type: Type }>)
    }
    generator.on('message', heard)
    generator.on('exit', exited)
  })
}

/** What it gave to write(2) and its kind: files; sockets do not count. */
function writtenBytes({ pid }: ServerProcess): number {
  return Number(/^wchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1])
}

/** As of the last `heldBytes`. */
function fsyncs({ folder }: ServerProcess): number {
  return (JSON.parse(readFileSync(join(folder, heldFile), 'utf8')) as Inside).fsyncs
}

async function check(folder: string, callIds: readonly string[]) {
  const problems: string[] = []
  const apartMs: number[] = []
  let sessions = 0
  for (const [i, callId] of callIds.entries()) {
    const found = await checkSession(folder, callId, i * labels.length, packets, openKey)
    if (found.problems.length > 0) sessions++
    problems.push(...found.problems)
    apartMs.push(found.apartMs)
  }
  apartMs.sort((a, b) => a - b)
  return { sessions, problems, apartP99Ms: apartMs[Math.ceil(apartMs.length * 0.99) - 1] ?? Number.NaN }
}

/** Heaps and buffers of all threads, after garbage was collected. */
async function heldBytes({ pid, folder }: ServerProcess): Promise<number> {
  const file = join(folder, heldFile)
  rmSync(file, { force: true })
  process.kill(pid, 'SIGUSR2')
  const { mainBytes, workerBytes } = await until('what the server holds', 30_000, () =>
    existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Inside) : undefined,
  )
  return mainBytes + workerBytes
}

/** The worst media thread's delay since the last reading, 99th percentile. */
async function loopDelayMs({ api }: ServerProcess): Promise<number> {
  const text = await (await fetch(`${api.url}/metrics`)).text()
  const readings = Array.from(text.matchAll(/^patchbay_media_worker_delay_seconds\S* (\S+)$/gm))
  if (readings.length === 0) throw new Error('the server told no delay of its media threads')
  return Math.max(...readings.map(([, seconds]) => Number(seconds) * 1000))
}
