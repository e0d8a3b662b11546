/**
 * Many idle registrations: memory each, and what it costs to keep them.
 *
 *   phones.ts (a child)  ── REGISTER, each challenged ─▶  registrar-server.ts (a child)
 *
 * Phones that register for an hour refresh after half of it: n phones send n / 1800 refreshes a second, and each is two
 * requests. Memory is read when the transactions of the registering have ended; what those took is told apart.
 */
import { availableParallelism, cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { ask, said, startChild } from './child.ts'
import { bytesEach, type Memory } from './memory.ts'
import type { Round, Went } from './phones.ts'
import { threadUse, useBetween } from './thread-use.ts'

const { values } = parseArgs({
  options: {
    phones: { type: 'string', default: '100000' },
    /** Registrations a second while memory fills. */
    rate: { type: 'string', default: '2000' },
    /** How long refreshes are measured. */
    seconds: { type: 'string', default: '20' },
  },
})
const phones = Number(values.phones)
const refreshesPerSecond = phones / 1_800
/** Longer than a transaction may last (RFC 3261 timer J). */
const lingerMs = 34_000
/** A generator later than this has measured itself. */
const validLateMs = 10

const wait = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms))

console.log(`${cpus()[0]?.model}, ${availableParallelism()} cores, Node ${process.version}\n`)
const server = startChild('registrar-server.ts', phones, ['--expose-gc'])
const { port } = await said<{ port: number }>(server)
const generator = startChild('phones.ts', [port])
await said(generator)
const pid = server.pid ?? 0
try {
  const warm: Round = { phones: Math.min(500, phones), rate: 500 }
  await ask<Went>(generator, warm)
  await wait(lingerMs)
  const before = await ask<Memory>(server, 'memory')
  const filled = await ask<Went>(generator, { phones, rate: Number(values.rate) } satisfies Round)
  const busy = await ask<Memory>(server, 'memory')
  await wait(lingerMs)
  const after = await ask<Memory>(server, 'memory')
  // The few of the warming up were registered before the first reading.
  const added = filled.registered - warm.phones
  console.log('| registrations | refused | heap bytes each | resident bytes each | bytes a lingering transaction |')
  console.log('|---|---|---|---|---|')
  const linger = (busy.heapBytes - after.heapBytes) / Math.max(1, busy.transactions)
  const memory = [
    bytesEach(before.heapBytes, after.heapBytes, added),
    bytesEach(before.residentBytes, after.residentBytes, added),
  ]
  console.log(`| ${[filled.registered, filled.refused, ...memory, linger.toFixed(0)].join(' | ')} |\n`)

  console.log(
    '| refreshes/s | refused | CPU ms/refresh | CPU of one core | generator late p99 ms |\n|---|---|---|---|---|',
  )
  for (const rate of [refreshesPerSecond, 500, 1_000]) console.log(`| ${(await refresh(rate)).join(' | ')} |`)
} finally {
  generator.kill()
  server.kill()
}

async function refresh(rate: number): Promise<readonly string[]> {
  const use = threadUse(pid)
  const count = Math.min(phones, Math.round(rate * Number(values.seconds)))
  const went = await ask<Went>(generator, { phones: count, rate } satisfies Round)
  const { all } = useBetween(use, threadUse(pid), went.registered)
  return [
    rate.toFixed(1),
    String(count - went.registered),
    all.toFixed(2),
    `${((all * rate) / 10).toFixed(1)} %`,
    `${went.lateP99Ms.toFixed(1)}${went.lateP99Ms > validLateMs ? ', not valid' : ''}`,
  ]
}
