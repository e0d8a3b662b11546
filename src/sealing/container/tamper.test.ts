/** Whatever is done to a sealed file is noticed (issue 5, show 6). */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { SealingError } from '../failures.ts'
import { opensWith, sealedBytes, testMaster, testSeal } from '../test-support.ts'
import { type CipherName, ciphers } from './layout.ts'
import { type OpenKey, SealedReader } from './reader.ts'
import { endSealed } from './repair.ts'

const folder = mkdtempSync(join(tmpdir(), 'patchbay-tamper-'))
after(() => rmSync(folder, { recursive: true }))
const path = join(folder, 'x.wav.sealed')

const master = testMaster()
const openKey = opensWith(master)
const writes = [0, 100, 200, 150].map((position) => ({ position, bytes: randomBytes(100) }))
const headAndKeys = 4096

/** What `verify` says of the file; undefined: it is whole. */
async function verdict(key: OpenKey = openKey): Promise<string | undefined> {
  const file = await open(path)
  try {
    await (await SealedReader.open(file, key)).verify()
    return undefined
  } catch (error) {
    if (error instanceof SealingError) return error.code
    throw error
  } finally {
    await file.close()
  }
}

async function verdictOn(...parts: readonly Buffer[]): Promise<string | undefined> {
  writeFileSync(path, Buffer.concat(parts))
  return verdict()
}

/** In another order, each with the number of its place. */
const numbered = (order: readonly (Buffer | undefined)[]): Buffer[] =>
  order.map((record = Buffer.alloc(0), number) => {
    const changed = Buffer.from(record)
    changed.writeUInt32LE(number, 4)
    return changed
  })

for (const cipher of Object.keys(ciphers) as CipherName[])
  test(`each single byte that is flipped is noticed, in head, keys, records and end (${cipher})`, async () => {
    const { bytes } = sealedBytes(testSeal(master, cipher), writes)
    writeFileSync(path, bytes)
    assert.equal(await verdict(), undefined)
    const file = await open(path, 'r+')
    const missed: number[] = []
    for (let at = cipher === 'AES-256-GCM' ? 0 : headAndKeys; at < bytes.length; at++) {
      await file.write(Buffer.from([(bytes[at] ?? 0) ^ (1 << (at % 8))]), 0, 1, at)
      if ((await verdict()) === undefined) missed.push(at)
      await file.write(bytes, at, 1, at)
    }
    await file.close()
    assert.deepEqual(missed, [])
    assert.equal(await verdict(), undefined)
  })

test('each record that is dropped, doubled, swapped with the next, or zeroed is noticed', async () => {
  const { bytes, records } = sealedBytes(testSeal(master), writes)
  const start = bytes.subarray(0, headAndKeys)
  for (const [index, record] of records.entries()) {
    const [before, behind] = [records.slice(0, index), records.slice(index + 1)]
    const [next] = behind
    assert.ok(await verdictOn(start, ...before, ...behind), `${index} dropped`)
    assert.ok(await verdictOn(start, ...before, record, record, ...behind), `${index} doubled`)
    assert.ok(await verdictOn(start, ...before, Buffer.alloc(record.length), ...behind), `${index} zeroed`)
    if (next) assert.ok(await verdictOn(start, ...before, next, record, ...behind.slice(1)), `${index} swapped`)
  }
  assert.equal(await verdictOn(start, ...records), undefined)
})

test('a record that is dropped, doubled or swapped is noticed though its number is made to fit', async () => {
  const { bytes, records } = sealedBytes(testSeal(master), writes)
  const start = bytes.subarray(0, headAndKeys)
  const [a, b, c, d, end] = records
  for (const order of [[a, c, d, end], [b, c, d, end], [a, a, b, c, d, end], [a, c, b, d, end], [a, b, c, end], [end]])
    assert.ok(await verdictOn(start, ...numbered(order)))
})

test('truncation at each byte is noticed, and bytes behind the end are', async () => {
  const { bytes } = sealedBytes(testSeal(master), writes)
  for (let length = 0; length < bytes.length; length += length < headAndKeys ? 97 : 1)
    assert.ok(await verdictOn(bytes.subarray(0, length)), `${length}`)
  for (const more of [Buffer.alloc(1), Buffer.alloc(36), randomBytes(100)]) assert.ok(await verdictOn(bytes, more))
})

test('records of another file of the same recording, and of the same file sealed anew, are noticed', async () => {
  const seal = testSeal(master)
  const own = sealedBytes(seal, writes)
  const start = own.bytes.subarray(0, headAndKeys)
  for (const other of [
    sealedBytes(seal, writes, 'y.wav'),
    sealedBytes(seal, writes),
    sealedBytes(testSeal(master), writes),
  ]) {
    for (const [index, foreign] of other.records.entries())
      assert.ok(await verdictOn(start, ...own.records.with(index, foreign)), `${index}`)
    assert.ok(await verdictOn(start, ...other.records))
  }
})

test('a head or a key of another file is noticed', async () => {
  const seal = testSeal(master)
  const own = sealedBytes(seal, writes).bytes
  const renamed = sealedBytes(seal, writes, 'y.wav').bytes
  const foreign = sealedBytes(testSeal(master, 'AES-256-GCM', 'recording-2'), writes).bytes
  assert.ok(await verdictOn(renamed.subarray(0, 512), own.subarray(512)))
  assert.ok(await verdictOn(own.subarray(0, 512), foreign.subarray(512, 4096), own.subarray(4096)))
  // The key of the same recording is the same key: nothing was changed.
  assert.equal(await verdictOn(own.subarray(0, 512), renamed.subarray(512, 4096), own.subarray(4096)), undefined)
})

test('a key in the place that should be free is noticed', async () => {
  const { bytes } = sealedBytes(testSeal(master), writes)
  const place = bytes.subarray(512, 512 + 1792)
  assert.equal(await verdictOn(bytes.subarray(0, 2304), place, bytes.subarray(4096)), 'sealing.damaged')
})

test('what was changed in a file that a crash cut off, and in one that was ended after it, is noticed', async () => {
  const { bytes, records } = sealedBytes(testSeal(master), writes)
  writeFileSync(path, bytes.subarray(0, bytes.length - (records.at(-1)?.length ?? 0)))
  const file = await open(path, 'r+')
  await endSealed(file, await SealedReader.open(file, openKey), {
    patches: [{ position: 3, bytes: Buffer.from('x') }],
    size: 250,
  })
  const ended = await file.readFile()
  assert.equal(await verdict(), undefined)
  for (let at = headAndKeys; at < ended.length; at++) {
    await file.write(Buffer.from([(ended[at] ?? 0) ^ 0x40]), 0, 1, at)
    assert.ok(await verdict(), `${at}`)
    await file.write(ended, at, 1, at)
  }
  await file.close()
})
