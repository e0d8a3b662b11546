/**
 * More calls than the server can take: those that live end well, what can be served is served, the others hear 503.
 *
 * Some calls are placed first and last through the flood. sipp counts a refused call as failed. Its own processor time is
 * the server's on a small machine: figures are of the machine, what counts is that goodput stays and nobody is lost.
 */
import { availableParallelism, cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { callerAndCallee, forOldClients, sippCaller, sippPhone } from '../../test/support/phones.ts'
import { findProgram } from '../../test/support/program.ts'
import { startServerProcess } from '../../test/support/server-process.ts'
import { runSipp, startSipp } from '../../test/support/sipp.ts'
import { answeringScenario, callerScenario, registerScenario } from '../../test/support/sipp-scenarios.ts'

const { values } = parseArgs({
  options: {
    rates: { type: 'string', default: '100,400,1000' },
    seconds: { type: 'string', default: '10' },
    lasting: { type: 'string', default: '20' },
    /** SIP_OVERLOAD_LAG: a small one shows the guard at work where sipp takes too much of the processor to reach a large one. */
    lag: { type: 'string', default: '300ms' },
  },
})
const seconds = Number(values.seconds)
const lasting = Number(values.lasting)
/** The first calls last until the flood is over. */
const lastingMs = (seconds + 5) * 1_000

if (!findProgram('sipp')) {
  console.error('sipp is missing: apt-get install sip-tester')
  process.exit(1)
}

const [caller, callee] = callerAndCallee(false)
const server = await startServerProcess({
  extensions: [caller, callee],
  env: {
    ...forOldClients,
    RTP_PORT_MIN: '20000',
    RTP_PORT_MAX: '31999',
    MAX_CONCURRENT_CALLS: '2500',
    SIP_OVERLOAD_LAG: values.lag,
  },
})
const target = `${server.sip.ip}:${server.sip.port}`
try {
  console.log(`${cpus()[0]?.model}, ${availableParallelism()} cores, Node ${process.version}\n`)
  console.log('offered/s   served/s   refused   lasting calls that ended well   longest lag ms')
  for (const rate of values.rates.split(',').map(Number)) console.log(await measure(rate))
} finally {
  await server.remove()
}

async function measure(rate: number): Promise<string> {
  const phone = await answering()
  const held = runSipp({
    scenario: callerScenario(),
    target,
    calls: lasting,
    rate: lasting,
    holdMs: lastingMs,
    args: sippCaller(caller, callee.number),
    timeoutMs: lastingMs + 60_000,
  })
  await new Promise((resolve) => setTimeout(resolve, 2_000))
  const refusedBefore = await metric('patchbay_calls_shed_total')
  const flood = runSipp({
    scenario: callerScenario(),
    target,
    calls: rate * seconds,
    rate,
    limit: rate * seconds,
    holdMs: 200,
    args: sippCaller(caller, callee.number),
    timeoutMs: (seconds + 60) * 1_000,
  })
  const lagMs = await longestLag(flood)
  const { successful } = await flood
  const { successful: wellEnded } = await held
  await phone.program.stop()
  const refused = (await metric('patchbay_calls_shed_total')) - refusedBefore
  return [
    String(rate).padStart(9),
    (successful / seconds).toFixed(0).padStart(11),
    String(refused).padStart(10),
    `${wellEnded} of ${lasting}`.padStart(32),
    lagMs.toFixed(0).padStart(17),
  ].join('')
}

/** A sipp that registers, and one that answers at the same port. */
async function answering() {
  const { result, port } = await startSipp({
    scenario: registerScenario(),
    target,
    calls: 1,
    args: sippPhone(callee),
    timeoutMs: 30_000,
  })
  const { successful, errors } = await result
  if (successful !== 1) throw new Error(`sipp could not register: ${errors}`)
  return startSipp({ scenario: answeringScenario(), port, timeoutMs: lastingMs + 120_000 })
}

async function longestLag(until: Promise<unknown>): Promise<number> {
  const flood = { over: false }
  void until.then(() => Object.assign(flood, { over: true }))
  let longestMs = 0
  while (!flood.over) {
    longestMs = Math.max(longestMs, 1_000 * (await metric('patchbay_main_thread_lag_seconds')))
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  return longestMs
}

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${server.api.url}/metrics`)).text()
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${name} `))
      ?.split(' ')
      .at(-1) ?? 0,
  )
}
