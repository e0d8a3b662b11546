/**
 * Whole calls through the B2BUA without media: CPU of the server a call, and how soon the caller has its answer.
 *
 *   caller-and-callee.ts (a child)  ── INVITE … BYE, both sides ─▶  server (a child), read by /proc
 *
 * Three servers: the SIP stack alone; the whole server called by a trusted peer; the whole server with a password asked
 * for at each call. The whole server opens RTP ports for both legs and writes each call to its database. All processes
 * share the cores of this machine: look at how late the generator was.
 */
import type { ChildProcess } from 'node:child_process'
import { availableParallelism, cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { startServerProcess } from '../../test/support/server-process.ts'
import type { Peers, Ran, Ready, Run } from './caller-and-callee.ts'
import { ask, said, startChild } from './child.ts'
import { residentMib, threadUse, useBetween } from './thread-use.ts'
import { passwordOf } from './wire.ts'

const { values } = parseArgs({
  options: {
    servers: { type: 'string', default: 'stack,peer,digest' },
    /** Calls a second. */
    rates: { type: 'string', default: '50,100,200,300' },
    seconds: { type: 'string', default: '10' },
  },
})
const seconds = Number(values.seconds)
const holdMs = 1_000
/** A generator later than this has measured itself. */
const validLateMs = 10
/** Not counted: the process compiles its code and opens what it needs. */
const warmUp: Run = { calls: 1_500, rate: 150, holdMs }

interface Started {
  readonly pid: number
  readonly peers: Peers
  /** Told where the callee is. */
  readonly callee: (port: number) => void
  readonly end: () => Promise<void>
}

const credentialsOf = (number: string) => ({ username: number, password: passwordOf(number) })

const servers: Readonly<Record<string, () => Promise<Started>>> = {
  stack: startStack,
  peer: () => startWhole(false),
  digest: () => startWhole(true),
}

const head = [
  'server',
  'calls/s',
  'calls',
  'failed',
  'sent again',
  'CPU ms/call',
  'main',
  'media',
  'V8',
  'answer p50 ms',
  'p99 ms',
  'MiB',
  'generator late p99 ms',
]

console.log(`${cpus()[0]?.model}, ${availableParallelism()} cores, Node ${process.version}\n`)
console.log(`| ${head.join(' | ')} |\n|${head.map(() => '---').join('|')}|`)
for (const name of values.servers.split(',')) {
  const server = await (servers[name] ?? (() => Promise.reject(new Error(`no server ${name}`))))()
  const generator = startChild('caller-and-callee.ts', server.peers)
  try {
    server.callee((await said<Ready>(generator)).calleePort)
    await ask<Ran>(generator, warmUp)
    for (const rate of values.rates.split(',').map(Number)) {
      console.log(`| ${(await measure(name, server.pid, generator, rate)).join(' | ')} |`)
    }
  } finally {
    generator.kill()
    await server.end()
  }
}

async function measure(name: string, pid: number, generator: ChildProcess, rate: number): Promise<readonly string[]> {
  const before = threadUse(pid)
  const run: Run = { calls: rate * seconds, rate, holdMs }
  const ran = await ask<Ran>(generator, run)
  const use = useBetween(before, threadUse(pid), run.calls)
  const late = ran.lateP99Ms > validLateMs ? ', not valid' : ''
  return [
    name,
    String(rate),
    String(run.calls),
    String(ran.failed),
    String(ran.again),
    ...[use.all, use.main, use.media, use.v8].map((ms) => ms.toFixed(2)),
    ran.answerP50Ms.toFixed(1),
    ran.answerP99Ms.toFixed(1),
    residentMib(pid).toFixed(0),
    `${ran.lateP99Ms.toFixed(1)}${late}`,
  ]
}

async function startStack(): Promise<Started> {
  const child = startChild('bare-server.ts')
  const { port } = await said<{ port: number }>(child)
  return {
    pid: child.pid ?? 0,
    peers: { server: port, dialled: '102' },
    callee: (to) => void child.send({ to }),
    end: async () => void child.kill(),
  }
}

async function startWhole(withPassword: boolean): Promise<Started> {
  const extensions = ['101', '102'].map((number) => ({
    number,
    name: number,
    password: passwordOf(number),
    record: false,
  }))
  const trunk = { name: 'bench', host: '127.0.0.1', sources: ['127.0.0.1/32'], inbound: { '102': '102' } }
  const server = await startServerProcess({
    extensions,
    ...(!withPassword && { trunks: [trunk] }),
    env: { RTP_PORT_MIN: '20000', RTP_PORT_MAX: '31999', MAX_CONCURRENT_CALLS: '5000' },
  })
  const caller = withPassword ? { caller: credentialsOf('101') } : {}
  return {
    pid: server.pid,
    peers: { server: server.sip.port, dialled: '102', callee: credentialsOf('102'), ...caller },
    callee: () => {},
    end: () => server.remove(),
  }
}
