/**
 * Many idle dialogs: calls that stand, through a B2BUA of the SIP stack alone, without and with session timers.
 *
 *   caller-and-callee.ts (a child)  ── INVITE, 200, ACK ─▶  bare-server.ts (a child)
 *
 * A call is two dialogs. Memory is read when the transactions of setting up have ended; what those took is told apart.
 */
import { availableParallelism, cpus } from 'node:os'
import { parseArgs } from 'node:util'
import type { Peers, Ran, Ready, Run } from './caller-and-callee.ts'
import { ask, said, startChild } from './child.ts'
import { bytesEach, type Memory } from './memory.ts'

const { values } = parseArgs({
  options: {
    dialogs: { type: 'string', default: '50000' },
    /** Calls a second while memory fills. */
    rate: { type: 'string', default: '400' },
  },
})
/** Longer than a transaction may last (RFC 3261 timers H, L). */
const lingerMs = 34_000

console.log(`${cpus()[0]?.model}, ${availableParallelism()} cores, Node ${process.version}\n`)
console.log(
  '| session timers | dialogs | failed | heap bytes each | resident bytes each | bytes a lingering transaction |',
)
console.log('|---|---|---|---|---|---|')
// An hour: no refresh falls into the measurement.
for (const sessionExpiresS of [undefined, 3_600]) console.log(`| ${(await measure(sessionExpiresS)).join(' | ')} |`)

async function measure(sessionExpiresS: number | undefined): Promise<readonly (string | number)[]> {
  const server = startChild('bare-server.ts', undefined, ['--expose-gc'])
  const { port } = await said<{ port: number }>(server)
  const peers: Peers = { server: port, dialled: '102', ...(sessionExpiresS && { sessionExpiresS }) }
  const generator = startChild('caller-and-callee.ts', peers)
  try {
    server.send({ to: (await said<Ready>(generator)).calleePort })
    await ask<Ran>(generator, { calls: 200, rate: 100, holdMs: 0 } satisfies Run)
    const before = await settledMemory(server)
    const run: Run = { calls: Number(values.dialogs) / 2, rate: Number(values.rate) }
    const { failed } = await ask<Ran>(generator, run)
    const busy = await ask<Memory>(server, 'memory')
    const after = await settledMemory(server)
    return [
      sessionExpiresS ? 'yes' : 'no',
      after.dialogs,
      failed,
      bytesEach(before.heapBytes, after.heapBytes, after.dialogs),
      bytesEach(before.residentBytes, after.residentBytes, after.dialogs),
      bytesEach(after.heapBytes, busy.heapBytes, busy.transactions),
    ]
  } finally {
    generator.kill()
    server.kill()
  }
}

async function settledMemory(server: ReturnType<typeof startChild>): Promise<Memory> {
  await new Promise((done) => setTimeout(done, lingerMs))
  return ask<Memory>(server, 'memory')
}
