/** Numbers that the server answers itself, over loopback: what phones hear there, and what is told of it. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { findSine, sine } from '../src/codec/test-support.ts'
import type { PhoneCall } from '../src/demo/phone-call.ts'
import { startTestServer, type TestServer } from './support/in-process.ts'
import { until } from './support/until.ts'

let server: TestServer
before(async () => {
  server = await startTestServer()
})
after(() => server.close())

/** What each says: a tone, which is found again whatever a busy machine does to its timing. */
const tonesHz = [500, 900, 1300]
const toneOf = (index: number): Int16Array => sine(tonesHz[index] ?? 0, 4000, 8000, 4)

/** Of the last half second heard, the peak of each tone. */
function peaksIn(call: PhoneCall): number[] {
  const latest = call.heard().subarray(-4000)
  return tonesHz.map((frequencyHz) => (latest.length === 0 ? 0 : findSine(latest, frequencyHz, 8000).peak))
}

async function call(extension: string, number: string, speech: Int16Array): Promise<PhoneCall> {
  const phone = await server.phone(extension, { speech })
  const outcome = await phone.call(number).outcome
  assert.ok(outcome.answered, `${number}: ${outcome.answered ? '' : outcome.status}`)
  return outcome.call
}

const endOf = (sipCallId: string) =>
  until('the call to be stored', 10_000, async () => {
    const { items } = await server.api.calls({ search: sipCallId })
    return items.find(({ endedAtMs }) => endedAtMs !== undefined)
  })

test('who dials the echo test hears itself', async () => {
  // For longer than the greeting takes.
  const atAlice = await call('101', '*43', sine(tonesHz[0] ?? 0, 4000, 8000, 30))
  await until('the echo', 20_000, () => (peaksIn(atAlice)[0] ?? 0) > 3000)
  await atAlice.hangUp()
  const stored = await endOf(atAlice.sipCallId)
  assert.equal(stored.to.name, 'Echo')
  assert.equal(stored.endReason, 'hangup')
})

/** And not itself. */
const hearsOthers = (call: PhoneCall, own: number): boolean =>
  peaksIn(call).every((peak, i) => (i === own ? peak < 400 : peak > 2500))

test('three in a room hear the other two and not themselves', async () => {
  const calls = await Promise.all(tonesHz.map((_, i) => call(`20${i}`, '*6123', toneOf(i))))
  await until('all to hear the others', 10_000, () => calls.every(hearsOthers))
  for (const each of calls) await each.hangUp()
  const stored = await endOf(calls[0]?.sipCallId ?? '')
  assert.equal(stored.to.name, 'Conference 123')
})

test('a number that is none of ours is not found', async () => {
  const phone = await server.phone('301')
  for (const number of ['*44', '*6', '*612345', '*6a']) {
    const outcome = await phone.call(number).outcome
    assert.equal(outcome.answered ? 200 : outcome.status, 404, number)
  }
})
