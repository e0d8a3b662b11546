import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Audit } from '../audit/audit.ts'
import { silentLogger } from '../core/logger.ts'
import { ended, keepFacts, started, stored } from '../database/test-support.ts'
import type { RecordingOrigin } from '../events/catalogue.ts'
import { Jobs } from '../jobs/runner.ts'
import { joinLife } from '../join-life.ts'
import { createManifest } from '../recording/manifest.ts'
import { sealedWhole } from '../sealing/container/sealer.ts'
import { SealingError } from '../sealing/failures.ts'
import { testMaster, testSeal } from '../sealing/test-support.ts'
import { dayMs } from './decide.ts'

const noArchive = { remove: () => Promise.resolve([]), open: () => Promise.resolve(undefined) }
const noKeys = () => Promise.reject(new SealingError('sealing.key-missing', 'none here'))
const asker = { who: 'alice', via: 'session' } as const

/** Recordings with files, `r1` first, that ended so many days ago; each lasted 8 s. */
async function withRecordings(t: TestContext, ages: readonly number[], cleanupDays = 0, origin?: RecordingOrigin) {
  const { database, bus, clock } = await keepFacts(t)
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-retention-'))
  const jobs = new Jobs({ store: database.jobs, clock, log: silentLogger, bus })
  const everyMs = 3_600_000
  const life = joinLife({
    settings: { cleanupDays, cleanupEvery: everyMs, exportDir: '', exportKeepDays: 7 },
    dataDir: folder,
    openKey: noKeys,
    clock,
    log: silentLogger,
    bus,
    database,
    jobs,
    archive: noArchive,
    recordingDir: folder,
  })
  t.after(async () => {
    await life.retention.close()
    await jobs.close()
    rmSync(folder, { recursive: true })
  })
  const t0 = clock.wallMs()
  for (const [index, days] of ages.entries()) {
    const number = index + 1
    const endMs = t0 - days * dayMs
    bus.publish(started(`c${number}`, endMs - 9_000))
    bus.publish({
      ...stored(`c${number}`, `r${number}`),
      atMs: endMs,
      ...(origin && { origin }),
    })
    bus.publish(ended(`c${number}`, endMs))
    for (const name of [`r${number}.wav`, `r${number}.json`]) writeFileSync(join(folder, name), name)
  }
  await database.history.recording('r1')
  await jobs.start()
  const audit = new Audit({ store: database.audit, clock, log: silentLogger })
  /** Turn the clock until the walk is over and the jobs are done. */
  const settle = async <Result>(doing: Promise<Result>): Promise<Result> => {
    const turn = setInterval(() => clock.advance(20))
    await doing.finally(() => clearInterval(turn))
    await jobs.idle()
    return doing
  }
  const state = async (id: string) => (await database.history.recording(id))?.state
  return { ...life, database, bus, clock, folder, jobs, audit, settle, state }
}

test('a recording goes when its time is over, with its files; the call stays, and the audit record says why', async (t) => {
  const { retention, settle, state, folder, database, audit, bus } = await withRecordings(t, [30, 29.99, 1], 30)
  const told: string[] = []
  bus.on('recording.deleted', ({ recordingId }) => told.push(recordingId))
  assert.deepEqual(await settle(retention.sweep()), { looked: 1, deleted: 1, held: 0 })
  assert.equal(await state('r1'), 'deleted')
  assert.equal(await state('r2'), 'stored')
  assert.deepEqual(told, ['r1'])
  assert.deepEqual(readdirSync(folder).toSorted(), ['r2.json', 'r2.wav', 'r3.json', 'r3.wav'])
  assert.equal((await database.history.call('c1'))?.from.name, 'Alice Ärmel')
  const [record] = await audit.list({ limit: 1 })
  assert.deepEqual(
    [record?.who, record?.action, record?.subject, record?.details['by'], record?.details['days']],
    ['server', 'recording.deleted', 'recording:r1', 'setting', 30],
  )
})

test('the sweep comes by itself, a minute after the start and then every hour, and stops when it is closed', async (t) => {
  const { retention, settle, state, clock, jobs } = await withRecordings(t, [2, 1 - 1 / 24], 1)
  retention.start()
  clock.advance(60_000)
  await settle(retention.sweep())
  assert.deepEqual([await state('r1'), await state('r2')], ['deleted', 'stored'])
  clock.advance(3_600_000)
  await settle(retention.sweep())
  assert.equal(await state('r2'), 'deleted')
  await retention.close()
  await jobs.close()
})

