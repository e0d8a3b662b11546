import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { readWav } from '../codec/wav.ts'
import { FakeClock } from '../core/fake-clock.ts'
import { silentLogger } from '../core/logger.ts'
import { FactBus } from '../events/bus.ts'
import type { Fact, FactName, FactOf } from '../events/catalogue.ts'
import { type Manifest, readUnfinished } from './manifest.ts'
import { Recordings } from './service.ts'
import { HearingPort, noise } from './test-support.ts'

const clock = new FakeClock()
const t0 = clock.wallMs()
let folder: string
let facts: Fact[]
let recordings: Recordings

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'patchbay-recording-'))
  facts = []
  const bus = new FactBus()
  bus.onAny((fact) => facts.push(fact))
  recordings = new Recordings({ folder, bus, clock, log: silentLogger })
})
afterEach(() => rmSync(folder, { recursive: true }))

const told = <Name extends FactName>(name: Name): FactOf<Name>[] =>
  facts.filter((fact): fact is FactOf<Name> => fact.name === name)

const caller = { legId: 'a', role: 'caller', party: { uri: 'sip:101@pbx', name: 'Alice' } } as const
const callee = { legId: 'b', role: 'callee', party: { uri: 'sip:102@pbx' } } as const

test('a call gives a WAV a leg and one with the caller on channel 0 and the callee on channel 1', async () => {
  const alice = new HearingPort({ samples: noise(1, 800), startedAtMs: t0 })
  const bob = new HearingPort({ samples: noise(2, 400), startedAtMs: t0 + 50 })
  const recording = recordings.start({
    callId: 'call',
    name: 'monday',
    tracks: [
      { ...callee, port: bob },
      { ...caller, port: alice },
    ],
  })
  await recording.stop()

  const [stored] = told('recording.stored')
  assert.ok(stored)
  assert.equal(stored.recordingId, recording.id)
  assert.equal(stored.interrupted, false)
  assert.equal(stored.durationMs, 100)
  assert.deepEqual(
    stored.files.map(({ name, kind, channels, legId }) => ({ name, kind, channels, legId })),
    [
      { name: 'monday.wav', kind: 'combined', channels: 2, legId: undefined },
      { name: 'monday_caller.wav', kind: 'leg', channels: 1, legId: 'a' },
      { name: 'monday_callee.wav', kind: 'leg', channels: 1, legId: 'b' },
    ],
  )
  assert.deepEqual(stored.participants, [
    { uri: 'sip:101@pbx', name: 'Alice', legId: 'a', channel: 0 },
    { uri: 'sip:102@pbx', legId: 'b', channel: 1 },
  ])
  const wav = await readWav(join(folder, 'monday.wav'))
  assert.deepEqual(wav.channel(0), noise(1, 800))
  assert.deepEqual([...wav.channel(1).subarray(400)], [...noise(2, 400)])
  assert.deepEqual(readdirSync(folder).sort(), [
    'monday.json',
    'monday.wav',
    'monday_callee.wav',
    'monday_caller.wav',
    'unfinished',
  ])
  assert.deepEqual(readdirSync(join(folder, 'unfinished')), [])
})

test('legs stay apart where no combined file is wanted (RECORDING_COMBINE_LEGS=false)', async () => {
  const bus = new FactBus()
  bus.onAny((fact) => facts.push(fact))
  const apart = new Recordings({ folder, combineLegs: false, bus, clock, log: silentLogger })
  const alice = new HearingPort({ samples: noise(1, 800), startedAtMs: t0 })
  await apart.start({ callId: 'call', name: 'monday', tracks: [{ ...caller, port: alice }] }).stop()
  assert.deepEqual(
    told('recording.stored')[0]?.files.map(({ name }) => name),
    ['monday_caller.wav'],
  )
  assert.ok(!existsSync(join(folder, 'monday.wav')))
})

test('while the call lives, the disk knows its legs and people: enough for a start after a crash', async () => {
  const recording = recordings.start({ callId: 'call', name: 'x', tracks: [{ ...caller, port: new HearingPort() }] })
  recording.addTrack({ ...callee, port: new HearingPort() })
  recording.describe({ participants: [{ uri: 'sip:carol@x', legId: 'b' }], channelOrder: ['b', 'a'] })
  const manifests = await savedWith('sip:carol@x')

  assert.equal(manifests.length, 1)
  assert.deepEqual(
    manifests[0]?.tracks.map(({ legId, file }) => [legId, file]),
    [
      ['a', 'x_caller.wav'],
      ['b', 'x_callee.wav'],
    ],
  )
  assert.deepEqual(manifests[0]?.participants, [{ uri: 'sip:carol@x', legId: 'b' }])
  assert.equal(manifests[0]?.state, 'recording')
  await recording.stop()
})

