/** How calls end that are not simply answered and hung up: each as the people at both ends expect. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Call } from '../../src/api/schemas/index.ts'
import type { SimulatedPhone } from '../../src/demo/phone.ts'
import { callerAndCallee, forOldClients, registeredPhone, sippCaller } from '../support/phones.ts'
import { needs } from '../support/program.ts'
import { type ServerProcess, startServerProcess } from '../support/server-process.ts'
import { runSipp } from '../support/sipp.ts'
import { cancellingCallerScenario, refusedCallerScenario, vanishingCallerScenario } from '../support/sipp-scenarios.ts'
import { until } from '../support/until.ts'

const [caller, callee] = callerAndCallee()
const rtpTimeoutMs = 3_000

let server: ServerProcess
let phone: SimulatedPhone
before(async () => {
  const env = { ...forOldClients, RTP_TIMEOUT: `${rtpTimeoutMs}ms` }
  server = await startServerProcess({ extensions: [caller, callee], env })
})
after(() => server.remove())

/** The newest call, once it has ended; nothing may be left of it. */
async function ended(before: string | undefined, withinMs = 15_000): Promise<Call> {
  const call = await until('the call to end', withinMs, async () => {
    const [newest] = (await server.api.calls({ limit: 1 })).items
    return newest && newest.id !== before && newest.endedAtMs !== undefined && newest
  })
  await until('nothing to live', 5_000, async () => (await server.api.liveCalls()).items.length === 0)
  return call
}

async function newestId(): Promise<string | undefined> {
  return (await server.api.calls({ limit: 1 })).items[0]?.id
}

const target = () => `${server.sip.ip}:${server.sip.port}`

/** sipp calls and is refused with this status. */
async function refused(status: number, number = callee.number): Promise<Call> {
  const before = await newestId()
  const result = await runSipp({
    scenario: refusedCallerScenario(status),
    target: target(),
    calls: 1,
    args: sippCaller(caller, number),
    timeoutMs: 60_000,
  })
  assert.equal(result.errors, '')
  assert.equal(result.successful, 1)
  return ended(before)
}

test('a busy phone: 486 for the caller, "busy" in the history', needs('sipp'), async () => {
  phone = await registeredPhone(server, callee, { habit: 'busy' })
  const call = await refused(486)
  await phone.unregister()
  await phone.close()

  assert.equal(call.endReason, 'busy')
})

test('a phone that declines: 603, "declined"', needs('sipp'), async () => {
  phone = await registeredPhone(server, callee, { habit: 'decline' })
  const call = await refused(603)
  await phone.unregister()
  await phone.close()

  assert.equal(call.endReason, 'declined')
})

test('a phone nobody picks up: 480 after the ring time, "no-answer"', needs('sipp'), async () => {
  phone = await registeredPhone(server, callee, { habit: 'ring' })
  const missed = new Promise<void>((resolve) => phone.on('missed', () => resolve()))
  const call = await refused(480)
  await missed
  await phone.unregister()
  await phone.close()

  assert.equal(call.endReason, 'no-answer')
  const rangMs = (call.endedAtMs ?? 0) - call.startedAtMs
  assert.ok(rangMs > 4_500 && rangMs < 8_000, `rang for ${rangMs} ms`)
})

test('an extension without a registered phone: 480 at once, "unreachable"', needs('sipp'), async () => {
  const call = await refused(480)

  assert.equal(call.endReason, 'unreachable')
})

test('a number nobody has: 404, "not-found"', needs('sipp'), async () => {
  const call = await refused(404, '999')

  assert.equal(call.endReason, 'not-found')
})

test(
  'a phone that is registered and gone: 480 or 408 within the ring time, and no leg is left',
  needs('sipp'),
  async () => {
    phone = await registeredPhone(server, callee)
    await phone.vanish()
    const call = await refused(480)

    assert.ok(call.endReason === 'unreachable' || call.endReason === 'no-answer', call.endReason)
  },
)

test('a caller who hangs up while it rings: the phone stops ringing, "cancelled"', needs('sipp'), async () => {
  phone = await registeredPhone(server, callee, { habit: 'ring' })
  const missed = new Promise<void>((resolve) => phone.on('missed', () => resolve()))
  const before = await newestId()

  const result = await runSipp({
    scenario: cancellingCallerScenario(),
    target: target(),
    calls: 1,
    args: sippCaller(caller, callee.number),
    timeoutMs: 30_000,
  })
  await missed
  const call = await ended(before)
  await phone.unregister()
  await phone.close()

  assert.equal(result.errors, '')
  assert.equal(result.successful, 1)
  assert.equal(call.endReason, 'cancelled')
})

// The server asks the silent caller whether it is there and waits 32 s for the answer (RFC 3261 §17.1.2.2, timer F).
test(
  'a caller who vanishes: the callee gets BYE once nobody answers any more, "media-timeout"',
  needs('sipp'),
  async () => {
    phone = await registeredPhone(server, callee)
    const answered = phone.nextCall()
    const before = await newestId()

    await runSipp({
      scenario: vanishingCallerScenario(),
      target: target(),
      calls: 1,
      args: sippCaller(caller, callee.number),
      timeoutMs: 30_000,
    })
    const end = await (await answered).ended
    const call = await ended(before, 60_000)
    await phone.unregister()
    await phone.close()

    assert.equal(end.by, 'remote')
    assert.equal(call.endReason, 'media-timeout')
  },
)
