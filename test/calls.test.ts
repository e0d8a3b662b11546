/** Whole calls over loopback: the real server, simulated phones, what they heard and what was kept of it. */
import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { CallDetail } from '../src/api/schemas/calls.ts'
import { readWav } from '../src/codec/wav.ts'
import { sleep, systemClock } from '../src/core/clock.ts'
import { correlate, findRun, proveChannel } from '../src/demo/compare.ts'
import { SimulatedPhone } from '../src/demo/phone.ts'
import { loadSpeech } from '../src/demo/speech.ts'
import { makeMelody } from '../src/media/worker/sounds/melody.ts'
import { connect, startTestServer, type TestServer, untilSpoken } from './support/in-process.ts'
import { until } from './support/until.ts'

let server: TestServer
let speechA: Int16Array
let speechB: Int16Array

before(async () => {
  server = await startTestServer()
  speechA = (await loadSpeech('caller')).subarray(0, 12_000)
  speechB = (await loadSpeech('callee')).subarray(4_000, 14_000)
})
after(() => server.close())

/** The stored call that has this SIP Call-ID. */
function stored(sipCallId: string): Promise<CallDetail['call']> {
  return until('the call to be stored', 10_000, async () => {
    const { items } = await server.api.calls({ search: sipCallId })
    return items.find(
      ({ endedAtMs, recordings }) => endedAtMs && recordings.every(({ state }) => state !== 'recording'),
    )
  })
}

async function audioOf(call: CallDetail['call']) {
  const file = call.recordings[0]?.files.find(({ kind }) => kind === 'combined')
  assert.ok(file, 'there is no combined file')
  return readWav(join(server.recordingDir, file.name))
}

test('two phones talk by UDP and TCP: both hear all, and both channels are what was sent', async () => {
  const alice = await server.phone('101', { speech: speechA, laws: ['PCMA'] })
  const bob = await server.phone('102', { speech: speechB, transport: 'tcp' })
  const [atAlice, atBob] = await connect(alice, bob, '102')
  await untilSpoken(atAlice, atBob)
  await atAlice.press('5#')
  await until('the digits to arrive', 5_000, () => atBob.digitsHeard === '5#', 20)
  atAlice.fallSilent()
  await sleep(systemClock, 200) // her last packets are on their way
  await atBob.hangUp()
  await atAlice.ended

  assert.notEqual(findRun(atAlice.sent().subarray(800, 11_000), atBob.heard()), undefined)
  assert.notEqual(findRun(atBob.sent().subarray(800, 9_000), atAlice.heard()), undefined)
  const call = await stored(atAlice.sipCallId)
  assert.equal(call.endReason, 'hangup')
  assert.deepEqual(
    call.legs.map(({ role, codec, transport, digits }) => [role, codec, transport, digits]),
    [
      ['caller', 'PCMA', 'udp', '5#'],
      ['callee', 'PCMA', 'tcp', ''],
    ],
  )
  const wav = await audioOf(call)
  const [caller, callee] = [proveChannel(atAlice.sent(), wav.channel(0)), proveChannel(atBob.sent(), wav.channel(1))]
  assert.ok(caller.exact, 'channel 0 is not what the caller sent')
  assert.ok(callee.exact, 'channel 1 is not what the callee sent')
})