test('more recordings than are looked at in one go are all looked at', async (t) => {
  const { retention, settle } = await withRecordings(
    t,
    Array.from({ length: 205 }, (_, index) => 300 - index),
    1,
  )
  assert.deepEqual(await settle(retention.sweep()), { looked: 205, deleted: 205, held: 0 })
})

test('a rule for ever, and a hold on the recording, the call or a person, keep what is due', async (t) => {
  const { retention, holds, settle, state, audit } = await withRecordings(t, [103, 102, 101], 1)
  await holds.place({ recordingId: 'r1', why: 'case 1' }, asker)
  await holds.place({ callId: 'c2', why: 'case 2' }, asker)
  assert.deepEqual(await settle(retention.sweep()), { looked: 3, deleted: 1, held: 2 })
  const person = await holds.place({ person: '101', why: 'case 3' }, asker)
  const ofCall = (await holds.list()).find(({ kind }) => kind === 'call')
  await holds.lift(ofCall?.id ?? '', 'closed', asker)
  assert.deepEqual(await settle(retention.sweep()), { looked: 2, deleted: 0, held: 2 })
  await holds.lift(person.id, 'closed', asker)
  assert.deepEqual(await settle(retention.sweep()), { looked: 2, deleted: 1, held: 1 })
  assert.deepEqual([await state('r1'), await state('r2')], ['stored', 'deleted'])
  const rule = await retention.addRule({ name: 'all' })
  assert.deepEqual(await settle(retention.sweep()), { looked: 1, deleted: 0, held: 0 })
  assert.equal((await retention.why('r1'))?.decision.counts.ruleId, rule.id)
  const actions = (await audit.list({ action: 'hold', limit: 10 })).map(({ action, details }) => [
    action,
    details['kind'],
  ])
  assert.deepEqual(actions.at(-1), ['hold.placed', 'recording'])
  assert.doesNotMatch(JSON.stringify(await audit.list({ limit: 50 })), /number:101|case 3/)
})

test('who deletes a recording by hand is refused while it is held, with who holds it and why', async (t) => {
  const { retention, holds, state, folder, jobs, clock } = await withRecordings(t, [1])
  const hold = await holds.place({ person: 'sip:102@example.com', why: 'case 7' }, asker)
  await assert.rejects(retention.delete('r1', 'asked', asker), { code: 'retention.held', message: /alice: case 7/ })
  assert.ok(existsSync(join(folder, 'r1.wav')))
  await holds.lift(hold.id, 'closed', asker)
  await retention.delete('r1', 'asked', asker)
  clock.advance(1)
  await jobs.idle()
  assert.equal(await state('r1'), 'deleted')
  await assert.rejects(retention.delete('r1', 'again', asker), { code: 'retention.not-stored' })
  await assert.rejects(holds.place({ recordingId: 'r1', why: 'late' }, asker), { code: 'retention.not-stored' })
  await assert.rejects(holds.place({ recordingId: 'r9', why: 'none' }, asker), { code: 'retention.nothing-to-hold' })
  await assert.rejects(holds.place({ person: 'Alice', why: 'name' }, asker), { code: 'retention.bad-person' })
})

test('a deletion that a crash cut off is taken up again', async (t) => {
  const { database, state, folder, clock, jobs, bus } = await withRecordings(t, [1])
  await jobs.close()
  const entry = { who: 'server', via: 'server', action: 'recording.deleted' } as const
  assert.equal(await database.retention.beginDeletion('r1', entry, clock.wallMs()), 'begun')
  rmSync(join(folder, 'r1.wav')) // so far it had come
  const next = new Jobs({ store: database.jobs, clock, log: silentLogger, bus })
  joinLife({
    settings: { cleanupDays: 0, cleanupEvery: 0, exportDir: '', exportKeepDays: 7 },
    dataDir: folder,
    openKey: noKeys,
    clock,
    log: silentLogger,
    bus,
    database,
    jobs: next,
    archive: noArchive,
    recordingDir: folder,
  })
  await next.start()
  await next.idle()
  await next.close()
  assert.equal(await state('r1'), 'deleted')
  assert.deepEqual(readdirSync(folder), [])
})

test('a deletion whose job was cancelled is taken up by the next sweep', async (t) => {
  const { retention, database, jobs, settle, state } = await withRecordings(t, [1])
  await jobs.close()
  await retention.delete('r1', 'asked', asker)
  const { items } = await database.jobs.list({ kind: 'recording.delete', limit: 9 })
  await database.jobs.remove(items[0]?.id ?? '')
  await settle(retention.sweep())
  assert.equal((await database.jobs.list({ kind: 'recording.delete', limit: 9 })).items.length, 1)
  assert.equal(await state('r1'), 'deleting')
})

