/**
 * Calls of one Patchbay recorded by another, over loopback: real servers, simulated phones, the audio that arrived
 * compared with the audio that was sent.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { readWav } from '../src/codec/wav.ts'
import { findRun } from '../src/demo/compare.ts'
import { loadSpeech } from '../src/demo/speech.ts'
import { connect, startTestServer, type TestServer, untilSpoken } from './support/in-process.ts'
import { until } from './support/until.ts'

let recorder: TestServer
let server: TestServer
let speech: { alice: Int16Array; bob: Int16Array; carol: Int16Array }

before(async () => {
  recorder = await startTestServer()
  server = await startTestServer({
    recordingServers: [
      { name: 'main', uri: `sip:recorder@127.0.0.1:${recorder.sip.port};transport=tcp`, qualify: 0 },
      { name: 'dead', uri: 'sip:recorder@127.0.0.1:9;transport=tcp', qualify: 0 },
      { name: 'sealed', uri: `sip:recorder@127.0.0.1:${recorder.sip.port}`, qualify: 0, srtp: 'mandatory' },
    ],
    extensions: [
      { number: '201', password: 'password-of-201', recordTo: 'dead|sealed' },
      { number: '202', password: 'password-of-202', recordTo: [], record: false },
      { number: '203', password: 'password-of-203', recordTo: [], record: false },
      { number: '204', password: 'password-of-204', recordTo: [] },
    ],
    'siprec.recordTo': 'main',
    'rtp.workers': 2,
  })
  const [caller, callee] = [await loadSpeech('caller'), await loadSpeech('callee')]
  speech = {
    alice: caller.subarray(0, 24_000),
    bob: callee.subarray(4_000, 20_000),
    carol: callee.subarray(20_000, 36_000),
  }
})
after(async () => {
  await server.close()
  await recorder.close()
})

/** The recording that the other server made last, once it is stored, and its channels. */
async function recorded(who: string) {
  const call = await until('the recording to be stored', 15_000, async () => {
    const { items } = await recorder.api.calls({ search: who })
    return items.find(({ endedAtMs, recordings }) => endedAtMs && recordings[0]?.state === 'stored')
  })
  const file = call.recordings[0]?.files.find(({ kind }) => kind === 'combined')
  assert.ok(file, 'there is no combined file')
  return { call, wav: await readWav(join(recorder.recordingDir, file.name)) }
}

/** Speech of that phone, but for its first half second: what was said while the server was asked is not sent to it. */
const spoken = (samples: Int16Array, from: number, length: number): Int16Array => samples.subarray(from, from + length)

test('a call is recorded by the other server as well: each party on its channel, sample for sample', async () => {
  const alice = await server.phone('101', { speech: speech.alice })
  const bob = await server.phone('102', { speech: speech.bob })
  const [atAlice, atBob] = await connect(alice, bob, '102')
  await untilSpoken(atAlice, atBob)
  await atAlice.hangUp()
  await atBob.ended

  const { call, wav } = await recorded('101')
  assert.equal(call.kind, 'siprec')
  assert.equal(wav.channels, 2)
  assert.notEqual(
    findRun(spoken(atAlice.sent(), 8_000, 12_000), wav.channel(0)),
    undefined,
    'channel 0 is not the caller',
  )
  assert.notEqual(findRun(spoken(atBob.sent(), 8_000, 7_000), wav.channel(1)), undefined, 'channel 1 is not the callee')
  const participants = call.recordings[0]?.participants ?? []
  assert.deepEqual(
    participants.map(({ uri, channel, guessed }) => [/sip:(\d+)/.exec(uri ?? '')?.[1], channel, guessed ?? false]),
    [
      ['101', 0, false],
      ['102', 1, false],
    ],
  )
  const { items } = await server.api.calls({ search: '101' })
  assert.equal(items[0]?.recordings[0]?.state, 'stored', 'the local recording is made beside it')
})

