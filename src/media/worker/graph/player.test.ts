import assert from 'node:assert/strict'
import { test } from 'node:test'
import { differing } from '../../../codec/test-support.ts'
import type { PlaybackEnd, Sound } from '../../graph/types.ts'
import { SoundStore } from '../sounds/store.ts'
import { inMemory, saw } from '../sounds/test-support.ts'
import { Player, type PlayerOptions } from './player.ts'
import { largestStep } from './test-support.ts'

const second = saw(8000)

/** A player, and what was told of its end. */
async function player(
  sounds: readonly Sound[],
  options: Partial<PlayerOptions> = {},
): Promise<{ player: Player; ends: PlaybackEnd[] }> {
  const ends: PlaybackEnd[] = []
  const made = new Player(new SoundStore(), { sampleRateHz: 8000, sounds, ended: (end) => ends.push(end), ...options })
  await made.opened
  return { player: made, ends }
}

/** What is heard in so many ticks from `firstTick` on; what is in memory comes within a turn of the loop. */
async function hear(source: Player, firstTick: number, ticks: number): Promise<Int16Array> {
  const heard = new Int16Array(160 * ticks)
  for (let i = 0; i < ticks; i++) {
    heard.set(source.read(firstTick + i) ?? new Int16Array(160), 160 * i)
    if (i % 20 === 0) await new Promise(setImmediate)
  }
  return heard
}

const same = (a: Int16Array, b: Int16Array): void => assert.equal(differing(a, b), 0)

test('a sound is heard sample for sample, and its end is told at its last one', async () => {
  const sound = saw(8000 * 2 + 1000)
  const { player: source, ends } = await player([inMemory(sound)])
  same((await hear(source, 0, 106)).subarray(0, 16_960), sound.subarray(0, 16_960))
  assert.deepEqual(ends, [])
  const last = await hear(source, 106, 1)
  same(last.subarray(0, 40), sound.subarray(16_960))
  same(last.subarray(40), new Int16Array(120))
  assert.deepEqual(ends, [{ reason: 'ended', positionMs: 2125 }])
  assert.equal(source.read(107), undefined)
})

test('the same frame is heard by all who ask within a tick', async () => {
  const { player: source } = await player([inMemory(second)])
  assert.equal(source.read(0), source.read(0))
  same(Int16Array.from(source.read(1) ?? []), second.subarray(160, 320))
})

test('several sounds follow each other without a gap, whatever their lengths', async () => {
  const parts = [second.subarray(0, 801), second.subarray(801, 801), second.subarray(801, 803), second.subarray(803)]
  const { player: source, ends } = await player(parts.map((part) => inMemory(part)))
  same(await hear(source, 0, 50), second)
  assert.equal(ends[0]?.positionMs, 1000)
})

test('in rounds it goes on from its end to its beginning without a gap', async () => {
  const { player: source, ends } = await player([inMemory(second.subarray(0, 1000))], { times: 3 })
  const three = Int16Array.from({ length: 3000 }, (_, i) => second[i % 1000] ?? 0)
  same((await hear(source, 0, 19)).subarray(0, 3000), three)
  assert.deepEqual(ends, [{ reason: 'ended', positionMs: 125 }])
})

test('it may begin anywhere, and go anywhere: to the sample, after 5 ms in which it changes over', async () => {
  const long = saw(8000 * 4)
  const { player: source } = await player([inMemory(long)], { fromMs: 2500.125 })
  same(await hear(source, 0, 2), long.subarray(20_001, 20_321))
  source.seek(1000.125)
  await new Promise(setImmediate)
  const there = await hear(source, 2, 2)
  same(there.subarray(40), long.subarray(8041, 8321))
  assert.equal(source.positionMs, 1040.125)
})

test('a pause loses nothing: what fades out is heard again, faded in', async () => {
  const { player: source, ends } = await player([inMemory(second)])
  await hear(source, 0, 3)
  source.pause()
  const fading = await hear(source, 3, 1)
  assert.ok(fading.subarray(0, 30).every((sample, i) => Math.abs(sample) < Math.abs(second[480 + i] ?? 0)))
  assert.equal(source.read(4), undefined)
  assert.equal(source.positionMs, 60)
  source.resume()
  const again = await hear(source, 5, 47)
  same(again.subarray(40, 7520), second.subarray(520))
  assert.equal(ends.length, 1)
})