/** Saves run in the background: look until one holds this. */
async function savedWith(uri: string): Promise<readonly Manifest[]> {
  for (;;) {
    const { manifests } = await readUnfinished(folder)
    if (JSON.stringify(manifests).includes(uri)) return manifests
  }
}

test('metadata says who is on which channel, by label, and in which order the channels are', async () => {
  const sound = { samples: noise(1, 80), startedAtMs: t0 }
  const recording = recordings.start({ callId: 'call', name: 'rs@host', tracks: [] })
  recording.addTrack({ port: new HearingPort(sound), legId: 'x', role: 'stream', label: '96' })
  recording.addTrack({ port: new HearingPort(sound), legId: 'y', role: 'stream', label: '97' })
  recording.describe({
    participants: [{ uri: 'sip:bob@b', label: '97' }, { name: 'Paul', label: '96' }, { name: 'Nobody' }],
    channelOrder: ['y', 'x'],
  })
  await recording.stop()

  assert.deepEqual(told('recording.stored')[0]?.participants, [
    { uri: 'sip:bob@b', legId: 'y', label: '97', channel: 0 },
    { name: 'Paul', legId: 'x', label: '96', channel: 1 },
    { name: 'Nobody' },
  ])
  assert.ok(existsSync(join(folder, 'rs@host_96.wav')))
})

test('the same name again, in any case, gets a number and touches no file of the first', async () => {
  const sound = { samples: noise(1, 80), startedAtMs: t0 }
  writeFileSync(join(folder, 'same.wav'), 'not ours')
  const tracks = () => [{ ...caller, port: new HearingPort(sound) }]
  const first = recordings.start({ callId: '1', name: 'same', tracks: tracks() })
  const second = recordings.start({ callId: '2', name: 'SAME-2', tracks: tracks() })
  await first.stop()
  await second.stop()
  const third = recordings.start({ callId: '3', name: 'same', tracks: tracks() })
  await third.stop()

  const combined = told('recording.stored').map(({ files }) => files[0]?.name)
  assert.deepEqual(combined, ['same-2.wav', 'SAME-2-2.wav', 'same-3.wav'])
})

test('a leg that left early keeps its file and its channel', async () => {
  const early = new HearingPort({ samples: noise(1, 80), startedAtMs: t0 })
  const recording = recordings.start({ callId: 'call', name: 'x', tracks: [{ ...callee, port: early }] })
  recording.endTrack('b')
  recording.addTrack({ ...caller, port: new HearingPort({ samples: noise(2, 80), startedAtMs: t0 + 1_000 }) })
  await recording.stop()

  const wav = await readWav(join(folder, 'x.wav'))
  assert.deepEqual(wav.channel(1).subarray(0, 80), noise(1, 80))
})

test('a leg whose worker died counts as far as it was written, and the recording as interrupted', async () => {
  const port = new HearingPort({ samples: noise(1, 80), startedAtMs: t0 }, new Error('worker gone'))
  const recording = recordings.start({ callId: 'call', name: 'x', tracks: [{ ...caller, port }] })
  await recording.stop()

  const [stored] = told('recording.stored')
  assert.equal(stored?.files[0]?.samples, 80)
  assert.equal(stored?.interrupted, true)
})

test('a call without a packet has no recording, and says so', async () => {
  const recording = recordings.start({ callId: 'call', name: 'x', tracks: [{ ...caller, port: new HearingPort() }] })
  await recording.stop()

  assert.deepEqual(
    told('recording.failed').map(({ code }) => code),
    ['recording.no-audio'],
  )
  assert.deepEqual(readdirSync(folder), ['unfinished'])
  assert.deepEqual(readdirSync(join(folder, 'unfinished')), [])
})

test('a folder that is taken away in mid-call is not told as silence of the phones', async () => {
  const port = new HearingPort({ samples: noise(1, 80), startedAtMs: t0 })
  const stopping = recordings.start({ callId: 'call', name: 'x', tracks: [{ ...caller, port }] }).stop()
  rmSync(folder, { recursive: true })
  await stopping
  mkdirSync(folder)

  assert.deepEqual(
    told('recording.failed').map(({ code }) => code),
    ['recording.files-gone'],
  )
})

test('legs of different rates are combined at the higher one', async () => {
  const narrow = new HearingPort({ samples: noise(1, 80), startedAtMs: t0 })
  const wide = new HearingPort({ samples: noise(1, 160), startedAtMs: t0, sampleRateHz: 16_000 })
  const tracks = [
    { ...caller, port: narrow },
    { ...callee, port: wide },
  ]
  await recordings.start({ callId: 'call', name: 'x', tracks }).stop()

  const [stored] = told('recording.stored')
  assert.deepEqual(
    stored?.files.map(({ kind, sampleRateHz, samples }) => [kind, sampleRateHz, samples]),
    [
      ['combined', 16_000, 160],
      ['leg', 8_000, 80],
      ['leg', 16_000, 160],
    ],
  )
  assert.equal(stored?.durationMs, 10)
})

