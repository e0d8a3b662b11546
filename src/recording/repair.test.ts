import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { readWav } from '../codec/wav.ts'
import { FakeClock } from '../core/fake-clock.ts'
import { silentLogger } from '../core/logger.ts'
import { FactBus } from '../events/bus.ts'
import type { Fact, FactName, FactOf } from '../events/catalogue.ts'
import type { IsKept } from './finish.ts'
import { createManifest, type Manifest } from './manifest.ts'
import { findInterrupted, repairInterrupted } from './repair.ts'
import { Recordings } from './service.ts'
import { HearingPort, noise, writeLeg } from './test-support.ts'

const clock = new FakeClock()
const t0 = clock.wallMs()
let folder: string
let facts: Fact[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'patchbay-repair-'))
  facts = []
})
afterEach(() => rmSync(folder, { recursive: true }))

const told = <Name extends FactName>(name: Name): FactOf<Name>[] =>
  facts.filter((fact): fact is FactOf<Name> => fact.name === name)

async function repair(signal?: AbortSignal, isKept?: IsKept): Promise<readonly string[]> {
  const bus = new FactBus()
  bus.onAny((fact) => facts.push(fact))
  const found = await findInterrupted({ folder, isKept, log: silentLogger })
  return repairInterrupted(found, { folder, isKept, bus, clock, log: silentLogger, ...(signal && { signal }) })
}

/** What a process killed in mid-call leaves: a manifest, and legs whose headers have no lengths. */
function crashedCall(name: string, changes: Partial<Manifest> = {}): void {
  const manifest: Manifest = {
    version: 1,
    recordingId: `recording-${name}`,
    callId: `call-${name}`,
    name,
    startedAtMs: t0,
    state: 'recording',
    interrupted: false,
    tracks: [
      { legId: 'a', role: 'caller', file: `${name}_caller.wav`, party: { uri: 'sip:101@pbx' } },
      { legId: 'b', role: 'callee', file: `${name}_callee.wav`, party: { uri: 'sip:102@pbx' } },
    ],
    ...changes,
  }
  createManifest(folder, manifest)
  writeLeg(join(folder, `${name}_caller.wav`), { samples: noise(1, 12_000), startedAtMs: t0 }, true)
  writeLeg(join(folder, `${name}_callee.wav`), { samples: noise(2, 8_000), startedAtMs: t0 + 500 }, true)
}

test('where a recording came from is told after a crash too', async () => {
  const origin = { peer: 'sbc', tags: ['sales'], retentionDays: 90 }
  crashedCall('x', { origin })
  await repair()
  const [stored] = told('recording.stored')
  assert.deepEqual([stored?.baseName, stored?.origin], ['x', origin])
})

test('a start after a kill makes the recording whole and says it was interrupted', async () => {
  crashedCall('x')

  assert.deepEqual(await repair(), ['call-x'])

  const [stored] = told('recording.stored')
  assert.equal(stored?.callId, 'call-x')
  assert.equal(stored?.interrupted, true)
  assert.equal(stored?.durationMs, 1_500)
  assert.deepEqual(
    stored?.participants.map(({ uri, channel }) => [uri, channel]),
    [
      ['sip:101@pbx', 0],
      ['sip:102@pbx', 1],
    ],
  )
  const wav = await readWav(join(folder, 'x.wav'))
  assert.deepEqual(wav.channel(0), noise(1, 12_000))
  assert.deepEqual(wav.channel(1).subarray(4_000), noise(2, 8_000))
  assert.equal(JSON.parse(readFileSync(join(folder, 'x.json'), 'utf8')).interrupted, true)
})

test('a second start finds nothing to do', async () => {
  crashedCall('x')
  await repair()
  facts.length = 0

  assert.deepEqual(await repair(), [])
  assert.deepEqual(facts, [])
})

test('a crash while combining, or just before the manifest was put away, is made good by the next start', async () => {
  crashedCall('x')
  writeFileSync(join(folder, 'unfinished', 'x.wav'), 'half a combined file')
  writeFileSync(join(folder, 'unfinished', 'x.json.new'), '{"half":')
  const manifest = readFileSync(join(folder, 'unfinished', 'x.json'))
  await repair()
  const first = readFileSync(join(folder, 'x.wav'))
  writeFileSync(join(folder, 'unfinished', 'x.json'), manifest)
  await repair()

  assert.deepEqual(readFileSync(join(folder, 'x.wav')), first)
  assert.equal(told('recording.stored').length, 2)
  assert.deepEqual(readdirSync(join(folder, 'unfinished')), [])
})