test('paused before it was opened it waits', async () => {
  const made = new Player(new SoundStore(), { sampleRateHz: 8000, sounds: [inMemory(second)] })
  made.pause()
  await made.opened
  assert.equal(made.read(0), undefined)
  made.resume()
  same((await hear(made, 1, 2)).subarray(40), second.subarray(40, 320))
})

test('the volume runs from one value to the other along a frame', async () => {
  const level = new Int16Array(8000).fill(10_000)
  const { player: source } = await player([inMemory(level)], { volumeDb: -6 })
  assert.deepEqual(new Set(await hear(source, 0, 1)), new Set([5012]))
  source.setVolume(0)
  const rising = await hear(source, 1, 1)
  assert.ok(largestStep(rising) < 40)
  assert.equal(rising.at(-1), 10_000)
  source.setVolume(20)
  await hear(source, 2, 1)
  assert.deepEqual(new Set(await hear(source, 3, 1)), new Set([32_767]))
})

test('pauses, jumps and a stop make no click', async () => {
  const calm = 2 * Math.PI * 400 * (10_000 / 8000)
  const sine = Int16Array.from({ length: 16_000 }, (_, i) => 10_000 * Math.sin((2 * Math.PI * 400 * i) / 8000))
  let silent = 0
  const { player: source, ends } = await player([inMemory(sine)], { silent: () => silent++ })
  const heard = [await hear(source, 0, 3)]
  source.seek(500.7)
  heard.push(await hear(source, 3, 3))
  source.pause()
  heard.push(await hear(source, 6, 3))
  source.resume()
  heard.push(await hear(source, 9, 3))
  source.stop()
  assert.equal(silent, 0, 'it fades out')
  heard.push(await hear(source, 12, 3))
  assert.ok(largestStep(Int16Array.from(heard.flatMap((some) => Array.from(some)))) < 1.6 * calm)
  assert.deepEqual(ends, [{ reason: 'stopped', positionMs: 620.75 }])
  assert.equal(silent, 1)
})

test('a sound that is missing or broken ends it with its reason, before anything of the others is heard', async () => {
  for (const [sound, failure] of [
    [{ file: '/nowhere/at-all.wav' }, 'media.sound-missing'],
    [{ bytes: new Uint8Array(100) }, 'media.sound-broken'],
  ] as const) {
    const { player: source, ends } = await player([inMemory(second), sound])
    assert.deepEqual(ends, [{ reason: 'failed', failure, positionMs: 0 }])
    assert.equal(source.read(0), undefined)
  }
})

test('nothing but empty sounds is over at once, even in rounds without end', async () => {
  const { ends } = await player([inMemory(new Int16Array(0))], { times: Number.POSITIVE_INFINITY })
  assert.deepEqual(ends, [{ reason: 'ended', positionMs: 0 }])
})

test('stopped while it is being opened it is never heard', async () => {
  const ends: PlaybackEnd[] = []
  const made = new Player(new SoundStore(), {
    sampleRateHz: 8000,
    sounds: [inMemory(second)],
    ended: (end) => ends.push(end),
  })
  made.stop()
  await made.opened
  assert.equal(made.read(0), undefined)
  assert.deepEqual(ends, [{ reason: 'stopped', positionMs: 0 }])
})

test('it plays at the highest rate of its sounds, as far as that is heard', async () => {
  const sounds = [inMemory(second, 8000), inMemory(second, 44_100), { silenceMs: 10 }]
  const rate = async (options: Partial<PlayerOptions>): Promise<number> => {
    const made = new Player(new SoundStore(), { sounds, ...options })
    await made.opened
    return made.sampleRateHz
  }
  assert.deepEqual(
    await Promise.all([rate({}), rate({ upToHz: 16_000 }), rate({ sounds: [{ silenceMs: 10 }] })]),
    [48_000, 16_000, 8000],
  )
})
