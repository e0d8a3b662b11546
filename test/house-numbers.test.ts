/** Numbers that the server answers itself, over loopback: what phones hear there, and what is told of it. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { correlate } from '../src/demo/compare.ts'
import type { PhoneCall } from '../src/demo/phone-call.ts'
import { loadSpeech } from '../src/demo/speech.ts'
import { startTestServer, type TestServer } from './support/in-process.ts'
import { until } from './support/until.ts'

let server: TestServer
let voices: readonly Int16Array[]

before(async () => {
  server = await startTestServer()
  const [caller, callee] = await Promise.all([loadSpeech('caller'), loadSpeech('callee')])
  voices = [caller.subarray(0, 20_000), callee.subarray(0, 20_000), caller.subarray(20_000, 40_000)].map(asLoud)
})
after(() => server.close())

/** All are as loud as each other, so that each can be found in their sum. */
function asLoud(voice: Int16Array): Int16Array {
  const rms = Math.sqrt(voice.reduce((sum, sample) => sum + sample * sample, 0) / voice.length)
  return voice.map((sample) => Math.round((sample * 2000) / rms))
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

test('who dials the echo test hears a tone and then itself', async () => {
  const [speech] = voices
  assert.ok(speech)
  const atAlice = await call('101', '*43', speech)
  await until('all to be said', 15_000, () => atAlice.spoken)
  await until('the echo of it', 5000, () => correlate(speech, atAlice.heard()).score > 0.9)
  await atAlice.hangUp()
  const stored = await endOf(atAlice.sipCallId)
  assert.equal(stored.to.name, 'Echo')
  assert.equal(stored.endReason, 'hangup')
})

test('three in a room hear the other two and not themselves; the room ends with the last', async () => {
  const calls = await Promise.all(voices.map((speech, i) => call(`20${i}`, '*6123', speech)))
  await until('all to be said', 15_000, () => calls.every(({ spoken }) => spoken))
  await until('all to be heard', 5000, () =>
    calls.every((each, i) => voices.every((voice, k) => k === i || correlate(voice, each.heard()).score > 0.5)),
  )
  for (const [i, each] of calls.entries())
    assert.ok(correlate(voices[i] ?? new Int16Array(0), each.heard()).score < 0.15, `${i} hears itself`)
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
