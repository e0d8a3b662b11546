/** A process that dies when a recording is on the disk and not yet in the database. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { FakeClock } from '../src/core/fake-clock.ts'
import { silentLogger } from '../src/core/logger.ts'
import { openDatabase } from '../src/database/open.ts'
import { ended, legStarted, started } from '../src/database/test-support.ts'
import { FactBus } from '../src/events/bus.ts'
import { Recordings } from '../src/recording/service.ts'
import { HearingPort, noise } from '../src/recording/test-support.ts'
import { startTestServer } from './support/in-process.ts'
import { until } from './support/until.ts'

test('a recording whose row was not written before a kill is in the database after the next start, once, and copied', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-window-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const recordingDir = join(folder, 'recordings')
  const dataDir = join(folder, 'data')
  const archive = join(folder, 'archive')
  for (const path of [dataDir, archive]) mkdirSync(path)
  const id = await dieBeforeTheRow(recordingDir, join(dataDir, 'patchbay.db'))
  assert.deepEqual(readdirSync(join(recordingDir, 'unfinished')), ['x.json'])
  assert.ok(existsSync(join(recordingDir, 'x.json')))

  const settings = {
    'recording.dir': recordingDir,
    'data.dir': dataDir,
    'storage.enabled': true,
    'storage.local.dir': archive,
    'storage.local.prefix': 'copies',
  }
  const copies = ['x.json', 'x.wav', 'x_caller.wav'].map((name) => join(archive, 'copies', name))
  for (const start of ['first', 'second']) {
    const server = await startTestServer(settings)
    try {
      const { items } = await until('the recording', 10_000, async () => {
        const page = await server.api.recordings()
        return page.items[0]?.state === 'stored' && page
      })
      const found = items.map((recording) => [recording.id, recording.files.map(({ name }) => name).sort()])
      assert.deepEqual(found, [[id, ['x.wav', 'x_caller.wav']]])
      if (start === 'first') await until('the copies', 10_000, () => copies.every((path) => existsSync(path)))
    } finally {
      await server.close()
    }
    assert.deepEqual(readdirSync(join(recordingDir, 'unfinished')), [])
    // The second start does none of it again.
    if (start === 'first') for (const path of copies) rmSync(path)
    else assert.ok(!copies.some((path) => existsSync(path)))
  }
})

/** @returns The id of the recording. */
async function dieBeforeTheRow(recordingDir: string, path: string): Promise<string> {
  const clock = new FakeClock()
  const database = await openDatabase({ path, log: silentLogger })
  const kept = new FactBus()
  const journal = database.keep(kept, clock)
  const bus = new FactBus()
  bus.onAny((fact) => {
    if (fact.name !== 'recording.stored') kept.publish(fact)
  })
  bus.publish(started('c'))
  bus.publish(legStarted('c', 'l'))
  const recordings = new Recordings({
    folder: recordingDir,
    isKept: (recordingId) => database.isKept(recordingId),
    bus,
    clock,
    log: silentLogger,
  })
  const port = new HearingPort({ samples: noise(1, 16_000), startedAtMs: clock.wallMs() })
  const recording = recordings.start({ callId: 'c', name: 'x', tracks: [{ legId: 'l', role: 'caller', port }] })
  await recording.stop()
  bus.publish(ended('c'))
  await journal.close()
  await database.close()
  return recording.id
}