test('after a transfer the new party is on the channel of the one it replaced, and the metadata name both', async () => {
  const alice = await server.phone('111', { speech: speech.alice })
  const bob = await server.phone('112', { speech: speech.bob })
  const carol = await server.phone('113', { speech: speech.carol, ringMs: 100 })
  const [atAlice, atBob] = await connect(alice, bob, '112')
  await untilSpoken(atBob)
  const answered = carol.nextCall()
  await atBob.transfer('113')
  const atCarol = await answered
  await untilSpoken(atAlice, atCarol)
  await atCarol.hangUp()
  await atAlice.ended

  const { call, wav } = await recorded('111')
  assert.equal(wav.channels, 2)
  assert.notEqual(findRun(spoken(atAlice.sent(), 8_000, 12_000), wav.channel(0)), undefined)
  const ofBob = findRun(spoken(atBob.sent(), 8_000, 7_000), wav.channel(1))
  const ofCarol = findRun(spoken(atCarol.sent(), 4_000, 11_000), wav.channel(1))
  assert.ok(ofBob !== undefined && ofCarol !== undefined && ofCarol > ofBob + 7_000)
  assert.deepEqual(
    call.recordings[0]?.participants.map(({ uri, channel }) => [/sip:(\d+)/.exec(uri ?? '')?.[1], channel]).toSorted(),
    [
      ['111', 0],
      ['112', 1],
      ['113', 1],
    ],
  )
})

test('a server that is not there leaves the call to the next of its list, which gets it encrypted', async () => {
  const alice = await server.phone('204', { speech: speech.alice, password: 'password-of-204' })
  const bob = await server.phone('201', { speech: speech.bob, password: 'password-of-201' })
  const [atAlice, atBob] = await connect(alice, bob, '201')
  await untilSpoken(atAlice, atBob)
  const { items } = await server.api.calls({ search: '204' })
  const sent = await server.api.sentTo(items[0]?.id ?? '')
  await atAlice.hangUp()
  await atBob.ended
  assert.deepEqual(sent.to, [{ servers: ['dead', 'sealed'], server: 'sealed' }])
  const { wav } = await recorded('204')
  assert.notEqual(findRun(spoken(atAlice.sent(), 12_000, 8_000), wav.channel(0)), undefined)
  assert.notEqual(findRun(spoken(atBob.sent(), 12_000, 3_000), wav.channel(1)), undefined)
})

test('a live call is sent by an order, without a recording here; what is said in a pause is not in it', async () => {
  const alice = await server.phone('202', { speech: speech.alice, password: 'password-of-202' })
  const bob = await server.phone('203', { speech: speech.bob, password: 'password-of-203' })
  const [atAlice, atBob] = await connect(alice, bob, '203')
  const [live] = (await server.api.liveCalls()).items
  assert.equal(live?.recording, false)
  const id = live?.id ?? ''
  await server.api.sendTo(id, ['main'])
  await until('the server to have it', 5_000, async () => (await server.api.sentTo(id)).to[0]?.server === 'main')
  const samples = () => atAlice.sent().length
  const from = samples() + 1_600
  await until('a while to pass', 5_000, () => samples() > from + 4_000, 10)
  const paused = await server.api.orderSent(id, 'pause')
  assert.equal(paused.paused, true)
  const pausedFrom = samples() + 1_600
  await until('a while to pass', 5_000, () => samples() > pausedFrom + 4_000, 10)
  await server.api.orderSent(id, 'resume')
  const resumed = samples() + 3_200
  await until('a while to pass', 5_000, () => samples() > resumed + 3_000, 10)
  await atAlice.hangUp()
  await atBob.ended

  const { call, wav } = await recorded('203')
  const said = atAlice.sent()
  const before = findRun(said.subarray(from, from + 2_400), wav.channel(0))
  const behind = findRun(said.subarray(resumed, resumed + 2_000), wav.channel(0))
  assert.ok(before !== undefined && behind !== undefined)
  assert.equal(behind - before, resumed - from, 'the pause is silence of its length')
  assert.equal(findRun(said.subarray(pausedFrom, pausedFrom + 800), wav.channel(0)), undefined)
  assert.equal(call.kind, 'siprec')
  assert.deepEqual((await server.api.calls({ search: '203' })).items[0]?.recordings, [])
})
