/** Both ways of writing; that of the addon where it is built. */
import assert from 'node:assert/strict'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { loadNative } from '../../native-addon.ts'
import { writeAt, writeTogether } from './disk.ts'

const loaded = loadNative()

function files(t: TestContext, count: number) {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-'))
  const made = Array.from({ length: count }, (_, i) => {
    const path = join(folder, String(i))
    return { path, fd: openSync(path, 'w') }
  })
  t.after(() => {
    for (const { fd } of made) closeSync(fd)
    rmSync(folder, { recursive: true })
  })
  return made
}

const writing = (fd: number, bytes: Uint8Array, from: number, position: number) =>
  new Promise<{ error: NodeJS.ErrnoException | null; written: number }>((resolve) =>
    writeAt(fd, bytes, from, position, (error, written) => resolve({ error, written })),
  )

/** What is written to file `i`, first and then. */
const text = (i: number, part: number): Buffer => Buffer.from(`${part} of ${i} `.repeat(1000))

async function writesMany(t: TestContext): Promise<void> {
  const made = files(t, 30)
  for (const part of [0, 1]) {
    const at = (i: number): number => part * text(i, 0).length
    const results = await Promise.all(made.map(({ fd }, i) => writing(fd, text(i, part), 0, at(i))))
    assert.deepEqual(
      results,
      made.map((_, i) => ({ error: null, written: text(i, part).length })),
    )
  }
  for (const [i, { path }] of made.entries())
    assert.equal(readFileSync(path, 'latin1'), text(i, 0).toString() + text(i, 1).toString())
}

async function writesParts(t: TestContext): Promise<void> {
  const [first] = files(t, 1)
  assert.ok(first)
  assert.deepEqual(await writing(first.fd, Buffer.from('--two'), 2, 4), { error: null, written: 3 })
  assert.deepEqual(await writing(first.fd, Buffer.from('one '), 0, 0), { error: null, written: 4 })
  assert.equal(readFileSync(first.path, 'latin1'), 'one two')
}

async function tellsFailures(t: TestContext): Promise<void> {
  const [first] = files(t, 1)
  assert.ok(first)
  const reading = openSync(first.path, 'r')
  t.after(() => closeSync(reading))
  const [failed, other] = await Promise.all([
    writing(reading, Buffer.from('x'), 0, 0),
    writing(first.fd, Buffer.from('y'), 0, 0),
  ])
  assert.equal(failed.error?.code, 'EBADF')
  assert.match(failed.error?.message ?? '', /^EBADF: bad file descriptor, write/)
  assert.equal(other.error, null)
}

test('many files are written at once, each its own bytes in order', writesMany)
test('bytes from the middle go to the middle', writesParts)
test('what cannot be written is told, and nothing else fails for it', tellsFailures)

test('the addon does the same, many writes in one piece of work', {
  skip: 'native' in loaded ? false : loaded.missing,
}, async (t) => {
  if (!('native' in loaded)) return
  let batches = 0
  writeTogether({
    write(places, bytes, done) {
      batches++
      loaded.native.write(places, bytes, done)
    },
  })
  await writesMany(t)
  assert.equal(batches, 2)
  await writesParts(t)
  await tellsFailures(t)
})