test('the ladder of a call has every message of both legs and no credentials', async () => {
  const alice = await server.phone('101')
  const bob = await server.phone('104')
  const [atAlice] = await connect(alice, bob, '104')
  await atAlice.hangUp()
  const { id } = await stored(atAlice.sipCallId)
  const messages = await until('the trace to be stored', 5_000, async () => {
    const { items } = await server.api.messages(id)
    return items.length > 0 && items
  })
  const summaries = new Set(
    messages.map(({ direction, summary }) => `${direction} ${summary.replace(/sip:\S+/, 'uri')}`),
  )
  for (const line of [
    'in INVITE uri SIP/2.0',
    'out INVITE uri SIP/2.0',
    'in SIP/2.0 200 OK',
    'out SIP/2.0 200 OK',
    'in BYE uri SIP/2.0',
    'out BYE uri SIP/2.0',
  ])
    assert.ok(summaries.has(line), line)
  for (const { text } of messages) assert.doesNotMatch(text, /response="?[0-9a-f]{32}/)
  assert.equal(new Set(messages.map(({ sipCallId }) => sipCallId)).size, 2)
})

test('all devices of an extension ring; one answers, the other stops and shows no missed call', async () => {
  const alice = await server.phone('101')
  const slow = await server.phone('103', { habit: 'ring' })
  const quick = await server.phone('103', { ringMs: 200 })
  const missed = new Promise((resolve) => slow.on('missed', resolve))
  const [atAlice] = await connect(alice, quick, '103')
  await missed
  await atAlice.hangUp()
  const call = await stored(atAlice.sipCallId)
  assert.equal(call.legs.length, 3)
})

test('on hold one side hears silence, the other music, and the recording keeps its time', async () => {
  const alice = await server.phone('101', { speech: speechA })
  const bob = await server.phone('105', { speech: speechB })
  const [atAlice, atBob] = await connect(alice, bob, '105')
  await sleep(systemClock, 300)
  await atAlice.hold()
  const heardAtHold = atAlice.heard().length
  await sleep(systemClock, 400)
  // Two packets may have been on their way.
  assert.ok(atAlice.heard().length <= heardAtHold + 2 * 160)
  const music = await makeMelody(8000).read(0, 2000)
  await until('the music', 10_000, () => correlate(music, atBob.heard()).score > 0.9)
  await atAlice.resume()
  await untilSpoken(atAlice, atBob)
  await atBob.hangUp()
  const wav = await audioOf(await stored(atAlice.sipCallId))
  assert.ok(proveChannel(atBob.sent(), wav.channel(1)).exact)
  const caller = proveChannel(atAlice.sent(), wav.channel(0))
  assert.ok(caller.correlation.score > 0.999, `correlation ${caller.correlation.score}`)
})

for (const [what, number, habit, status, reason] of [
  ['a busy phone', '111', 'busy', 486, 'busy'],
  ['a phone that declines', '112', 'decline', 603, 'declined'],
] as const) {
  test(`${what} leaves the caller with ${status}`, async () => {
    const alice = await server.phone('101')
    await server.phone(number, { habit })
    const outcome = await alice.call(number).outcome
    assert.ok(!outcome.answered)
    assert.equal(outcome.status, status)
    const call = await until('the call to be kept', 5_000, async () => {
      const { items } = await server.api.calls({ endReason: reason })
      return items[0]
    })
    assert.equal(call.to.extension, number)
  })
}

test('an extension without a device is answered 480, a number nobody has 404', async () => {
  const alice = await server.phone('101')
  const unregistered = await server.phone('113')
  await unregistered.unregister()
  for (const [number, status] of [
    ['113', 480],
    ['999', 404],
  ] as const) {
    const outcome = await alice.call(number).outcome
    assert.ok(!outcome.answered)
    assert.equal(outcome.status, status)
  }
})

test('phones that share no codec talk all the same: each is sent its own', async () => {
  const alice = await server.phone('101', { speech: speechA, laws: ['PCMU'] })
  const bob = await server.phone('114', { speech: speechB, laws: ['PCMA'] })
  const [atAlice, atBob] = await connect(alice, bob, '114')
  await untilSpoken(atAlice, atBob)
  await atBob.hangUp()
  const call = await stored(atAlice.sipCallId)
  assert.deepEqual(
    call.legs.map(({ codec }) => codec),
    ['PCMU', 'PCMA'],
  )
  const heard = correlate(atAlice.sent().subarray(800, 9_000), atBob.heard())
  assert.ok(heard.score > 0.99, `correlation ${heard.score}`)
})

test('the health of a server is that of its database, its recording folder, its disk, its load, its media threads and what it still has to do', async () => {
  const report = (await (await fetch(`${server.api.url}/health`)).json()) as { checks: object }
  assert.deepEqual(Object.keys(report.checks), ['database', 'recordings', 'disk', 'load', 'media', 'jobs'])
})

test('a wrong password registers nothing', async () => {
  const stranger = await SimulatedPhone.create({
    clock: systemClock,
    server: server.sip,
    extension: '101',
    password: 'a guess',
    speech: new Int16Array(160),
  })
  await assert.rejects(stranger.register(), /401/)
  await stranger.close()
})

test('the clean stop ends a live call with BYE and finishes its recording', async () => {
  const own = await startTestServer()
  try {
    const alice = await own.phone('101', { speech: speechA })
    const bob = await own.phone('102', { speech: speechB })
    const [atAlice, atBob] = await connect(alice, bob, '102')
    await sleep(systemClock, 500)
    await own.running.stop()
    assert.equal((await atAlice.ended).by, 'remote')
    assert.equal((await atBob.ended).by, 'remote')
    const [name] = await filesIn(own.recordingDir, /_caller\.wav$/)
    assert.ok(name)
    const wav = await readWav(join(own.recordingDir, name))
    assert.ok(proveChannel(atAlice.sent().subarray(0, wav.channel(0).length), wav.channel(0)).exact)
    assert.equal((await filesIn(join(own.recordingDir, 'unfinished'), /./)).length, 0)
  } finally {
    await own.close()
  }
})

test('more calls than MAX_CONCURRENT_CALLS are answered 503', async () => {
  const own = await startTestServer({ 'sip.maxCalls': 1 })
  try {
    const alice = await own.phone('101')
    const bob = await own.phone('102')
    const [atAlice] = await connect(alice, bob, '102')
    const second = await alice.call('102').outcome
    assert.ok(!second.answered)
    assert.equal(second.status, 503)
    await atAlice.hangUp()
  } finally {
    await own.close()
  }
})

async function filesIn(folder: string, pattern: RegExp): Promise<string[]> {
  return (await readdir(folder)).filter((name) => pattern.test(name))
}
