/** Transfers over loopback: the real server, simulated phones, what they heard and what was kept of it. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { readWav } from '../src/codec/wav.ts'
import { systemClock } from '../src/core/clock.ts'
import { silentLogger } from '../src/core/logger.ts'
import { findRun, proveChannel } from '../src/demo/compare.ts'
import { loadSpeech } from '../src/demo/speech.ts'
import { createSipStack } from '../src/sip/stack.ts'
import { connect, startTestServer, type TestServer, untilSpoken } from './support/in-process.ts'
import { until } from './support/until.ts'

let server: TestServer
let speech: { alice: Int16Array; bob: Int16Array; carol: Int16Array }

before(async () => {
  // Two workers: an attended transfer has to cross from one to the other.
  server = await startTestServer({ 'rtp.workers': 2 })
  const [caller, callee] = [await loadSpeech('caller'), await loadSpeech('callee')]
  speech = {
    alice: caller.subarray(0, 24_000),
    bob: callee.subarray(4_000, 8_000),
    carol: callee.subarray(12_000, 28_000),
  }
})
after(() => server.close())

/** All stored calls in which this SIP Call-ID occurs, each with its recording finished. */
const stored = (sipCallId: string, count: number) =>
  until('the calls to be stored', 10_000, async () => {
    const { items } = await server.api.calls({ search: sipCallId })
    const finished = items.filter(
      ({ endedAtMs, recordings }) => endedAtMs && recordings.every(({ state }) => state !== 'recording'),
    )
    return finished.length === count && finished
  })

async function combinedOf(call: Awaited<ReturnType<typeof stored>>[number] | undefined) {
  const file = call?.recordings[0]?.files.find(({ kind }) => kind === 'combined')
  assert.ok(file, 'there is no combined file')
  return readWav(join(server.recordingDir, file.name))
}

test('blind: the caller talks on with who answered, and all three are in one recording', async () => {
  const alice = await server.phone('101', { speech: speech.alice })
  const bob = await server.phone('102', { speech: speech.bob })
  const carol = await server.phone('103', { speech: speech.carol, ringMs: 100 })
  const [atAlice, atBob] = await connect(alice, bob, '102')
  await untilSpoken(atBob)
  const answered = carol.nextCall()
  const reported = await atBob.transfer('103')
  assert.deepEqual([reported[0], reported.at(-1)], [100, 200])
  await atBob.ended
  const atCarol = await answered
  await untilSpoken(atAlice, atCarol)
  await atCarol.hangUp()
  await atAlice.ended

  assert.notEqual(findRun(atCarol.sent().subarray(800, 14_000), atAlice.heard()), undefined)
  const [call] = await stored(atAlice.sipCallId, 1)
  assert.deepEqual(
    call?.legs.map(({ role, party }) => [role, party.extension]),
    [
      ['caller', '101'],
      ['callee', '102'],
      ['callee', '103'],
    ],
  )
  const wav = await combinedOf(call)
  // What is said after the speech is silence; its last packets may come after the call has ended.
  assert.ok(
    proveChannel(atAlice.sent().subarray(0, speech.alice.length), wav.channel(0)).exact,
    'channel 0 is not what the caller sent',
  )
  assert.ok(
    proveChannel(atCarol.sent().subarray(0, speech.carol.length), wav.channel(2)).exact,
    'channel 2 is not what the target sent',
  )
})

test('attended: the caller moves into the second call, on another media worker, and its recording goes on', async () => {
  const alice = await server.phone('104', { speech: speech.alice })
  const bob = await server.phone('105', { speech: speech.bob })
  const carol = await server.phone('106', { speech: speech.carol })
  const [atAlice, first] = await connect(alice, bob, '105')
  await first.hold()
  const [second, atCarol] = await connect(bob, carol, '106')
  await untilSpoken(second)
  assert.equal((await first.transfer('106', second)).at(-1), 200)
  await Promise.all([first.ended, second.ended])
  await untilSpoken(atAlice, atCarol)
  await atAlice.hangUp()
  await atCarol.ended

  assert.notEqual(findRun(atAlice.sent().subarray(18_000, 23_000), atCarol.heard()), undefined)
  const calls = await stored(atAlice.sipCallId, 2)
  assert.deepEqual(new Set(calls.map(({ endReason }) => endReason)), new Set(['hangup', 'transferred']))
  const joined = calls.find(({ endReason }) => endReason === 'hangup')
  assert.deepEqual(
    joined?.legs.map(({ role, party }) => [role, party.extension]),
    [
      ['caller', '105'],
      ['callee', '106'],
      ['caller', '104'],
    ],
  )
  const wav = await combinedOf(joined)
  assert.equal(wav.channels, 3)
})

test('a transfer to a phone that is busy leaves the call as it was', async () => {
  const alice = await server.phone('107', { speech: speech.alice })
  const bob = await server.phone('108', { speech: speech.bob })
  await server.phone('109', { habit: 'busy' })
  const [atAlice, atBob] = await connect(alice, bob, '108')
  assert.equal((await atBob.transfer('109')).at(-1), 486)
  await untilSpoken(atAlice, atBob)
  await atBob.hangUp()
  await atAlice.ended
  assert.notEqual(findRun(atAlice.sent().subarray(16_000, 23_000), atBob.heard()), undefined)
})

test('a phone that requires to be sent no reports transfers all the same (RFC 4488)', async (t) => {
  const bob = await server.phone('120', {})
  const carol = await server.phone('121', {})
  const called = [bob.nextCall(), carol.nextCall()] as const
  const listen = [{ transport: 'udp', ip: '127.0.0.1', port: 0 } as const]
  const stack = await createSipStack({ clock: systemClock, log: silentLogger, listen })
  t.after(() => stack.close())
  const uriOf = (user: string) => `sip:${user}@${server.sip.ip}:${server.sip.port}`
  const offer = ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0', 'm=audio 9 RTP/AVP 0', '']
  const invite = stack.invite({
    target: { uri: uriOf('120') },
    from: `<${uriOf('122')}>`,
    to: `<${uriOf('120')}>`,
    credentials: { username: '122', password: await server.passwordOf('122') },
    contentType: 'application/sdp',
    body: offer.join('\r\n'),
  })
  const outcome = await invite.outcome
  assert.ok(outcome.answered)
  const wish = { 'Refer-To': `<${uriOf('121')}>`, 'Refer-Sub': 'false', Require: 'norefersub' }
  const response = await outcome.dialog.request('REFER', { headers: wish })
  assert.equal(response.status, 202)
  const [atBob, atCarol] = await Promise.all(called)
  await atCarol.hangUp()
  await atBob.ended
})
