/**
 * sipp as a carrier that calls and is called: offers that come late, messages that get lost, two answers to one INVITE,
 * early media, sessions refreshed and forgotten, re-INVITEs that cross.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { SimulatedPhone } from '../../src/demo/phone.ts'
import { loadSpeech } from '../../src/demo/speech.ts'
import { freeSipPort } from '../support/free-port.ts'
import { extensionsFrom101, registeredPhone, sippCaller } from '../support/phones.ts'
import { needs } from '../support/program.ts'
import { type ServerProcess, startServerProcess } from '../support/server-process.ts'
import { runSipp, type SippOptions, type SippResult, startSipp } from '../support/sipp.ts'
import {
  announcingCallee,
  crossingCaller,
  deafCaller,
  delayedOfferCaller,
  doubleCallee,
  forgetfulCaller,
  holdingCaller,
  impatientCaller,
  listeningCaller,
  lossyCallee,
  lossyCaller,
  refreshedCaller,
} from '../support/sipp-flows.ts'
import { until } from '../support/until.ts'

const carrierIp = '127.0.0.4'
const extensions = extensionsFrom101(3)
const sipp = needs('sipp')

let server: ServerProcess
let carrierPort: number
let alice: SimulatedPhone
let bob: SimulatedPhone
let carol: SimulatedPhone
before(async () => {
  carrierPort = await freeSipPort(carrierIp)
  server = await startServerProcess({
    extensions,
    // The carrier sends no RTP in most of these calls.
    env: { RTP_TIMEOUT: '0' },
    trunks: [
      {
        name: 'carrier',
        host: carrierIp,
        port: carrierPort,
        sources: [carrierIp],
        inbound: { '2000': '102', '2001': '103' },
        outbound: [{ prefix: '7' }],
      },
    ],
  })
  const speech = await loadSpeech('callee')
  const phones = await Promise.all(extensions.map((extension) => registeredPhone(server, extension, { speech })))
  ;[alice, bob, carol] = phones as [SimulatedPhone, SimulatedPhone, SimulatedPhone]
})
after(async () => {
  await Promise.all([alice, bob, carol].map((phone) => phone.close()))
  await server.remove()
})

/** The carrier calls 102. */
function carrierCalls(scenario: string, more: Partial<SippOptions> = {}): Promise<SippResult> {
  const { ip, port } = server.sip
  const args = ['-s', '2000', '-key', 'caller', '+4930123', ...(more.args ?? [])]
  return runSipp({ scenario, target: `${ip}:${port}`, ip: carrierIp, calls: 1, timeoutMs: 120_000, ...more, args })
}

function assertClean(result: SippResult, calls = 1): void {
  assert.equal(result.errors, '')
  assert.deepEqual([result.successful, result.failed], [calls, 0])
}

const nothingLives = () =>
  until('the calls to be over', 40_000, async () => (await server.api.liveCalls()).items.length === 0)

test('an INVITE without a description: the server offers, the ACK answers, and both are heard', sipp, async () => {
  const answered = bob.nextCall()
  const port = await freeSipPort(carrierIp)
  const echo = ['-rtp_echo', '-mi', carrierIp, '-mp', String(port)]
  const result = await carrierCalls(delayedOfferCaller(), { holdMs: 1_500, args: echo })
  assertClean(result)
  const call = await answered
  assert.equal((await call.ended).by, 'remote')
  assert.ok(
    call.heard().some((sample) => Math.abs(sample) > 1_000),
    'the echo of what the phone said comes back',
  )
  await nothingLives()
})

test('third party call control: two calls without a party of their own are joined', sipp, async () => {
  const { ip, port } = server.sip
  const meeting = `127.0.0.1:${await freeSipPort()}`
  const common = (number: string) => ({
    target: `${ip}:${port}`,
    ip: carrierIp,
    calls: 1,
    timeoutMs: 20_000,
    args: ['-s', number, '-3pcc', meeting],
  })
  const both = Promise.all([bob.nextCall(), carol.nextCall()])
  const second = await startSipp({ ...common('2001'), builtIn: '3pcc-C-B' })
  await new Promise((resolve) => setTimeout(resolve, 500))
  const first = await startSipp({ ...common('2000'), builtIn: '3pcc-C-A' })
  const [one, other] = await both
  await Promise.all([one.ended, other.ended])
  assertClean(await first.result)
  // It complains that the other one, whose work is done, is gone.
  assert.equal((await second.result).successful, 1)
  for (const call of [one, other]) assert.ok(call.heard().some((sample) => Math.abs(sample) > 1_000))
  await nothingLives()
})

