import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { decodeG711, type G711Law } from '../../codec/g711.ts'
import { decodeWav } from '../../codec/wav.ts'
import { sealedWhole } from '../../sealing/container/sealer.ts'
import { readStored } from '../../sealing/stored-file.ts'
import { opensWith, testMaster, testSeal } from '../../sealing/test-support.ts'
import { writeLeg } from '../test-support.ts'
import { keepCodes, type NativeDeps } from './native.ts'

const master = testMaster()
const startedAtMs = Date.UTC(2026, 10, 20, 7, 34)

/** Every code of the law, again and again. */
const spoken = (law: G711Law): Int16Array =>
  decodeG711(
    law,
    Uint8Array.from({ length: 100_001 }, (_, index) => (index * 7) & 0xff),
  )

/** A leg with this sound; what becomes of it. */
async function kept(t: TestContext, samples: Int16Array, sealed = false) {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-native-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const name = sealed ? 'a_1.wav.sealed' : 'a_1.wav'
  const path = join(folder, name)
  const leg = writeLeg(join(folder, 'a_1.wav'), { samples, startedAtMs })
  const seal = testSeal(master)
  if (sealed) {
    writeFileSync(path, sealedWhole(seal, 'a_1.wav', startedAtMs, readFileSync(leg.path)))
    rmSync(leg.path)
  }
  const before = statSync(path).size
  const rows: number[] = []
  const openKey = opensWith(master)
  const deps: NativeDeps = {
    folder,
    keys: { openKey, sealAgain: () => Promise.resolve(seal) },
    files: {
      of: () =>
        Promise.resolve([
          { name, kind: 'leg', channels: 1, sampleRateHz: 8_000, samples: samples.length, bytes: before, startedAtMs },
        ]),
      replace: (_id, _name, { bytes }) => Promise.resolve(void rows.push(bytes)),
    },
  }
  const signal = new AbortController().signal
  await keepCodes('recording-1', deps, signal)
  await keepCodes('recording-1', deps, signal)
  assert.deepEqual(
    readdirSync(folder).filter((entry) => entry !== 'unfinished'),
    [name],
  )
  const size = statSync(path).size
  const wav = decodeWav(await readStored(path, { openKey }))
  assert.ok(wav)
  assert.deepEqual(wav.channel(0), samples)
  assert.equal(wav.startedAtMs, startedAtMs)
  return { encoding: wav.encoding, before, size, rows }
}

for (const law of ['PCMU', 'PCMA'] as const)
  for (const sealed of [false, true])
    test(`a ${sealed ? 'sealed' : 'plain'} leg of ${law} becomes its codes: half the bytes, the same samples`, async (t) => {
      const { encoding, before, size, rows } = await kept(t, spoken(law), sealed)
      assert.equal(encoding, law)
      assert.ok(size < before * 0.55)
      assert.deepEqual(rows, [size])
    })

const gap = (samples: Int16Array): Int16Array => samples.fill(0, 1_000, 9_000)

test('gaps in µ-law are silence that it can say; A-law with gaps, and other codecs, stay as they are', async (t) => {
  assert.equal((await kept(t, gap(spoken('PCMU')))).encoding, 'PCMU')
  const alaw = await kept(t, gap(spoken('PCMA')))
  assert.deepEqual([alaw.encoding, alaw.rows], ['pcm16', []])
  const wide = spoken('PCMU')
  wide[50_000] = 12_345
  assert.equal((await kept(t, wide)).encoding, 'pcm16')
})
