import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { readWav } from '../codec/wav.ts'
import { combine, type LegAudio } from './combine.ts'
import { RecordingError } from './failures.ts'
import { noise, type Sound, writeLeg } from './test-support.ts'

const folder = mkdtempSync(join(tmpdir(), 'patchbay-combine-'))
after(() => rmSync(folder, { recursive: true }))
const t0 = Date.UTC(2026, 0, 1, 12)

async function leg(name: string, sound: Sound): Promise<LegAudio> {
  const path = join(folder, `${name}.wav`)
  writeLeg(path, sound)
  const header = await readWav(path)
  return { ...header, path, startedAtMs: header.startedAtMs ?? 0 }
}

const silence = (samples: number): number[] => Array.from({ length: samples }, () => 0)

test('each leg is a channel, its samples untouched and placed by the time of its first sample', async () => {
  // More than one chunk, so that the seams are crossed at odd places.
  const caller = noise(1, 70_000)
  const callee = noise(2, 9_001)
  const path = join(folder, 'two.wav')
  const combined = await combine(
    [
      await leg('caller', { samples: caller, startedAtMs: t0 + 250.125 }),
      await leg('callee', { samples: callee, startedAtMs: t0 }),
    ],
    path,
  )
  const wav = await readWav(path)
  assert.equal(wav.channels, 2)
  assert.equal(wav.samples, 72_001)
  assert.equal(wav.startedAtMs, t0)
  assert.deepEqual([...wav.channel(0)], [...silence(2_001), ...caller])
  assert.deepEqual([...wav.channel(1)], [...callee, ...silence(63_000)])
  assert.deepEqual(
    { ...combined, bytes: 0 },
    { channels: 2, samples: 72_001, sampleRateHz: 8_000, bytes: 0, startedAtMs: t0 },
  )
})

test('a leg on which nobody was heard is a channel of silence', async () => {
  const path = join(folder, 'silent.wav')
  await combine([undefined, await leg('only', { samples: noise(3, 100), startedAtMs: t0 })], path)
  const wav = await readWav(path)
  assert.deepEqual([...wav.channel(0)], silence(100))
  assert.deepEqual([...wav.channel(1)], [...noise(3, 100)])
})

test('legs of different sample rates are not combined', async () => {
  const narrow = await leg('narrow', { samples: noise(4, 10), startedAtMs: t0 })
  const wide = await leg('wide', { samples: noise(5, 10), startedAtMs: t0, sampleRateHz: 16_000 })
  await assert.rejects(combine([narrow, wide], join(folder, 'no.wav')), isFailure('recording.rates-differ'))
})

test('legs too far apart for one WAV are not combined, for RIFF lengths have 32 bits', async () => {
  const early = await leg('early', { samples: noise(6, 10), startedAtMs: t0 })
  const late = await leg('late', { samples: noise(7, 10), startedAtMs: t0 + 40 * 3_600_000 })
  await assert.rejects(combine([early, late], join(folder, 'no.wav')), isFailure('recording.too-long'))
})

const isFailure = (code: string) => (error: unknown) => error instanceof RecordingError && error.code === code

test('what could not be combined leaves no half file behind', async () => {
  const path = join(folder, 'half.wav')
  const caller = await leg('gone', { samples: noise(1, 80), startedAtMs: t0 })
  rmSync(caller.path)
  await assert.rejects(combine([caller], path), { code: 'ENOENT' })
  assert.ok(!existsSync(path))
})
