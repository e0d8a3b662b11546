/** A reader in Python that was written from docs/recording-format.md alone reads what we seal, and refuses what was changed. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { systemClock } from '../../src/core/clock.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { type CipherName, ciphers } from '../../src/sealing/container/layout.ts'
import { SealedReader } from '../../src/sealing/container/reader.ts'
import { endSealed } from '../../src/sealing/container/repair.ts'
import { EnvironmentKeys } from '../../src/sealing/keys/environment-keys.ts'
import { FileKeys } from '../../src/sealing/keys/file-keys.ts'
import { KeyRing } from '../../src/sealing/keys/key-ring.ts'
import { readStored } from '../../src/sealing/stored-file.ts'
import { sealedBytes } from '../../src/sealing/test-support.ts'
import { needs } from '../support/program.ts'

const folder = mkdtempSync(join(tmpdir(), 'patchbay-python-'))
after(() => rmSync(folder, { recursive: true }))
const keys = join(folder, 'keys')
const path = join(folder, 'x.wav.sealed')
const reader = join(import.meta.dirname, '../../examples/read-sealed/read_sealed.py')

const writes = [
  { position: 0, bytes: randomBytes(654) },
  { position: 654, bytes: randomBytes(8000) },
  { position: 20_000, bytes: randomBytes(8000) },
  { position: 700, bytes: randomBytes(320) },
  { position: 0, bytes: randomBytes(654) },
]

const python = (where = keys, env: Record<string, string> = {}) =>
  spawnSync('python3', [reader, where, path], { env: { ...process.env, ...env }, maxBuffer: 1 << 24, timeout: 20_000 })

const ringOf = (source: FileKeys | EnvironmentKeys, cipher: CipherName): KeyRing =>
  new KeyRing({ sources: [source], cipher, clock: systemClock, log: silentLogger })

for (const cipher of Object.keys(ciphers) as CipherName[])
  test(
    `Python reads a file sealed with ${cipher}, whole, and one that was ended after a crash`,
    needs('python3'),
    async () => {
      const ring = ringOf(new FileKeys(keys, systemClock), cipher)
      await ring.begin()
      const { bytes, records } = sealedBytes(ring.newSeal('recording-1'), writes)
      writeFileSync(path, bytes)
      const whole = python()
      assert.equal(whole.stderr.toString(), '')
      assert.deepEqual(whole.stdout, await readStored(path, ring))

      writeFileSync(path, bytes.subarray(0, bytes.length - (records.at(-1)?.length ?? 0) - 5))
      assert.equal(python().status, 1)
      const file = await open(path, 'r+')
      const patches = [{ position: 3, bytes: randomBytes(9) }]
      await endSealed(file, await SealedReader.open(file, ring.openKey), { patches, size: 27_001 })
      await file.close()
      assert.deepEqual(python().stdout, await readStored(path, ring))
      ring.close()
    },
  )

test('Python takes the key from the environment, and refuses a changed byte anywhere', needs('python3'), async () => {
  const secret = randomBytes(32).toString('base64')
  const ring = ringOf(new EnvironmentKeys([secret]), 'AES-256-GCM')
  await ring.begin()
  const { bytes } = sealedBytes(ring.newSeal('recording-1'), writes)
  writeFileSync(path, bytes)
  assert.deepEqual(python('-', { SIPREC_MASTER_KEY: secret }).stdout, await readStored(path, ring))
  for (const at of [20, 60, 530, 4096, 4100, 4110, 4117, 5000, bytes.length - 1]) {
    const changed = Buffer.from(bytes)
    changed[at] = (changed[at] ?? 0) ^ 1
    writeFileSync(path, changed)
    const { status, stdout } = python('-', { SIPREC_MASTER_KEY: secret })
    assert.deepEqual([status, stdout.length], [1, 0], `${at}`)
  }
  ring.close()
})
