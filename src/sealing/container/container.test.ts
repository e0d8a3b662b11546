import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { type FileHandle, open, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { SealingError } from '../failures.ts'
import { openStored, readStored } from '../stored-file.ts'
import { opensWith, sealedBytes, testMaster, testSeal, type Write, writeSealed } from '../test-support.ts'
import type { CipherName } from './layout.ts'
import { ciphers, maxBodyBytes } from './layout.ts'
import { SealedReader } from './reader.ts'
import { endSealed } from './repair.ts'
import { sealedWhole } from './sealer.ts'

const folder = mkdtempSync(join(tmpdir(), 'patchbay-sealed-'))
after(() => rmSync(folder, { recursive: true }))

const master = testMaster()
const openKey = opensWith(master)
const path = join(folder, 'x.wav.sealed')

/** What a plain file would hold after the same writes. */
function plain(writes: readonly Write[]): Buffer {
  const bytes = Buffer.alloc(Math.max(0, ...writes.map(({ position, bytes: { length } }) => position + length)))
  for (const write of writes) write.bytes.copy(bytes, write.position)
  return bytes
}

async function reading<Result>(use: (reader: SealedReader, file: FileHandle) => Promise<Result>): Promise<Result> {
  const file = await open(path, 'r+')
  try {
    return await use(await SealedReader.open(file, openKey), file)
  } finally {
    await file.close()
  }
}

/** A header, blocks, one that came late, a gap, a block over the edge of another, and the header again. */
const call: Write[] = [
  { position: 0, bytes: randomBytes(654) },
  { position: 654, bytes: randomBytes(8000) },
  { position: 8654, bytes: randomBytes(8000) },
  { position: 700, bytes: randomBytes(320) },
  { position: 200_000, bytes: randomBytes(8000) },
  { position: 204_000, bytes: randomBytes(8000) },
  { position: 0, bytes: randomBytes(654) },
]

for (const cipher of Object.keys(ciphers) as CipherName[])
  test(`what was sealed with ${cipher} is read back, later writes over earlier ones, gaps as zeros`, async () => {
    await writeSealed(path, testSeal(master, cipher), call)

    assert.deepEqual(await readStored(path, { openKey }), plain(call))
    await reading((reader) => reader.verify())
  })

test('any range is read as from the plain file', async () => {
  await writeSealed(path, testSeal(master), call)
  const whole = plain(call)
  const file = await openStored(path, { openKey })
  assert.equal(file.size, whole.length)
  for (const [from, length] of [
    [0, 1],
    [650, 10],
    [699, 400],
    [8653, 2],
    [16_654, 1000],
    [199_999, 4002],
    [211_990, 100],
    [212_000, 10],
    [0, 300_000],
  ] as const) {
    const target = Buffer.alloc(length + 2, 0xaa)
    const { bytesRead } = await file.read(target, 1, length, from)
    const expected = whole.subarray(from, from + length)
    assert.equal(bytesRead, expected.length, `${from}+${length}`)
    assert.deepEqual(target.subarray(1, 1 + bytesRead), expected, `${from}+${length}`)
    assert.equal(target[0], 0xaa)
    assert.equal(target[1 + bytesRead], 0xaa)
  }
  await file.close()
  await file.close()
})

test('writes longer than a record are cut, and a file of many megabytes is read', async () => {
  const writes = [{ position: 5, bytes: randomBytes(3 * maxBodyBytes + 17) }]
  await writeSealed(path, testSeal(master), writes)

  assert.deepEqual(await readStored(path, { openKey }), plain(writes))
})

test('a small file is sealed at once, and nothing of it stands in the clear', async () => {
  const text = Buffer.from('{"participants":["sip:101@example.com"]}')
  writeFileSync(path, sealedWhole(testSeal(master), 'x.json', 1, text))

  assert.deepEqual(await readStored(path, { openKey }), text)
  assert.ok(!sealedWhole(testSeal(master), 'x.json', 1, text).includes('101@example'))
})

test('two files of a recording, and one sealed twice, have nothing in common behind their keys', () => {
  const seal = testSeal(master)
  const [one, two] = [sealedBytes(seal, call).bytes, sealedBytes(seal, call).bytes]
  assert.notDeepEqual(one.subarray(4096), two.subarray(4096))
})

test('without the master key, or with another, nothing is read', async () => {
  await writeSealed(path, testSeal(master), call)

  await assert.rejects(openStored(path), { code: 'sealing.key-missing' })
  await assert.rejects(openStored(path, { openKey: opensWith(testMaster()) }), { code: 'sealing.key-refused' })
})

test('a file of another kind, or of a version to come, is refused by name', async () => {
  await writeSealed(path, testSeal(master), call)
  await reading(async (_, file) => file.write(Buffer.from([2]), 0, 1, 8))
  await assert.rejects(openStored(path, { openKey }), { code: 'sealing.unknown-version' })

  writeFileSync(path, 'RIFF')
  assert.equal((await openStored(path)).sealed, false)
  const file = await open(path)
  await assert.rejects(SealedReader.open(file, openKey), { code: 'sealing.not-sealed' })
  await file.close()
})

test('cut off at any byte, a file is read up to its last whole record', async () => {
  const { bytes, records } = sealedBytes(testSeal(master), call)
  const ends = records.map((_, index) => 4096 + Buffer.concat(records.slice(0, index + 1)).length)
  for (const cut of [4096, 4097, 4100, 4600, ends[0] ?? 0, (ends[0] ?? 0) + 21, (ends[3] ?? 0) - 1, bytes.length - 1]) {
    writeFileSync(path, bytes.subarray(0, cut))
    await assert.rejects(openStored(path, { openKey }), { code: 'sealing.unfinished' }, `${cut}`)

    const whole = ends.filter((end) => end <= cut).length
    assert.deepEqual(await readStored(path, { openKey, unfinished: true }), plain(call.slice(0, whole)), `${cut}`)
  }
})

test('what a crash cut off is ended, and again when the ending was cut off too', async () => {
  const { bytes, records } = sealedBytes(testSeal(master, 'ChaCha20-Poly1305'), call)
  writeFileSync(path, bytes.subarray(0, bytes.length - (records.at(-1)?.length ?? 0) - 3))
  const patch = { position: 0, bytes: randomBytes(654) }
  const left = [...call.slice(0, -1), patch]
  const size = plain(left).length - 1

  for (const again of [false, true]) {
    if (again) await truncate(path, statSync(path).size - 5)
    await reading((reader, file) => endSealed(file, reader, { patches: [patch], size }))
    assert.deepEqual(await readStored(path, { openKey }), plain(left).subarray(0, size))
    await reading((reader) => reader.verify())
  }
})

test('a file whose writing began, and no more, is ended as an empty one', async () => {
  writeFileSync(path, sealedBytes(testSeal(master), call).bytes.subarray(0, 4099))
  await reading((reader, file) => endSealed(file, reader, { size: 0 }))

  assert.deepEqual(await readStored(path, { openKey }), Buffer.alloc(0))
})

test('what a crash left half written is not encrypted again under the same key and number', async () => {
  const { bytes, records } = sealedBytes(testSeal(master), [{ position: 0, bytes: Buffer.alloc(64) }])
  const first = records[0] ?? Buffer.alloc(0)
  writeFileSync(path, bytes.subarray(0, 4096 + first.length - 1))
  const patch = { position: 0, bytes: Buffer.alloc(64) }
  await reading((reader, file) => endSealed(file, reader, { patches: [patch], size: 64 }))

  const file = await open(path)
  const now = Buffer.alloc(bytes.length)
  await file.read(now, 0, now.length, 4096)
  await file.close()
  assert.ok(!now.includes(first.subarray(20, 84)))
})

test('an error of sealing tells its code and what it is about', () => {
  const error = new SealingError('sealing.damaged', 'record 3')
  assert.equal(error.message, 'The sealed file was changed or damaged: record 3')
})
