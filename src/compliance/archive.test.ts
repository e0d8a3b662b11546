import assert from 'node:assert/strict'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { opensWith, testMaster, testSeal, writeSealed } from '../sealing/test-support.ts'
import { writeArchive } from './archive.ts'
import { sound, unzip, withCallsOf } from './test-support.ts'

test('a sealed recording lies in an export under the name that players know', async (t) => {
  const { database, recordingDir, folder } = await withCallsOf(t)
  const { history } = database
  const master = testMaster()
  const files =
    (await history.call('c1'))?.recordings.flatMap((recording) => recording.files.map(({ name }) => name)) ?? []
  assert.equal(files.length, 2)
  for (const name of files) {
    rmSync(join(recordingDir, name))
    await writeSealed(join(recordingDir, `${name}.sealed`), testSeal(master), [{ position: 0, bytes: sound }])
  }
  const call: typeof history.call = async (callId) => {
    const found = await history.call(callId)
    const recordings = found?.recordings.map((recording) => ({
      ...recording,
      files: recording.files.map((file) => ({ ...file, name: `${file.name}.sealed` })),
    }))
    return found && { ...found, recordings: recordings ?? [] }
  }
  const path = join(folder, 'x.zip')
  await writeArchive(
    { path, callIds: ['c1'], about: {}, last: true, progress: () => {}, signal: new AbortController().signal },
    {
      history: { call, messages: (id) => history.messages(id), metadata: (id) => history.metadata(id) },
      cdr: database.cdr,
      labels: database.labels,
      auditOf: () => Promise.resolve([]),
      recordingDir,
      openKey: opensWith(master),
      copyOf: () => Promise.resolve(undefined),
    },
  )
  const parts = [...unzip(readFileSync(path))].filter(([name]) => name.includes('.wav'))
  assert.deepEqual(
    parts.map(([name, bytes]) => [name.split('/').at(-1), bytes]),
    files.map((name) => [name, sound]),
  )
})