test('a preview tells what would go by other rules, and changes nothing', async (t) => {
  const { retention, settle, state } = await withRecordings(t, [10, 9, 8], 0, { peer: 'sbc', tags: ['sales'] })
  assert.deepEqual(await settle(retention.preview(10)), { items: [], due: 0, held: 0, complete: true })
  const preview = await settle(retention.preview(1, [{ name: 'sales go', tag: 'sales', peer: 'sbc', days: 9 }]))
  assert.deepEqual([preview.due, preview.items.length, preview.items[0]?.recording.recordingId], [2, 1, 'r1'])
  assert.deepEqual(preview.items[0]?.decision.counts, { by: 'rule', ruleId: 'new-1', name: 'sales go', days: 9 })
  assert.equal(await state('r1'), 'stored')
})

test('files that belong to no recording are told, and left', async (t) => {
  const { orphans, folder } = await withRecordings(t, [1])
  mkdirSync(join(folder, 'unfinished'))
  for (const name of ['r1.wav.locations', 'old.wav', 'young.wav']) writeFileSync(join(folder, name), 'x')
  const longAgo = new Date('2025-01-01')
  utimesSync(join(folder, 'old.wav'), longAgo, longAgo)
  utimesSync(join(folder, 'r1.wav'), longAgo, longAgo)
  utimesSync(join(folder, 'r1.wav.locations'), longAgo, longAgo)
  const found = await orphans(10)
  assert.deepEqual(found, { items: [{ name: 'old.wav', bytes: 1, changedAtMs: longAgo.getTime() }], complete: true })
  assert.ok(existsSync(join(folder, 'old.wav')))
})

test('a recording that was never finished goes with its legs and its notes, or the next start would put it together', async (t) => {
  const { retention, bus, folder, jobs, state } = await withRecordings(t, [1])
  const about = { atMs: 1, callId: 'c1', recordingId: 'f' }
  bus.publish({ name: 'recording.started', ...about, folder })
  bus.publish({ name: 'recording.failed', ...about, code: 'recording.disk-full', text: 'The disk is full' })
  createManifest(folder, {
    version: 1,
    recordingId: 'f',
    callId: 'c1',
    name: 'failed',
    startedAtMs: 1,
    state: 'closed',
    interrupted: false,
    tracks: [{ legId: 'a', role: 'caller', file: 'failed_caller-2.wav' }],
  })
  for (const name of ['failed.wav', 'failed_caller-2.wav']) writeFileSync(join(folder, name), name)
  assert.equal(await state('f'), 'failed')
  await retention.delete('f', 'asked', asker)
  await jobs.idle()
  assert.equal(await state('f'), 'deleted')
  assert.deepEqual(readdirSync(folder).toSorted(), ['r1.json', 'r1.wav', 'unfinished'])
  assert.deepEqual(readdirSync(join(folder, 'unfinished')), [])
})

test('a recording is not said to be deleted while notes that may be its own wait for their key', async (t) => {
  const { retention, bus, folder, jobs, state } = await withRecordings(t, [1])
  const about = { atMs: 1, callId: 'c1', recordingId: 'f' }
  bus.publish({ name: 'recording.started', ...about, folder })
  bus.publish({ name: 'recording.failed', ...about, code: 'recording.key-missing', text: 'No key' })
  mkdirSync(join(folder, 'unfinished'))
  const seal = testSeal(testMaster(), 'AES-256-GCM', 'f')
  writeFileSync(join(folder, 'unfinished', 'f.json.sealed'), sealedWhole(seal, 'f.json', 1, Buffer.from('{}')))
  await state('f')
  await retention.delete('f', 'asked', asker)
  await jobs.idle()
  assert.equal(await state('f'), 'deleting')
})

test('a recording that is put together while it is deleted stays deleted, and no copy is made of it', async (t) => {
  const { bus, database, state } = await withRecordings(t, [1])
  const atMs = 1
  const entry = { ...asker, action: 'recording.deleted', subject: 'recording:r1' }
  assert.equal(await database.retention.beginDeletion('r1', entry, atMs), 'begun')
  bus.publish(stored('c1', 'r1'))
  assert.equal(await state('r1'), 'deleting')
  assert.equal(await database.locations.recording('r1'), undefined)
  bus.publish({ name: 'recording.failed', atMs, callId: 'c1', recordingId: 'r1', code: 'recording.no-audio', text: '' })
  assert.equal(await state('r1'), 'deleting')
})
