import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { describeFile } from '../local-file.ts'
import { hasCode, putOptions, someFile, storeContract } from '../test-support.ts'
import { LocalStore } from './store.ts'

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-local-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

storeContract('folder', 'calls/', (t) => Promise.resolve(new LocalStore(folderOf(t))))

test('a folder that is not there is no store: a share that is not mounted must not be filled', async (t) => {
  const store = new LocalStore(join(folderOf(t), 'not mounted'))
  const file = await describeFile(someFile(t, 10).path)
  await assert.rejects(store.put('a.wav', file, putOptions(file)), hasCode('archive.no-bucket'))
  await assert.rejects(store.head('a.wav'), hasCode('archive.no-bucket'))
})
