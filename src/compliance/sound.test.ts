import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { ArchiveError } from '../archive/failures.ts'
import { stored, wav } from '../database/test-support.ts'
import type { LifeParts } from '../join-life.ts'
import { opensWith, sealedBytes, testMaster, testSeal } from '../sealing/test-support.ts'
import { asker, sound, unzip, withCallsOf } from './test-support.ts'

const master = testMaster()
const seal = (bytes: Buffer, recordingId = 'c1-r'): Buffer =>
  sealedBytes(testSeal(master, 'AES-256-GCM', recordingId), [
    { position: 0, bytes },
    { position: bytes.length, bytes },
  ]).bytes

/** The person's two calls, with files as they are given. */
async function exporting(t: TestContext, archive?: LifeParts['archive']) {
  const kept = await withCallsOf(t)
  const { recordingDir, serve, clock } = kept
  const { exports, jobs } = serve(7, archive, opensWith(master))
  await jobs.start()
  return {
    ...kept,
    exports,
    /** A file of the first call. */
    file: (ending: string): string =>
      join(
        recordingDir,
        readdirSync(recordingDir).find((name) => name.includes('_c1_') && name.endsWith(ending)) ?? '',
      ),
    /** Through all attempts. */
    make: async () => {
      const { id } = await exports.request({ person: 'sip:+493012345678@carrier.example' }, asker)
      for (let tries = 0; tries < 10; tries++) {
        await jobs.idle()
        if ((await exports.find(id)).state !== 'waiting') break
        clock.advance(600_000)
        jobs.wake()
      }
      const { folder, name } = await exports.fileOf(id)
      const parts = unzip(readFileSync(join(folder, name)))
      const index = JSON.parse(parts.get('index.json')?.toString() ?? '') as {
        readonly incomplete: boolean
        readonly missing: readonly { readonly file: string; readonly why: string }[]
      }
      return { record: await exports.find(id), parts, index }
    },
  }
}

function replace(path: string, name: string, bytes: Buffer): void {
  rmSync(path)
  writeFileSync(name, bytes)
}

test('sealed sound is exported in the clear, under a name that opens', async (t) => {
  const { bus, database, recordingDir, make } = await exporting(t)
  const recordingId = 'c1-s'
  bus.publish({ ...stored('c1', recordingId), baseName: 's', files: [wav('s.wav.sealed')] })
  await database.history.recording(recordingId)
  writeFileSync(join(recordingDir, 's.wav.sealed'), seal(sound, recordingId))

  const { record, parts, index } = await make()

  assert.deepEqual(parts.get('calls/0001_c1/s.wav'), Buffer.concat([sound, sound]))
  assert.equal([...parts.keys()].join('\n').includes('.sealed'), false)
  assert.deepEqual([record.missing, index.incomplete, index.missing], [undefined, false, []])
})

test('of a damaged file the export says that it is; the other files are whole', async (t) => {
  const { file, make } = await exporting(t)
  const path = file('_caller.wav')
  const bytes = seal(sound)
  bytes.writeUInt8((bytes.at(-60) ?? 0) ^ 1, bytes.length - 60)
  replace(path, `${path}.sealed`, bytes)

  const { record, parts, index } = await make()

  assert.equal(record.missing, 1)
  assert.equal(index.incomplete, true)
  const [missing] = index.missing
  assert.match(missing?.file ?? '', /^calls\/0001_c1\/.*_caller\.wav$/)
  assert.match(missing?.why ?? '', /\(sealing\./)
  const wavs = [...parts].filter(([name]) => name.endsWith('.wav') && name !== missing?.file)
  assert.deepEqual(
    wavs.map(([, content]) => content),
    [sound, sound, sound],
  )
})

test('a file that the disk does not give is waited for, and left out only by the last attempt', async (t) => {
  const { file, make, exports } = await exporting(t)
  const path = file('_caller.wav')
  rmSync(path)
  mkdirSync(path)

  const { record, index } = await make()

  assert.equal(record.missing, 1)
  assert.match(index.missing[0]?.why ?? '', /EISDIR/)
  assert.match((await exports.find(record.id)).error ?? '', /EISDIR/)
})

test('sound in a store that does not answer is waited for', async (t) => {
  let asked = 0
  const { file, make } = await exporting(t, {
    remove: () => Promise.resolve([]),
    open: () => {
      asked++
      return asked < 3 ? Promise.reject(new ArchiveError('archive.unreachable')) : Promise.resolve(undefined)
    },
  })
  rmSync(file('_caller.wav'))

  const { index } = await make()

  assert.equal(asked, 3)
  assert.match(index.missing[0]?.why ?? '', /neither on the disk nor in an archive/)
})
