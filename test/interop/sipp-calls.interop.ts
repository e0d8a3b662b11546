/** sipp, an independent caller and callee: digest, many calls, and no message sent twice. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { callerAndCallee, forOldClients, sippCaller, sippPhone } from '../support/phones.ts'
import { needs } from '../support/program.ts'
import { type ServerProcess, startServerProcess } from '../support/server-process.ts'
import { runSipp, startSipp } from '../support/sipp.ts'
import { answeringScenario, callerScenario, registerScenario } from '../support/sipp-scenarios.ts'
import { until } from '../support/until.ts'

const [caller, callee] = callerAndCallee()

let server: ServerProcess
before(async () => {
  server = await startServerProcess({ extensions: [caller, callee], env: forOldClients })
})
after(() => server.remove())

test('200 calls at 20 a second with digest: none fails, nothing is sent twice', needs('sipp'), async () => {
  const target = `${server.sip.ip}:${server.sip.port}`
  const calls = 200
  const registered = await startSipp({
    scenario: registerScenario(),
    target,
    calls: 1,
    args: sippPhone(callee),
    timeoutMs: 20_000,
  })
  assert.equal((await registered.result).successful, 1)
  const phone = await startSipp({
    scenario: answeringScenario(),
    calls,
    port: registered.port,
    timeoutMs: 120_000,
  })

  const callers = await runSipp({
    scenario: callerScenario(),
    target,
    calls,
    rate: 20,
    holdMs: 1_000,
    args: sippCaller(caller, callee.number),
    timeoutMs: 120_000,
  })
  const answered = await phone.result

  for (const side of [callers, answered]) {
    assert.equal(side.errors, '')
    assert.deepEqual([side.successful, side.failed, side.retransmissions], [calls, 0, 0])
  }
  await until('all calls to be over', 10_000, async () => (await server.api.liveCalls()).items.length === 0)
  const [last] = (await server.api.calls({ limit: 1 })).items
  assert.equal(last?.endReason, 'hangup')
})
