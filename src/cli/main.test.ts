import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { run } from './main.ts'

/** @returns What stood on stderr, and the status. */
async function refused(t: TestContext, ...args: string[]): Promise<readonly [number, string]> {
  const told = t.mock.method(console, 'error', () => {})
  const status = await run(args)
  const lines = told.mock.calls.map(({ arguments: [line] }) => String(line))
  told.mock.restore()
  assert.equal(lines.length, 1)
  return [status, lines[0] ?? '']
}

test('a file that is not there, or is a folder, is told in one line', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-cli-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const missing = join(folder, 'x.wav.sealed')
  const output = join(folder, 'x.wav')
  const decrypt = (path: string) => refused(t, 'recording', 'decrypt', path, '--output', output)
  assert.deepEqual(await decrypt(missing), [1, `patchbay: ${missing} is not there`])
  const [status, line] = await decrypt(folder)
  assert.equal(status, 1)
  assert.match(line, /is a folder, not a file/)
})

test('a command whose second word is missing or unknown says which there are', async (t) => {
  assert.deepEqual(await refused(t, 'audit'), [1, 'patchbay: audit: give list or verify'])
  assert.deepEqual(await refused(t, 'archive'), [1, 'patchbay: archive: give backfill'])
  assert.deepEqual(await refused(t, 'recording', 'play'), [
    1,
    'patchbay: recording: "play" is not verify, decrypt or keys',
  ])
  assert.deepEqual(await refused(t, 'nonsense'), [2, 'patchbay: there is no command "nonsense"; see patchbay --help'])
})
