import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { silentLogger } from '../core/logger.ts'
import { ended, keepFacts, started, stored } from '../database/test-support.ts'
import type { Fact } from '../events/catalogue.ts'
import { Jobs } from '../jobs/runner.ts'
import { AfterRecording } from '../recording/after.ts'
import { Archive, type ArchiveOptions, coolKind, present } from './archive.ts'
import { ArchiveError } from './failures.ts'
import { hasCode, MemoryStore } from './test-support.ts'
import type { StoreName } from './types.ts'

const down = new ArchiveError('archive.unreachable', 'nobody there')

/** A recording `r` with one sound file and its notes, stores in memory, and the jobs that copy it. */
async function begin(t: TestContext, names: readonly StoreName[], changes: Partial<ArchiveOptions> = {}) {
  const { database, bus, clock } = await keepFacts(t)
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-archive-'))
  t.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'r.wav'), 'the sound')
  writeFileSync(join(folder, 'r.json'), '{}')
  const stores = names.map((name) => new MemoryStore(name))
  const jobs = new Jobs({ store: database.jobs, clock, log: silentLogger, bus, random: () => 1 })
  t.after(() => jobs.close())
  const archive = new Archive({
    stores: stores.map((store) => ({ store, prefix: 'calls/{yyyy}' })),
    locations: database.locations,
    folder,
    filesOf: ({ baseName, files }) => present(folder, [...files, `${baseName}.json`]),
    plainName: (file) => file,
    keepLocal: true,
    readBack: false,
    coldAfterMs: 0,
    addJobs: (added) => jobs.add(added),
    clock,
    bus,
    log: silentLogger,
    ...changes,
  })
  const told: Fact[] = []
  bus.onAny((fact) => {
    if (/^(archive|job)\.|recording.archived/.test(fact.name)) told.push(fact)
  })
  const after = new AfterRecording([
    {
      kind: 'recording.archive',
      parts: archive.stores,
      attempts: Infinity,
      run: ({ recordingId, part, payload }, context) => archive.store(recordingId, part as StoreName, payload, context),
    },
    { kind: 'recording.remove-local', parts: [''], run: ({ recordingId }) => archive.removeLocal(recordingId) },
  ])
  after.joinTo(jobs)
  bus.publish(started('c'))
  bus.publish(ended('c'))
  bus.publish({ ...stored('c', 'r'), baseName: 'r' })
  await jobs.start()
  const run = async () => {
    await jobs.add(after.jobsOf(stored('c', 'r')))
    await jobs.idle()
  }
  /** Turn the hands, then once more: a look that began on the way is over before the end. */
  const pass = async (byMs: number) => {
    for (const step of [byMs, 0]) {
      clock.advance(step)
      await jobs.idle()
    }
  }
  return { archive, bus, clock, database, folder, jobs, pass, stores, told, run }
}

test('all files of a recording are copied, listed in .locations for its owner alone, and told', async (t) => {
  const { archive, folder, run, stores, told } = await begin(t, ['local', 's3'])
  await run()
  for (const { objects } of stores)
    assert.deepEqual([...objects.keys()].toSorted(), ['calls/1970/r.json', 'calls/1970/r.wav'])
  const uris = [
    'local://store/calls/1970/r.json',
    'local://store/calls/1970/r.wav',
    's3://store/calls/1970/r.json',
    's3://store/calls/1970/r.wav',
  ]
  const path = join(folder, 'r.locations')
  assert.deepEqual(JSON.parse(readFileSync(path, 'utf8')), uris)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.deepEqual(
    (await archive.of('r')).map(({ uri }) => uri),
    uris,
  )
  assert.deepEqual(
    told
      .map((fact) => (fact.name === 'recording.archived' ? `${fact.store} ${fact.bytes} ${fact.uris.length}` : ''))
      .toSorted(),
    ['local 11 2', 's3 11 2'],
  )
  assert.ok(existsSync(join(folder, 'r.wav')))
})

test('a copy whose row was lost to a crash is found again, and nothing is sent twice', async (t) => {
  const { archive, database, run, stores } = await begin(t, ['s3'])
  await run()
  for (const { file } of await archive.of('r')) await database.locations.forget('r', 's3', file)
  await run()
  assert.equal(stores[0]?.puts, 2)
  assert.equal((await archive.of('r')).length, 2)
})

test('a file of the same name of somebody else is not touched', async (t) => {
  const { archive, run, stores } = await begin(t, ['s3'])
  const theirs = { content: Buffer.from('another sound'), sha256: 'theirs', cold: false }
  stores[0]?.objects.set('calls/1970/r.wav', theirs)
  await run()
  await run()
  assert.equal(stores[0]?.objects.get('calls/1970/r.wav'), theirs)
  const ours = (await archive.of('r')).find(({ file }) => file === 'r.wav')
  assert.match(ours?.key ?? '', /^calls\/1970\/r~[0-9a-f]{12}\.wav$/)
  assert.equal(stores[0]?.puts, 2)
})

