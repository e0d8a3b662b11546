import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { decodeWav, type WavSound } from '../codec/wav.ts'
import { FakeClock } from '../core/fake-clock.ts'
import { silentLogger } from '../core/logger.ts'
import { FactBus } from '../events/bus.ts'
import type { Fact, FactName, FactOf } from '../events/catalogue.ts'
import type { Seal } from '../sealing/container/sealer.ts'
import { readStored } from '../sealing/stored-file.ts'
import { opensWith, testMaster, testSeal } from '../sealing/test-support.ts'
import { createManifest, type Manifest } from './manifest.ts'
import { findInterrupted, repairInterrupted } from './repair.ts'
import type { RecordingKeys } from './sealing.ts'
import { Recordings } from './service.ts'
import { HearingPort, noise, writeLeg } from './test-support.ts'

const clock = new FakeClock()
const t0 = clock.wallMs()
const master = testMaster()
const openKey = opensWith(master)
let folder: string
let facts: Fact[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'patchbay-sealed-recording-'))
  facts = []
})
afterEach(() => rmSync(folder, { recursive: true }))

const told = <Name extends FactName>(name: Name): FactOf<Name>[] =>
  facts.filter((fact): fact is FactOf<Name> => fact.name === name)

const keysFor = (sealNotes: boolean): RecordingKeys => ({
  newSeal: (recordingId) => testSeal(master, 'AES-256-GCM', recordingId),
  sealAgain: async (key, recordingId) => ({
    cipher: 'AES-256-GCM',
    recordingId,
    dataKey: await openKey(key, recordingId),
    key,
  }),
  openKey,
  sealNotes,
})

function deps(keys: RecordingKeys | undefined) {
  const bus = new FactBus()
  bus.onAny((fact) => facts.push(fact))
  return { folder, keys, bus, clock, log: silentLogger }
}

const caller = { legId: 'a', role: 'caller', party: { uri: 'sip:101@pbx' } } as const
const callee = { legId: 'b', role: 'callee', party: { uri: 'sip:102@pbx' } } as const

async function read(name: string): Promise<WavSound> {
  const sound = decodeWav(await readStored(join(folder, name), { openKey }))
  assert.ok(sound)
  return sound
}

const hearing = (seed: number, afterMs = 0): HearingPort =>
  new HearingPort({ samples: noise(seed, 800), startedAtMs: t0 + afterMs })

for (const sealNotes of [false, true])
  test(`a sealed call leaves its legs and the combined file sealed, the notes ${sealNotes ? 'too' : 'not'}`, async () => {
    const recordings = new Recordings(deps(keysFor(sealNotes)))
    const tracks = [
      { ...caller, port: hearing(1) },
      { ...callee, port: hearing(2, 50) },
    ]
    await recordings.start({ callId: 'call', name: 'x', tracks }).stop()

    const notes = sealNotes ? 'x.json.sealed' : 'x.json'
    const files = ['x.wav.sealed', 'x_callee.wav.sealed', 'x_caller.wav.sealed']
    assert.deepEqual(readdirSync(folder).sort(), [notes, 'unfinished', ...files].sort())
    assert.deepEqual(readdirSync(join(folder, 'unfinished')), [])
    const [stored] = told('recording.stored')
    assert.deepEqual(stored?.files.map(({ name }) => name).sort(), files)
    const combined = await read('x.wav.sealed')
    assert.deepEqual(combined.channel(0).subarray(0, 800), noise(1, 800))
    assert.deepEqual(combined.channel(1).subarray(400), noise(2, 800))
    const onDisk = Buffer.concat(
      readdirSync(folder).flatMap((name) => (name === 'unfinished' ? [] : [readFileSync(join(folder, name))])),
    )
    assert.equal(onDisk.indexOf(Buffer.from(noise(1, 800).buffer, 0, 64)), -1)
    assert.equal(onDisk.indexOf('sip:101@pbx') >= 0, !sealNotes)
  })

/** What a process killed in mid-call leaves. */
function crashed(seal: Seal, notes: boolean): void {
  const manifest: Manifest = {
    version: 1,
    recordingId: seal.recordingId,
    callId: 'call',
    name: 'x',
    startedAtMs: t0,
    state: 'recording',
    interrupted: false,
    tracks: [
      { ...caller, file: 'x_caller.wav' },
      { ...callee, file: 'x_callee.wav' },
    ],
    sealed: { key: seal.key, notes },
  }
  createManifest(folder, manifest, seal)
  writeLeg(join(folder, 'x_caller.wav'), { samples: noise(1, 12_000), startedAtMs: t0 }, true, seal)
  writeLeg(join(folder, 'x_callee.wav'), { samples: noise(2, 8_000), startedAtMs: t0 + 500 }, true, seal)
}

