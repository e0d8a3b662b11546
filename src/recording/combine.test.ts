import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { findSine, sine, snrDb } from '../codec/test-support.ts'
import { readWav } from '../codec/wav.ts'
import { LoudnessMeter } from '../dsp/loudness.ts'
import { combine } from './combine.ts'
import { RecordingError } from './failures.ts'
import type { LegAudio } from './leg-reader.ts'
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

test('legs of different rates meet at the highest, each sound at its pitch, its level and its moment', async () => {
  const path = join(folder, 'rates.wav')
  const legs = await Promise.all([
    leg('narrow', { samples: sine(1000, 8000, 8_000, 3), startedAtMs: t0 }),
    leg('wide', { samples: sine(1000, 8000, 16_000, 3), startedAtMs: t0 + 500, sampleRateHz: 16_000 }),
    leg('full', { samples: sine(1000, 8000, 48_000, 3), startedAtMs: t0 + 1_000, sampleRateHz: 48_000 }),
  ])
  const combined = await combine(legs, path)
  assert.deepEqual([combined.sampleRateHz, combined.samples], [48_000, 4 * 48_000])
  const wav = await readWav(path)
  for (const [channel, beginsAt] of [0, 24_000, 48_000].entries()) {
    const sound = wav.channel(channel)
    assert.ok(sound.subarray(0, beginsAt).every((sample) => sample === 0))
    assert.ok(sound.subarray(beginsAt + 3 * 48_000).every((sample) => sample === 0))
    // With the phase that it began with: a shift of one sample at 48 kHz costs 18 dB.
    const middle = sound.subarray(beginsAt + 4_800, beginsAt + 139_200)
    const { peak } = findSine(middle, 1000, 48_000)
    assert.ok(Math.abs(20 * Math.log10(peak / 8000)) < 0.1, `channel ${channel}: ${peak}`)
    const wanted = sine(1000, 8000, 48_000, 3).subarray(4_800, 139_200)
    assert.ok(snrDb(wanted, middle) > 40, `channel ${channel}: ${snrDb(wanted, middle)} dB`)
  }
})

test('a leg in stereo is one channel of the combined file, the mean of its two', async () => {
  const path = join(folder, 'stereo-combined.wav')
  const stereo = await leg('stereo', { samples: Int16Array.of(100, 300, -50, 50, 7, 8), startedAtMs: t0, channels: 2 })
  const combined = await combine(
    [stereo, await leg('beside', { samples: Int16Array.of(1, 2, 3, 4), startedAtMs: t0 })],
    path,
  )
  const wav = await readWav(path)
  assert.equal(combined.samples, 4)
  assert.deepEqual([...wav.channel(0)], [200, 0, 8, 0])
  assert.deepEqual([...wav.channel(1)], [1, 2, 3, 4])
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

test('a quiet caller and a loud callee come to one loudness where that is asked for, and stay in their places', async () => {
  const path = join(folder, 'loudness.wav')
  const [quiet, loud] = [sine(700, 300, 8000, 12), sine(900, 20_000, 16_000, 10)]
  await combine(
    [
      await leg('quiet', { samples: quiet, startedAtMs: t0 }),
      await leg('loud', { samples: loud, startedAtMs: t0 + 1000, sampleRateHz: 16_000 }),
    ],
    path,
    { loudnessLufs: -16 },
  )
  const wav = await readWav(path)
  for (const channel of [0, 1]) {
    const meter = new LoudnessMeter(16_000)
    meter.process(wav.channel(channel))
    const loudness = meter.integrated() ?? 0
    assert.ok(Math.abs(loudness + 16) < 0.4, `channel ${channel}: ${loudness} LUFS`)
  }
  const [first, second] = [wav.channel(0), wav.channel(1)]
  assert.ok(findSine(first.subarray(16_000, 160_000), 700, 16_000).snrDb > 40)
  assert.ok(second.subarray(0, 15_900).every((sample) => sample === 0))
  assert.ok(findSine(second.subarray(17_000, 160_000), 900, 16_000).snrDb > 40)
})

test('one stream with two channels stays two channels', async () => {
  const both = noise(5, 40_000)
  const path = join(folder, 'stereo.wav')
  const combined = await combine([await leg('both', { samples: both, startedAtMs: t0, channels: 2 })], path)
  assert.deepEqual([combined.channels, combined.samples], [2, 20_000])
  assert.deepEqual((await readWav(path)).pcm, both)
})