test('a file that was changed since is stored again in its own place: none is left there that nobody knows', async (t) => {
  const { archive, database, folder, run, stores } = await begin(t, ['s3'])
  const [s3] = stores
  assert.ok(s3)
  const keys = () => [...s3.objects.keys()].toSorted()
  await run()
  const known = keys()
  writeFileSync(join(folder, 'r.wav'), 'the sound, wrapped anew')
  // It was cut off: the store has it, the row tells of the one before.
  const [, row] = await database.locations.of('r')
  assert.ok(row?.file === 'r.wav')
  await run()
  assert.deepEqual(keys(), known)
  assert.equal(s3.objects.get('calls/1970/r.wav')?.content.toString(), 'the sound, wrapped anew')
  await database.locations.put(row)
  await run()
  assert.deepEqual(keys(), known)
  await archive.remove('r')
  assert.deepEqual(keys(), [])
})

test('an upload that is cancelled half way leaves no copy that the rows do not know', async (t) => {
  const { archive, folder, jobs, run, stores } = await begin(t, ['s3'])
  const [s3] = stores
  assert.ok(s3)
  await run()
  writeFileSync(join(folder, 'r.wav'), 'the sound, wrapped anew')
  s3.keep = () => {
    throw down
  }
  await run()
  await jobs.cancelSubject('r')
  await archive.remove('r')
  assert.deepEqual([...s3.objects.keys()], [])
})

test('a leg that is in the stores alone keeps its name taken on the disk', async (t) => {
  const { bus, database, folder, run } = await begin(t, ['s3'], { keepLocal: false })
  writeFileSync(join(folder, 'r_1.wav'), 'a leg')
  const [file] = stored('c', 'r').files
  assert.ok(file)
  bus.publish({ ...stored('c', 'r'), baseName: 'r', files: [file, { ...file, name: 'r_1.wav' }] })
  await database.history.recording('r')
  await run()
  assert.ok(!existsSync(join(folder, 'r_1.wav')))
  assert.deepEqual(JSON.parse(readFileSync(join(folder, 'r_1.locations'), 'utf8')), ['s3://store/calls/1970/r_1.wav'])
})

test('a store that stops in the middle of a file that is read back holds no job: its erasure does not wait for it', async (t) => {
  const { archive, database, jobs, run, stores } = await begin(t, ['s3'], { readBack: true })
  const [s3] = stores
  assert.ok(s3)
  const reading = Promise.withResolvers<void>()
  s3.open = () => {
    reading.resolve()
    return Promise.resolve(new Readable({ read: () => {} }))
  }
  const running = run()
  await reading.promise
  assert.equal(await jobs.cancelSubject('r'), 1)
  await running
  await archive.remove('r')
  assert.deepEqual([s3.objects.size, (await database.locations.of('r')).length], [0, 0])
})

test('a store that is down is told once, holds up no other, and gets its copy when it is back', async (t) => {
  const { archive, bus, folder, jobs, pass, run, stores, told } = await begin(t, ['s3', 'azure'], { keepLocal: false })
  const [s3, azure] = stores
  assert.ok(s3 && azure)
  bus.on('archive.recovered', ({ store }) => void jobs.hurry(`recording.archive.${store}`))
  s3.fault = down
  await run()
  assert.equal(azure.puts, 2)
  for (let minute = 0; minute < 120; minute++) {
    await pass(60_000)
  }
  assert.match(archive.summary(), /^s3 fails since 2026-.*nobody there$/)
  assert.ok(existsSync(join(folder, 'r.wav')), 'the local copy stays while a store lacks it')
  s3.fault = undefined
  await pass(15 * 60_000)
  assert.equal(s3.objects.size, 2)
  assert.equal(archive.summary(), 'ok')
  assert.ok(!existsSync(join(folder, 'r.wav')))
  assert.ok(existsSync(join(folder, 'r.json')))
  assert.deepEqual(
    told.map(({ name }) => name),
    ['archive.failing', 'recording.archived', 'archive.recovered', 'recording.archived'],
  )
  assert.deepEqual(await jobs.counts(), [])
})

test('a local file that is not what the stores have stays', async (t) => {
  const { archive, folder, run } = await begin(t, ['s3'])
  await run()
  writeFileSync(join(folder, 'r.wav'), 'another sound')
  const removing = await begin(t, ['s3'], { keepLocal: false, locations: { ...(await locationsOf(archive)) }, folder })
  await removing.archive.removeLocal('r')
  assert.ok(existsSync(join(folder, 'r.wav')))
})