test('a recording that the database has not taken is told again by every start until it has', async () => {
  crashedCall('x', { state: 'closed' })
  await repair(undefined, async () => false)
  assert.deepEqual(readdirSync(join(folder, 'unfinished')), ['x.json'])
  const known = new Set<string>()
  await repair(undefined, async (id) => known.has(id) || !known.add(id))
  await repair(undefined, async (id) => known.has(id))

  assert.equal(told('recording.stored').length, 2)
  assert.deepEqual(readdirSync(join(folder, 'unfinished')), [])
})

test('of a recording that the database has, notes are taken away though its files were converted meanwhile', async () => {
  crashedCall('x', { state: 'closed' })
  rmSync(join(folder, 'x_caller.wav'))
  rmSync(join(folder, 'x_callee.wav'))

  assert.deepEqual(await repair(undefined, async () => true), [])
  assert.deepEqual(facts, [])
  assert.deepEqual(readdirSync(join(folder, 'unfinished')), [])
})

test('half a sample at the end of a leg is cut off', async () => {
  crashedCall('x')
  const path = join(folder, 'x_callee.wav')
  truncateSync(path, readFileSync(path).length - 3)
  await repair()

  assert.equal((await readWav(path)).samples, 7_998)
})

test('a call that had ended in order, and only lacked its combined file, was not interrupted', async () => {
  crashedCall('x', { state: 'closed' })
  await repair()

  assert.equal(told('recording.stored')[0]?.interrupted, false)
})

test('a leg without a packet, and one that died before its header, are silent channels', async () => {
  crashedCall('x')
  writeFileSync(join(folder, 'x_callee.wav'), 'RIFF')
  await repair()

  const [stored] = told('recording.stored')
  assert.deepEqual(
    stored?.files.map(({ kind }) => kind),
    ['combined', 'leg'],
  )
  assert.equal((await readWav(join(folder, 'x.wav'))).channels, 2)
})

test('notes that cannot be read are put aside and do not keep others from being finished', async () => {
  mkdirSync(join(folder, 'unfinished'))
  writeFileSync(join(folder, 'unfinished', 'bad.json'), '')
  writeFileSync(join(folder, 'unfinished', 'evil.json'), JSON.stringify({ version: 1, name: '../evil' }))
  crashedCall('x')

  assert.deepEqual(await repair(), ['call-x'])
  assert.deepEqual(readdirSync(join(folder, 'unfinished')).sort(), ['bad.json.unreadable', 'evil.json.unreadable'])
})

test('a stop meanwhile leaves the rest to the next start', async () => {
  crashedCall('x')
  assert.deepEqual(await repair(AbortSignal.abort()), [])
  assert.deepEqual(await repair(), ['call-x'])
})

test('a call that comes in meanwhile takes no name of what is being repaired', async () => {
  crashedCall('a_1')
  const found = await findInterrupted({ folder, log: silentLogger })
  const deps = { folder, bus: new FactBus(), clock, log: silentLogger }
  const recordings = new Recordings({ ...deps, reserved: found.map(({ name }) => name) })
  const port = new HearingPort({ samples: noise(3, 80), startedAtMs: t0 })
  const recording = recordings.start({ callId: 'new', name: 'a', tracks: [] })
  recording.addTrack({ port, legId: 'x', role: 'stream', label: '1' })
  await Promise.all([repairInterrupted(found, deps), recording.stop()])

  assert.equal(port.recording, join(folder, 'a_1-2.wav'))
  assert.deepEqual((await readWav(join(folder, 'a_1.wav'))).channel(0), noise(1, 12_000))
})

test('a folder that is not there yet holds nothing to repair', async () => {
  rmSync(folder, { recursive: true })
  assert.deepEqual(await repair(), [])
  mkdirSync(folder)
})

test('a recording that is deleted while it is put together leaves nothing behind', async () => {
  crashedCall('x')
  const found = await findInterrupted({ folder, log: silentLogger })
  rmSync(join(folder, 'unfinished', 'x.json'))
  const bus = new FactBus()
  bus.onAny((fact) => facts.push(fact))
  assert.deepEqual(await repairInterrupted(found, { folder, bus, clock, log: silentLogger }), [])
  assert.deepEqual(facts, [])
  assert.deepEqual(readdirSync(folder), ['unfinished'])
})