function dumped(atMs: number): Buffer {
  const record = Buffer.alloc(8 + 32)
  record.writeUInt16BE(40, 0)
  record.writeUInt16BE(32, 2)
  record.writeUInt32BE(atMs, 4)
  return record
}

/** Three packets in the format rtpdump, the last one of them at 1,500 ms; cut off in a fourth. */
function writeDump(path: string): number {
  const head = Buffer.alloc(16)
  head.writeUInt32BE(t0 / 1000, 0)
  const whole = Buffer.concat([Buffer.from('#!rtpplay1.0 0.0.0.0/0\n'), head, ...[0, 20, 1_500].map(dumped)])
  writeFileSync(path, Buffer.concat([whole, dumped(1_520).subarray(0, 30)]))
  return whole.length
}

test('packets of a codec that is not decoded are kept as they came, beside the sound of the other side', async () => {
  const tracks = [
    { ...caller, port: new HearingPort({ samples: noise(1, 8_000), startedAtMs: t0 }) },
    { ...callee, port: new HearingPort() },
  ]
  const recording = recordings.start({ callId: 'call', name: 'x', tracks })
  const bytes = writeDump(join(folder, 'x_callee.rtpdump'))
  await recording.stop()

  const [stored] = told('recording.stored')
  assert.deepEqual(
    stored?.files.map(({ kind, name }) => [kind, name]),
    [
      ['combined', 'x.wav'],
      ['leg', 'x_caller.wav'],
      ['raw', 'x_callee.rtpdump'],
    ],
  )
  assert.deepEqual(stored?.files[2], {
    name: 'x_callee.rtpdump',
    kind: 'raw',
    legId: callee.legId,
    channels: 0,
    sampleRateHz: 0,
    samples: 0,
    bytes,
    startedAtMs: t0,
  })
  assert.equal(statSync(join(folder, 'x_callee.rtpdump')).size, bytes)
  assert.equal(stored?.durationMs, 1_500)
})

test('packets alone are a recording too', async () => {
  const recording = recordings.start({ callId: 'call', name: 'x', tracks: [{ ...caller, port: new HearingPort() }] })
  writeDump(join(folder, 'x_caller.rtpdump'))
  await recording.stop()

  const [stored] = told('recording.stored')
  assert.deepEqual(
    stored?.files.map(({ kind }) => kind),
    ['raw'],
  )
  assert.equal(stored?.durationMs, 1_500)
})

test('a folder that cannot be written fails the recording and not the call', async () => {
  writeFileSync(join(folder, 'file'), '')
  const bus = new FactBus()
  bus.onAny((fact) => facts.push(fact))
  const nowhere = new Recordings({ folder: join(folder, 'file'), bus, clock, log: silentLogger })
  const port = new HearingPort()
  const recording = nowhere.start({ callId: 'call', name: 'x', tracks: [{ ...caller, port }] })
  recording.addTrack({ ...callee, port })
  recording.describe({ participants: [] })
  await recording.stop()

  assert.deepEqual(
    told('recording.failed').map(({ code }) => code),
    ['recording.folder-unwritable'],
  )
  assert.equal(port.recording, undefined)
})

test('a full disk is told once, and what was written before is stored all the same', async () => {
  const port = new HearingPort({ samples: noise(1, 80), startedAtMs: t0 })
  const recording = recordings.start({ callId: 'call', name: 'x', tracks: [{ ...caller, port }] })
  port.emit('recording-failed', { path: join(folder, 'x_caller.wav'), text: 'ENOSPC: no space left on device, write' })
  port.emit('recording-failed', { path: join(folder, 'x_caller.wav'), text: 'ENOSPC: no space left on device, write' })
  await recording.stop()

  assert.deepEqual(
    told('recording.failed').map(({ code }) => code),
    ['recording.disk-full'],
  )
  assert.equal(told('recording.stored').length, 1)
})

test('the clean stop waits for recordings that are being finished', async () => {
  const sound = { samples: noise(1, 80_000), startedAtMs: t0 }
  for (let call = 0; call < 5; call++) {
    const tracks = [{ ...caller, port: new HearingPort(sound) }]
    void recordings.start({ callId: `${call}`, name: `${call}`, tracks }).stop()
  }
  await recordings.settled()

  assert.equal(told('recording.stored').length, 5)
})

test('a stranger whose Call-ID is called like a leg of another recording gets another name, whatever became of the leg', async () => {
  const names: string[] = []
  for (const trace of ['x_1.flac', 'x_1.mp3.sealed', 'x_1.locations']) {
    writeFileSync(join(folder, trace), '')
    const recording = recordings.start({ callId: 'c', name: 'x_1', tracks: [] })
    names.push(recording.name)
    await recording.stop()
    rmSync(join(folder, trace))
  }
  assert.deepEqual(names, ['x_1-2', 'x_1-2', 'x_1-2'])
})