test('a re-INVITE holds the call, an UPDATE resumes it', sipp, async () => {
  assertClean(await carrierCalls(holdingCaller(), { holdMs: 200 }))
  await nothingLives()
})

test('a session timer that is too short: 422, and again with what is asked for', sipp, async () => {
  assertClean(await carrierCalls(impatientCaller()))
  await nothingLives()
})

test('20 calls of a carrier that loses every fifth message', sipp, async () => {
  const { successful, failed, errors } = await carrierCalls(lossyCaller(20), { calls: 20, rate: 10, holdMs: 500 })
  // Copies that come to a call that is over are told among the errors.
  assert.deepEqual([successful, failed], [20, 0], errors)
  await nothingLives()
})

describe('calls by the clock', { concurrency: true }, () => {
  test('a caller whose ACK never comes: 200 again and again, then BYE', sipp, async () => {
    assertClean(await carrierCalls(deafCaller()))
  })

  test('the server refreshes a session when the caller leaves it to it', sipp, async () => {
    assertClean(await carrierCalls(refreshedCaller()))
  })

  test('a session that is not refreshed ends by BYE', sipp, async () => {
    assertClean(await carrierCalls(forgetfulCaller()))
  })

  test('re-INVITEs that cross get 491, and the server comes again', sipp, async () => {
    assertClean(await carrierCalls(crossingCaller()))
  })
})

/** 101 calls the carrier. */
async function carrierIsCalled(scenario: string, more: Partial<SippOptions> = {}) {
  const callee = await startSipp({ scenario, ip: carrierIp, port: carrierPort, calls: 1, timeoutMs: 60_000, ...more })
  const placed = alice.call('7001')
  return { callee, placed }
}

for (const reliable of [true, false])
  test(`early media ${reliable ? 'with' : 'without'} PRACK on the way to the answer`, sipp, async () => {
    const { callee, placed } = await carrierIsCalled(announcingCallee(reliable), { holdMs: 500 })
    const outcome = await placed.outcome
    assert.ok(outcome.answered)
    await outcome.call.hangUp()
    assertClean(await callee.result)
    await nothingLives()
  })

test('a caller of other make hears early media and acknowledges it by PRACK', sipp, async () => {
  const [caller] = extensions
  assert.ok(caller)
  const { ip, port } = server.sip
  const callee = await startSipp({
    scenario: announcingCallee(true),
    ip: carrierIp,
    port: carrierPort,
    calls: 1,
    holdMs: 500,
    timeoutMs: 60_000,
  })
  const args = sippCaller(caller, '7001')
  assertClean(
    await runSipp({ scenario: listeningCaller(), target: `${ip}:${port}`, calls: 1, args, timeoutMs: 30_000 }),
  )
  assertClean(await callee.result)
  await nothingLives()
})

test('two answers to one INVITE: the first stays, the second gets ACK and BYE', sipp, async () => {
  const { callee, placed } = await carrierIsCalled(doubleCallee())
  const outcome = await placed.outcome
  assert.ok(outcome.answered)
  await new Promise((resolve) => setTimeout(resolve, 500))
  await outcome.call.hangUp()
  assertClean(await callee.result)
  await nothingLives()
})

test('20 calls to a carrier that loses every fifth message', sipp, async () => {
  const callee = await startSipp({
    scenario: lossyCallee(20),
    ip: carrierIp,
    port: carrierPort,
    calls: 20,
    timeoutMs: 100_000,
  })
  const outcomes = await Promise.all(Array.from({ length: 20 }, () => alice.call('7001').outcome))
  const refused = outcomes.flatMap((outcome) => (outcome.answered ? [] : [`${outcome.status} ${outcome.reason}`]))
  assert.deepEqual(refused, [])
  // Time for lost ACKs to come again.
  await new Promise((resolve) => setTimeout(resolve, 5_000))
  for (const outcome of outcomes) if (outcome.answered) await outcome.call.hangUp()
  assertClean(await callee.result, 20)
  await nothingLives()
})