async function repair(keys: RecordingKeys | undefined): Promise<readonly string[]> {
  const all = deps(keys)
  return repairInterrupted(await findInterrupted(all), all)
}

for (const notes of [false, true])
  test(`a start after a kill makes a sealed recording whole (notes sealed: ${notes})`, async () => {
    crashed(testSeal(master), notes)

    assert.deepEqual(await repair(keysFor(false)), ['call'])
    const [stored] = told('recording.stored')
    assert.equal(stored?.interrupted, true)
    assert.equal(stored?.durationMs, 1500)
    assert.deepEqual((await read('x.wav.sealed')).channel(0), noise(1, 12_000))
    assert.deepEqual((await read('x_caller.wav.sealed')).pcm, noise(1, 12_000))
    assert.deepEqual(readdirSync(join(folder, 'unfinished')), [])
    assert.deepEqual(await repair(keysFor(false)), [])
  })

test('a record that the kill cut in two is lost, what was before it is not', async () => {
  const seal = testSeal(master)
  crashed(seal, false)
  const path = join(folder, 'x_callee.wav.sealed')
  truncateSync(path, readFileSync(path).length - 9)
  await repair(keysFor(false))

  assert.equal(told('recording.stored')[0]?.files.length, 2) // its only block: the channel is silent
  assert.deepEqual((await read('x.wav.sealed')).channel(0), noise(1, 12_000))
})

for (const bytes of [0, 100])
  test(`a sealed leg of which the kill left ${bytes} bytes keeps the other from nobody, and is listed to be deleted with it`, async () => {
    crashed(testSeal(master), false)
    truncateSync(join(folder, 'x_callee.wav.sealed'), bytes)
    assert.deepEqual(await repair(keysFor(false)), ['call'])
    const [stored] = told('recording.stored')
    assert.deepEqual(
      stored?.files.map(({ name, kind }) => [name, kind]),
      [
        ['x.wav.sealed', 'combined'],
        ['x_caller.wav.sealed', 'leg'],
        ['x_callee.wav.sealed', 'raw'],
      ],
    )
    assert.deepEqual((await read('x.wav.sealed')).channel(0), noise(1, 12_000))
  })

test('legs that were changed are kept, uncombined', async () => {
  const seal = testSeal(master)
  crashed(seal, false)
  writeLeg(join(folder, 'x_callee.wav'), { samples: noise(2, 1_200_000), startedAtMs: t0 }, false, seal)
  const path = join(folder, 'x_callee.wav.sealed')
  const bytes = readFileSync(path)
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 9_000) ^ 1, bytes.length - 9_000)
  writeFileSync(path, bytes)
  assert.deepEqual(await repair(keysFor(false)), ['call'])
  assert.deepEqual(readFileSync(path), bytes)
  const names = told('recording.stored')[0]?.files.map(({ name }) => name)
  assert.deepEqual(names, ['x_caller.wav.sealed', 'x_callee.wav.sealed'])
  assert.deepEqual(readdirSync(join(folder, 'unfinished')), [])
})

test('a recording of which nothing can be read stays unfinished: it is no silence', async () => {
  crashed(testSeal(master), false)
  for (const leg of ['caller', 'callee']) truncateSync(join(folder, `x_${leg}.wav.sealed`), 100)
  assert.deepEqual(await repair(keysFor(false)), [])
  assert.deepEqual(
    told('recording.failed').map(({ code }) => code),
    ['recording.damaged'],
  )
  assert.deepEqual(readdirSync(join(folder, 'unfinished')), ['x.json'])
})

test('without the key an interrupted recording waits, untouched, and its name is not taken', async () => {
  crashed(testSeal(master), true)
  const before = readdirSync(folder)
  assert.deepEqual(await repair(undefined), [])
  assert.deepEqual(readdirSync(folder), before)

  const recordings = new Recordings(deps(undefined))
  await recordings.start({ callId: 'new', name: 'x', tracks: [{ ...caller, port: hearing(5) }] }).stop()
  assert.ok(told('recording.stored')[0]?.files.some(({ name }) => name === 'x-2.wav'))
  assert.deepEqual(await repair(keysFor(false)), ['call'])
})

function noKey(): never {
  throw new Error('no key')
}

test('a recording is not begun in the clear because its key is missing: it fails, and the call goes on', async () => {
  const port = hearing(1)
  const recordings = new Recordings(deps({ ...keysFor(false), newSeal: noKey }))
  await recordings.start({ callId: 'call', name: 'x', tracks: [{ ...caller, port }] }).stop()

  assert.equal(told('recording.failed').length, 1)
  assert.equal(port.recording, undefined)
  mkdirSync(join(folder, 'unfinished'), { recursive: true })
  assert.deepEqual(readdirSync(folder), ['unfinished'])
})
