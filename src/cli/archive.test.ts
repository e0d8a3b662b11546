import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { withDatabase } from '../administration.ts'
import { FakeClock } from '../core/fake-clock.ts'
import { loadSettings } from '../core/settings/load.ts'
import { ended, started, stored } from '../database/test-support.ts'
import { FactBus } from '../events/bus.ts'
import { runArchive } from './archive.ts'
import { UsageError } from './expected.ts'

const copy = { key: 'k', uri: 'file:///k', bytes: 1, sha256: '00', storedAtMs: 1, cold: false } as const

/** 250 recordings on the disk; of `r000` there is a copy, of `r001` half of one, and `r002` has no file any more. */
async function recordedBefore(t: TestContext, more: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-backfill-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const recordings = join(folder, 'recordings')
  mkdirSync(recordings)
  const env = { DATA_DIR: folder, RECORDING_DIR: recordings, ...more }
  const { settings } = loadSettings({ env })
  await withDatabase(settings, async (database) => {
    const bus = new FactBus()
    const journal = database.keep(bus, new FakeClock())
    for (let number = 0; number < 250; number++) {
      const id = `r${String(number).padStart(3, '0')}`
      bus.publish(started(id))
      bus.publish(ended(id))
      bus.publish(stored(id, id))
      if (number !== 2) writeFileSync(join(recordings, `${id}.wav`), 'x')
    }
    bus.publish(started('live'))
    bus.publish({ name: 'recording.started', atMs: 1, callId: 'live', recordingId: 'live', folder: recordings })
    await journal.flush()
    await database.locations.put({ ...copy, recordingId: 'r000', store: 'local', file: 'r000.wav' })
    await database.locations.put({ ...copy, recordingId: 'r001', store: 'local', file: 'r001.wav', storedAtMs: 0 })
  })
  const lines: string[] = []
  t.mock.method(console, 'log', (line: string) => lines.push(line))
  return {
    settings,
    run: async (given: Record<string, boolean> = {}) => {
      assert.equal(await runArchive(settings, { rest: ['backfill'], given }), 0)
      return lines.splice(0)
    },
    jobs: () =>
      withDatabase(settings, async ({ jobs }) => ({
        counts: await jobs.counts(),
        first: (await jobs.list({ limit: 1 })).items.map(({ key, priority, subject }) => [key, priority, subject]),
      })),
  }
}

const gone = 'r002\ta file of it is not on the disk'

test('recordings without a whole copy get a job for each store, behind those of new ones; a dry run only counts', async (t) => {
  const { run, jobs } = await recordedBefore(t, {
    RECORDING_STORAGE_ENABLED: 'true',
    RECORDING_STORAGE_LOCAL_DIR: '/archive',
    RECORDING_STORAGE_S3_ENABLED: 'true',
    RECORDING_STORAGE_S3_BUCKET: 'b',
    RECORDING_PROOF: 'false',
  })

  assert.deepEqual(await run({ 'dry-run': true }), [
    '249 recordings lack a copy or proof; 497 jobs would be added',
    gone,
  ])
  assert.deepEqual((await jobs()).counts, [])
  assert.deepEqual(await run(), ['249 recordings lacked a copy or proof; 497 jobs added', gone])
  await run()
  const { counts, first } = await jobs()
  assert.deepEqual(counts, [
    { kind: 'recording.archive.local', state: 'waiting', jobs: 248 },
    { kind: 'recording.archive.s3', state: 'waiting', jobs: 249 },
  ])
  assert.deepEqual(first, [['r000', 'idle', 'r000']])
})

test('where the proof is missing it is made first, and the copies follow from it', async (t) => {
  const { run, jobs } = await recordedBefore(t, { RECORDING_STORAGE_ENABLED: 'false' })

  assert.deepEqual(await run(), ['249 recordings lacked a copy or proof; 249 jobs added', gone])
  assert.deepEqual((await jobs()).counts, [{ kind: 'recording.prove', state: 'waiting', jobs: 249 }])
})

test('without a store and without proof there is nothing to fill', async (t) => {
  const { settings } = await recordedBefore(t, { RECORDING_PROOF: 'false' })
  await assert.rejects(runArchive(settings, { rest: ['backfill'], given: {} }), UsageError)
  await assert.rejects(runArchive(settings, { rest: ['push'], given: {} }), UsageError)
})
