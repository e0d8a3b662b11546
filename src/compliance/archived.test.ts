import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Archive, present } from '../archive/archive.ts'
import { MemoryStore } from '../archive/test-support.ts'
import { silentLogger } from '../core/logger.ts'
import { asker, erika, number, sound, unzip, whoNames, withCallsOf } from './test-support.ts'

test('sound that is only in an archive is exported from there, and erased there', async (t) => {
  const { serve, database, recordingDir, bus, clock, folder } = await withCallsOf(t)
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
  const { exports, erasures, jobs } = serve(7, archive)
  await jobs.start()
  const { id } = await exports.request({ callId: 'c1' }, asker)
  await jobs.idle()
  const { folder: where, name } = await exports.fileOf(id)
  const wavs = [...unzip(readFileSync(join(where, name)))].filter(([path]) => path.endsWith('.wav'))
  assert.deepEqual(
    wavs.map(([, bytes]) => bytes),
    [sound, sound],
  )
  await erasures.begin({ person: erika.uri }, 'asked', asker)
  await jobs.idle()
  assert.equal(store.objects.size, 0)
  assert.deepEqual(await database.locations.of('c1-r'), [])
  assert.deepEqual(whoNames(join(folder, 'recordings'), number), [])
})
