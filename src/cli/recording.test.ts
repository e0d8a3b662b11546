import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { withDatabase } from '../administration.ts'
import { readWav } from '../codec/wav.ts'
import { systemClock } from '../core/clock.ts'
import { silentLogger } from '../core/logger.ts'
import { loadSettings } from '../core/settings/load.ts'
import type { Settings } from '../core/settings/schema.ts'
import { keyRingOf } from '../join-sealing.ts'
import { sealedBytes } from '../sealing/test-support.ts'
import { runRecording } from './recording.ts'

interface Desk {
  readonly folder: string
  readonly settings: Settings
  /** @returns The status, and what was printed. */
  run(words: string, given?: Record<string, string | boolean>): Promise<readonly [number, readonly string[]]>
}

function desk(t: TestContext, more: Record<string, unknown> = {}): Desk {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-recording-cli-'))
  t.after(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, 'recordings'))
  const overrides = { 'data.dir': join(folder, 'data'), 'recording.dir': join(folder, 'recordings'), ...more }
  const { settings } = loadSettings({ env: {}, overrides })
  const printed: string[] = []
  t.mock.method(console, 'log', (line: string) => printed.push(line))
  t.mock.method(console, 'error', (line: string) => printed.push(line))
  const run: Desk['run'] = async (words, given = {}) => {
    printed.length = 0
    return [await runRecording(settings, { rest: words.split(' '), given }), [...printed]]
  }
  return { folder, settings, run }
}

const sound = randomBytes(5000)

async function sealed({ folder, settings }: Desk, name = 'x.wav.sealed'): Promise<string> {
  const ring = keyRingOf(settings, systemClock, silentLogger)
  await ring.begin()
  const path = join(folder, 'recordings', name)
  writeFileSync(path, sealedBytes(ring.newSeal('r1'), [{ position: 0, bytes: sound }]).bytes)
  ring.close()
  return path
}

test('a sealed file is decrypted to a plain one, which is never written over', async (t) => {
  const all = desk(t)
  const path = await sealed(all)
  const output = join(all.folder, 'x.wav')
  assert.deepEqual(await all.run(`decrypt ${path}`, { output }), [0, [output]])
  assert.deepEqual(readFileSync(output), sound)
  await assert.rejects(all.run(`decrypt ${path}`, { output }), /is there already/)
})

test('the audit record names the recording that was decrypted, and never the file: numbers of people stand in names', async (t) => {
  const all = desk(t)
  const number = '493012345678'
  const path = await sealed(all, `2026-11-20_101_${number}_x.wav.sealed`)
  await withDatabase(all.settings, () => Promise.resolve())
  await all.run(`decrypt ${path}`, { output: join(all.folder, 'x.wav') })
  const records = await withDatabase(all.settings, ({ audit }) => audit.list({ limit: 9 }))
  assert.deepEqual(
    records.map(({ action, subject }) => [action, subject]),
    [['recording.decrypted', 'recording:r1']],
  )
  assert.equal(JSON.stringify(records).includes(number), false)
})

test('of a file that was changed no half is left; of one that was cut off the readable part when asked for', async (t) => {
  const all = desk(t)
  const path = await sealed(all)
  const output = join(all.folder, 'x.wav')
  const bytes = readFileSync(path)
  const changed = Buffer.from(bytes)
  changed[4200] = (changed[4200] ?? 0) ^ 1
  writeFileSync(path, changed)
  await assert.rejects(all.run(`decrypt ${path}`, { output }), { code: 'sealing.damaged' })
  assert.ok(!existsSync(output))
  writeFileSync(path, bytes.subarray(0, -36))
  await assert.rejects(all.run(`decrypt ${path}`, { output }), { code: 'sealing.unfinished' })
  assert.equal((await all.run(`decrypt ${path}`, { output, unfinished: true }))[0], 0)
  assert.deepEqual(readFileSync(output), sound)
})

test('keys are listed and rotated; files are wrapped anew and need the former key no more', async (t) => {
  const all = desk(t)
  const path = await sealed(all)
  const before = readFileSync(path)
  const [, [first = '']] = await all.run('keys list')
  assert.match(first, /^file:\S+\t\d{4}-\S+\tin force$/)
  const [, [rotated = '']] = await all.run('keys rotate')
  const [, listed] = await all.run('keys list')
  assert.deepEqual(
    listed.map((line) => line.endsWith('in force')),
    [false, true],
  )
  assert.match((await all.run('keys rewrap'))[1][0] ?? '', /^1 files are under file:/)
  assert.match((await all.run('keys rewrap'))[1][0] ?? '', /^0 files/)
  mkdirSync(join(dirname(path), 'unfinished'), { recursive: true })
  writeFileSync(join(dirname(path), 'unfinished', 'x.json.sealed'), '')
  assert.match((await all.run('keys rewrap'))[1][1] ?? '', /^1 recordings are not finished/)
  assert.deepEqual(readFileSync(path).subarray(4096), before.subarray(4096))
  const keys = join(all.folder, 'data', 'keys')
  for (const name of readdirSync(keys))
    if (name.startsWith('master-') && !rotated.includes(name.slice(7, -4))) rmSync(join(keys, name))
  assert.equal((await all.run(`decrypt ${path}`, { output: join(all.folder, 'y.wav') }))[0], 0)
})

test('a file of loreste/siprec is decrypted with the key of its environment', async (t) => {
  const { createCipheriv } = await import('node:crypto')
  const key = randomBytes(32)
  const all = desk(t, { 'sealing.masterKey': key.toString('base64') })
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  const ciphertext = Buffer.concat([cipher.update(sound), cipher.final(), cipher.getAuthTag()]).toString('base64')
  const parts = [
    { magic: [...Buffer.from('SIPREC01')], version: 1, algorithm: 'AES-256-GCM' },
    { algorithm: 'AES-256-GCM', nonce: nonce.toString('base64'), ciphertext },
  ].map((value) => {
    const text = Buffer.from(JSON.stringify(value))
    const length = Buffer.alloc(4)
    length.writeUInt32LE(text.length)
    return Buffer.concat([length, text])
  })
  const path = join(all.folder, 'a.siprec')
  writeFileSync(path, Buffer.concat(parts))
  const output = join(all.folder, 'a.wav')
  await withDatabase(all.settings, () => Promise.resolve())
  assert.equal((await all.run(`decrypt ${path}`, { output }))[0], 0)
  const [record] = await withDatabase(all.settings, ({ audit }) => audit.list({ limit: 1 }))
  const sha256 = createHash('sha256').update(readFileSync(path)).digest('hex')
  assert.equal(record?.subject, `file:sha256:${sha256}`)
  const wav = await readWav(output)
  assert.deepEqual([wav.sampleRateHz, wav.samples], [8000, 2500])
  assert.deepEqual(Buffer.from(wav.pcm.buffer), sound)
})

test('verify needs a name or --all, and knows what it does not know', async (t) => {
  const all = desk(t)
  await assert.rejects(all.run('verify'), /give a name, or --all/)
  await assert.rejects(all.run('verify nobody'), { code: 'proof.unknown-recording' })
  const [status, lines] = await all.run('verify', { all: true })
  assert.equal(status, 0)
  assert.match(lines.join(), /0 recordings verified; the chain of 0 proofs is whole/)
})