/** Another archive over the rows of this one. */
async function locationsOf(archive: Archive) {
  const rows = await archive.of('r')
  return {
    recording: () =>
      Promise.resolve({
        recordingId: 'r',
        callId: 'c',
        kind: 'pbx',
        from: '',
        to: '',
        startedAtMs: 0,
        baseName: 'r',
        files: ['r.wav'],
      }),
    of: () => Promise.resolve(rows),
    put: () => Promise.resolve(),
    forget: () => Promise.resolve(),
  }
}

test('a store that keeps less than it was sent is found out when files are read back', async (t) => {
  const { archive, folder, jobs, run, stores } = await begin(t, ['s3'], { readBack: true, keepLocal: false })
  const [s3] = stores
  assert.ok(s3)
  s3.keep = (content) => content.subarray(1)
  await run()
  assert.deepEqual(await archive.of('r'), [])
  assert.ok(existsSync(join(folder, 'r.wav')))
  assert.match(archive.summary(), /was read back/)
  assert.deepEqual(
    (await jobs.counts()).map(({ state }) => state),
    ['waiting'],
  )
})

test('a file whose local copy is gone is read from the first store that answers, by position', async (t) => {
  const { archive, run, stores } = await begin(t, ['s3', 'azure'])
  await run()
  assert.ok(stores[0])
  stores[0].fault = down
  const file = await archive.open('r', 'r.wav')
  assert.deepEqual(await file?.stat(), { size: 9 })
  const target = Buffer.alloc(20, '.')
  assert.deepEqual(await file?.read(target, 1, 10, 4), { bytesRead: 5 })
  assert.equal(target.toString(), '.sound..............')
  assert.equal(await archive.open('r', 'other.wav'), undefined)
  assert.ok(stores[1])
  stores[1].fault = down
  await assert.rejects(archive.open('r', 'r.wav'), hasCode('archive.unreachable'))
})

test('removing takes all copies, and says which store did not do it', async (t) => {
  const { archive, run, stores } = await begin(t, ['s3', 'azure'])
  await run()
  const [s3] = stores
  assert.ok(s3)
  s3.fault = new ArchiveError('archive.locked', 'until 2030')
  await assert.rejects(archive.remove('r'), hasCode('archive.locked'))
  assert.deepEqual([...new Set((await archive.of('r')).map(({ store }) => store))], ['s3'])
  s3.fault = undefined
  assert.equal((await archive.remove('r')).length, 2)
  assert.deepEqual(
    stores.map(({ objects }) => objects.size),
    [0, 0],
  )
})

test('a sound file that is neither on the disk nor in the store is told as gone', async (t) => {
  const { archive, folder } = await begin(t, ['s3'])
  rmSync(join(folder, 'r.wav'))
  const context = { signal: new AbortController().signal, remember: () => Promise.resolve() }
  await assert.rejects(archive.store('r', 's3', {}, context), hasCode('archive.file-gone'))
})

test('copies move to the colder class at their age', async (t) => {
  const { archive, jobs, pass, run, stores } = await begin(t, ['s3'], { coldAfterMs: 3 * 3_600_000 })
  jobs.handle(coolKind, { handler: ({ key }) => archive.cool(key.split('/')[0] ?? '', 's3') })
  await run()
  const isCold = () => [...(stores[0]?.objects.values() ?? [])].map(({ cold }) => cold)
  assert.deepEqual(isCold(), [false, false])
  await pass(2 * 3_600_000)
  assert.deepEqual(isCold(), [false, false])
  await pass(3_600_000)
  assert.deepEqual(isCold(), [true, true])
})

test('a recording that is deleted while it is copied leaves nothing in the store', async (t) => {
  const { archive, stores } = await begin(t, ['s3'])
  const [s3] = stores
  assert.ok(s3)
  const abort = new AbortController()
  s3.keep = (content) => {
    abort.abort()
    return content
  }
  // The process dies, or the job is cancelled, when the object is there and its row does not say so yet.
  s3.head = () => Promise.resolve(undefined)
  const put = s3.put.bind(s3)
  s3.put = (...given) => put(...given).then(() => Promise.reject(new Error('cancelled')))
  const context = { signal: abort.signal, remember: () => Promise.resolve() }
  await assert.rejects(archive.store('r', 's3', {}, context))
  assert.equal(s3.objects.size, 1)
  assert.deepEqual(await archive.of('r'), [])
  await archive.remove('r')
  assert.equal(s3.objects.size, 0)
})
