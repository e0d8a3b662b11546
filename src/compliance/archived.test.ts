import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Archive, present } from '../archive/archive.ts'
import { ArchiveError } from '../archive/failures.ts'
import { MemoryStore } from '../archive/test-support.ts'
import { silentLogger } from '../core/logger.ts'
import { asker, erika, number, sound, unzip, whoNames, withCallsOf } from './test-support.ts'

/** The sound of the first call is in a store alone. */
async function archived(t: TestContext) {
  const kept = await withCallsOf(t)
  const { serve, database, recordingDir, bus, clock } = kept
  const store = new MemoryStore('s3')
  const archive = new Archive({
    stores: [{ store, prefix: '{to}' }],
    locations: database.locations,
    folder: recordingDir,
    filesOf: (recording) => present(recordingDir, recording.files),
    plainName: (file) => file,
    keepLocal: false,
    readBack: false,
    coldAfterMs: 0,
    addJobs: () => Promise.resolve(),
    clock,
    bus,
    log: silentLogger,
  })
  const context = { signal: new AbortController().signal, remember: () => Promise.resolve() }
  await archive.store('c1-r', 's3', {}, context)
  await archive.removeLocal('c1-r')
  assert.equal(store.objects.size, 2)
  return { ...kept, store, ...serve(7, archive) }
}

test('sound that is only in an archive is exported from there, and erased there', async (t) => {
  const { exports, erasures, jobs, store, database, folder } = await archived(t)
  await jobs.start()
  const { id } = await exports.request({ callId: 'c1' }, asker)
  await jobs.idle()
  const { folder: where, name } = await exports.fileOf(id)
  const wavs = [...unzip(readFileSync(join(where, name)))].filter(([path]) => path.endsWith('.wav'))
  assert.deepEqual(
    wavs.map(([, bytes]) => bytes),
    [sound, sound],
  )
  assert.deepEqual((await erasures.preview({ person: erika.uri })).copies, { s3: 2 })
  const erasure = await erasures.begin({ person: erika.uri }, 'asked', asker)
  await jobs.idle()
  assert.deepEqual((await erasures.find(erasure.id)).report?.copies, { s3: 2 })
  assert.equal(store.objects.size, 0)
  assert.deepEqual(await database.locations.of('c1-r'), [])
  assert.deepEqual(whoNames(join(folder, 'recordings'), number), [])
})

test('an erasure that a locked copy holds up says so, and counts in the end what every attempt removed', async (t) => {
  const { erasures, jobs, store, clock } = await archived(t)
  const remove = t.mock.method(store, 'remove')
  remove.mock.mockImplementationOnce(() => Promise.reject(new ArchiveError('archive.locked', 'until tomorrow')), 1)
  const { id } = await erasures.begin({ person: erika.uri }, 'asked', asker)
  await jobs.start()
  await jobs.idle()
  const held = await erasures.find(id)
  assert.equal(held.state, 'running')
  assert.match(held.waits ?? '', /^1 calls are still there: .*\(archive\.locked\)$/)
  assert.equal(store.objects.size, 1)
  clock.advance(600_000)
  jobs.wake()
  await jobs.idle()
  const { state, waits, report } = await erasures.find(id)
  assert.deepEqual([state, waits, report?.copies, store.objects.size], ['done', undefined, { s3: 2 }, 0])
})
