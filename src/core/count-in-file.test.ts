import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { countInFile } from './count-in-file.ts'

test('a text is found wherever it stands, once, also across two pieces that are read', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-count-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'file')
  const bytes = Buffer.alloc(3 << 20)
  for (const at of [0, 500, (1 << 20) - 3, (2 << 20) - 7, (3 << 20) - 7]) bytes.write('4930123', at)
  bytes.write('Bob@Example.com', 1_000)
  writeFileSync(path, bytes)
  assert.equal(await countInFile(path, ['4930123']), 5)
  assert.equal(await countInFile(path, ['bob@example.com', '4930123']), 6)
  assert.equal(await countInFile(path, ['4930124']), 0)
  assert.equal(await countInFile(path, []), 0)
})
