import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { promisify } from 'node:util'
import { PositionalFile } from './positional-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'patchbay-file-'))
after(() => rmSync(folder, { recursive: true }))

test('writes are done in their order, later ones over earlier ones, and buffers come back', async () => {
  const path = join(folder, 'order')
  const file = new PositionalFile(path, assert.fail)
  let returned = 0
  const done = (): unknown => returned++
  file.write(Buffer.from('abcdef'), 0, done)
  file.write(Buffer.from('XY'), 2, done)
  file.write(Buffer.from('Z'), 8, done)
  assert.equal(await file.close(), true)
  assert.equal(readFileSync(path, 'latin1'), 'abXYef\0\0Z')
  assert.equal(returned, 3)
})

test('a disk that takes nothing is given up before it fills the memory', () => {
  const failures: string[] = []
  const file = new PositionalFile(join(folder, 'slow'), (text) => failures.push(text))
  let returned = 0
  // The file is not even open before the next turn of the loop.
  for (let i = 0; i < 100; i++) file.write(Buffer.alloc(8000), i * 8000, () => returned++)
  assert.deepEqual(failures, ['the disk is too slow'])
  assert.equal(returned, 100)
  return file.close().then(() => {})
})

test('a full disk is told once, and what was written stays', { skip: process.platform === 'win32' }, async () => {
  const path = join(folder, 'full')
  const program = `
    import { PositionalFile } from ${JSON.stringify(join(import.meta.dirname, 'positional-file.ts'))}
    const file = new PositionalFile(${JSON.stringify(path)}, (text) => console.log(text))
    for (let i = 0; i < 10; i++) file.write(Buffer.alloc(4096, 'x'), i * 4096)
    console.log(await file.close())`
  // Files of more than 8 KiB are refused to this process, as a full disk refuses them: 16 blocks of 512 bytes.
  const shell = 'ulimit -f 16; exec "$0" --disable-warning=ExperimentalWarning --input-type=module -e "$1"'
  const { stdout } = await promisify(execFile)('sh', ['-c', shell, process.execPath, program])
  assert.match(stdout, /^EFBIG[^\n]*\ntrue\n$/)
  assert.equal(statSync(path).size, 8192)
})
