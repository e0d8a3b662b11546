import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeG711 } from '../../../codec/g711.ts'
import type { TapFormat, TapFrame } from '../../graph/types.ts'
import type { SoundSource } from '../sound.ts'
import { bytesOf } from '../sounds/test-support.ts'
import { Tap } from './tap.ts'
import { steadyTone } from './test-support.ts'

const narrow = { sampleRateHz: 8000, encoding: 's16le', frameMs: 20 } as const

function tapOn(sources: readonly SoundSource[], format: TapFormat, credit: number) {
  const frames: TapFrame[] = []
  const tap = new Tap({ format, sources, credit, send: (frame) => frames.push(frame) })
  return { tap, frames }
}

/** Says which tick it is. */
const ticks: SoundSource = { sampleRateHz: 8000, read: (tick) => new Int16Array(160).fill(tick) }
const tickOf = (frame: TapFrame | undefined): number | undefined =>
  frame && Buffer.from(frame.tracks[0] ?? []).readInt16LE(0)

test('frames are as long as was asked for, one track for each source, silence included', () => {
  const tone = steadyTone(8000, 450, 5000)
  const { tap, frames } = tapOn(
    [ticks, { sampleRateHz: 8000, read: () => undefined }, tone],
    { ...narrow, frameMs: 60 },
    10,
  )
  for (let tick = 0; tick < 8; tick++) tap.tick(tick)
  assert.equal(frames.length, 2)
  const [, second] = frames
  assert.equal(second?.sequence, 1)
  assert.deepEqual(
    second?.tracks.map(({ length }) => length),
    [960, 960, 960],
  )
  assert.equal(tickOf(second), 3)
  assert.ok(second?.tracks[1]?.every((byte) => byte === 0))
  const frame = bytesOf(tone.read(0) ?? new Int16Array(0))
  assert.deepEqual(Buffer.from(second?.tracks[2] ?? []), Buffer.concat([frame, frame, frame]))
})

test('mu-law, and other rates than the source has', () => {
  const tone = steadyTone(8000, 450, 5000)
  const { tap, frames } = tapOn([tone], { ...narrow, encoding: 'PCMU' }, 10)
  tap.tick(0)
  assert.deepEqual(frames[0]?.tracks[0], encodeG711('PCMU', tone.read(0) ?? new Int16Array(0)))
  const wide = tapOn([tone], { ...narrow, sampleRateHz: 24_000 }, 10)
  wide.tap.tick(0)
  assert.equal(wide.frames[0]?.tracks[0]?.length, 960)
})

test('a consumer that lags misses the oldest frames, is told how many, and goes on with the newest second', () => {
  const { tap, frames } = tapOn([ticks], narrow, 2)
  for (let tick = 0; tick < 100; tick++) tap.tick(tick)
  assert.deepEqual(frames.map(tickOf), [0, 1])
  assert.equal(tap.dropped, 48)
  tap.give(3)
  assert.deepEqual(frames.slice(2).map(tickOf), [50, 51, 52])
  assert.deepEqual(
    frames.slice(2).map(({ sequence, dropped }) => [sequence, dropped]),
    [
      [50, 48],
      [51, 48],
      [52, 48],
    ],
  )
})

test('ticks that were left out are silence, so that frames keep their time', () => {
  const { tap, frames } = tapOn([ticks], { ...narrow, frameMs: 40 }, 100)
  for (const tick of [7, 8, 9, 15, 16]) tap.tick(tick)
  assert.deepEqual(
    frames.map(({ sequence }) => sequence),
    [0, 1, 2, 3, 4],
  )
  assert.deepEqual(frames.map(tickOf), [7, 9, 0, 0, 15])
})
