import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { withDatabase } from '../administration.ts'
import { LocalStore } from '../archive/local/store.ts'
import { unzip } from '../compliance/test-support.ts'
import { FakeClock } from '../core/fake-clock.ts'
import { loadSettings } from '../core/settings/load.ts'
import { ended, started, stored } from '../database/test-support.ts'
import { FactBus } from '../events/bus.ts'
import type { CommandContext } from './commands.ts'
import { runExport } from './compliance.ts'

const sound = Buffer.from('RIFF, and what was said')

/** A call whose sound is in the archive alone. */
async function archived(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-export-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const store = join(folder, 'archive')
  for (const name of ['archive', 'recordings']) mkdirSync(join(folder, name))
  const env = {
    DATA_DIR: join(folder, 'data'),
    RECORDING_DIR: join(folder, 'recordings'),
    RECORDING_STORAGE_ENABLED: 'true',
    RECORDING_STORAGE_LOCAL_DIR: store,
    RECORDING_STORAGE_KEEP_LOCAL: 'false',
  }
  const { settings } = loadSettings({ env })
  const sha256 = createHash('sha256').update(sound).digest('hex')
  const [file] = stored('c1', 'r1').files
  await withDatabase(settings, async (database) => {
    const bus = new FactBus()
    const journal = database.keep(bus, new FakeClock())
    bus.publish(started('c1'))
    bus.publish(stored('c1', 'r1'))
    bus.publish(ended('c1'))
    await journal.flush()
    await database.locations.put({
      recordingId: 'r1',
      file: file?.name ?? '',
      store: 'local',
      key: 'sound.wav',
      uri: new LocalStore(store).uri('sound.wav'),
      bytes: sound.length,
      sha256,
      storedAtMs: 1,
      cold: false,
    })
  })
  writeFileSync(join(store, 'sound.wav'), sound)
  const output = join(folder, 'out.zip')
  const said: string[] = []
  for (const stream of ['log', 'error'] as const) t.mock.method(console, stream, (line: string) => said.push(line))
  return {
    store,
    settings,
    said,
    export: () => runExport(settings, { rest: [], given: { call: 'c1' }, output } as unknown as CommandContext),
    sounds: () => [...unzip(readFileSync(output))].filter(([name]) => name.endsWith('.wav')).map(([, bytes]) => bytes),
  }
}

test('an export at the command line has the sound that is in the archive alone', async (t) => {
  const desk = await archived(t)
  assert.equal(await desk.export(), 0, desk.said.join('\n'))
  assert.deepEqual(desk.sounds(), [sound])
})

test('an export that lacks a file names it and ends with 1', async (t) => {
  const desk = await archived(t)
  rmSync(join(desk.store, 'sound.wav'))
  assert.equal(await desk.export(), 1)
  assert.match(desk.said.join('\n'), /calls\/0001_c1\/\S+\.wav is missing: it cannot be read \(archive\.object-gone\)/)
  assert.deepEqual(desk.sounds(), [])
})
