/**
 * Calls through the B2BUA, driven by sipp as caller and callee, at one rate after the other.
 *
 * Each call: INVITE, digest, ringing, answer, ACK, one second, BYE, on two legs with their RTP ports; no media flows
 * and nothing is recorded. The server's CPU time is read from /proc; the answer delay is the time from the INVITE with
 * the password to its 200 as sipp sees it (whose clock moves in steps of up to 4 ms), the callee's answer included.
 * sipp runs on the same cores: rates near the end of the table are of the machine, not of the server.
 */
import { availableParallelism, cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { callerAndCallee, forOldClients, sippCaller, sippPhone } from '../../test/support/phones.ts'
import { findProgram } from '../../test/support/program.ts'
import { type ServerProcess, startServerProcess, useOf } from '../../test/support/server-process.ts'
import { runSipp, startSipp } from '../../test/support/sipp.ts'
import { answeringScenario, callerScenario, registerScenario } from '../../test/support/sipp-scenarios.ts'

const { values } = parseArgs({
  options: { rates: { type: 'string', default: '20,50,100' }, seconds: { type: 'string', default: '10' } },
})
const holdMs = 1_000
const seconds = Number(values.seconds)

if (!findProgram('sipp')) {
  console.error('sipp is missing: apt-get install sip-tester')
  process.exit(1)
}

const [caller, callee] = callerAndCallee(false)

const server = await startServerProcess({
  extensions: [caller, callee],
  env: { ...forOldClients, RTP_PORT_MIN: '20000', RTP_PORT_MAX: '31999', MAX_CONCURRENT_CALLS: '5000' },
})
try {
  const phonePort = await register(server)
  console.log(`${cpus()[0]?.model}, ${availableParallelism()} cores, Node ${process.version}\n`)
  console.log('calls/s   calls   failed   sent again   CPU ms/call   answer p50 ms   p99 ms   memory MiB')
  for (const rate of values.rates.split(',').map(Number)) console.log(await measure(rate, phonePort))
} finally {
  await server.remove()
}

/** sipp registers from the port it will answer at. */
async function register({ sip }: ServerProcess): Promise<number> {
  const { result, port } = await startSipp({
    scenario: registerScenario(),
    target: `${sip.ip}:${sip.port}`,
    calls: 1,
    args: sippPhone(callee),
    timeoutMs: 20_000,
  })
  const { successful, errors } = await result
  if (successful !== 1) throw new Error(`sipp could not register: ${errors}`)
  return port
}

async function measure(rate: number, phonePort: number): Promise<string> {
  const calls = rate * seconds
  const timeoutMs = (seconds + 60) * 1_000
  const phone = await startSipp({ scenario: answeringScenario(), port: phonePort, calls, timeoutMs })
  const before = useOf(server.pid)
  const result = await runSipp({
    scenario: callerScenario(),
    target: `${server.sip.ip}:${server.sip.port}`,
    calls,
    rate,
    limit: rate * 10,
    holdMs,
    args: sippCaller(caller, callee.number),
    timeoutMs,
  })
  const after = useOf(server.pid)
  await phone.program.stop()
  const again = result.retransmissions + (await phone.result).retransmissions
  const delays = result.times(1).toSorted((a, b) => a - b)
  const percentile = (part: number) =>
    delays[Math.min(delays.length - 1, Math.floor(delays.length * part))] ?? Number.NaN
  return [
    String(rate).padStart(7),
    String(result.successful + result.failed).padStart(8),
    String(result.failed).padStart(9),
    String(again).padStart(13),
    ((after.cpuMs - before.cpuMs) / calls).toFixed(2).padStart(14),
    percentile(0.5).toFixed(1).padStart(16),
    percentile(0.99).toFixed(1).padStart(9),
    (after.residentBytes / 2 ** 20).toFixed(0).padStart(13),
  ].join('')
}
