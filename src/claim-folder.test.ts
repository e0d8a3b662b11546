import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { claimFolder } from './claim-folder.ts'

test('a folder has one server at a time', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-claim-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const giveBack = claimFolder(folder)
  assert.throws(() => claimFolder(folder), {
    name: 'StartError',
    message: `${folder} is the data folder of a server that runs; choose another (DATA_DIR)`,
  })
  giveBack()
  claimFolder(folder)()
})
