import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findSine, sine } from '../../../codec/test-support.ts'
import { frameSamples, type SoundSource } from '../sound.ts'
import { atRate } from './at-rate.ts'
import { Sound } from './test-support.ts'

/** All that a source gives in so many ticks; silence where it gives none. */
function read(source: SoundSource, ticks: number, firstTick = 0): Int16Array {
  const count = frameSamples(source.sampleRateHz)
  const all = new Int16Array(count * ticks)
  for (let tick = 0; tick < ticks; tick++) {
    const frame = source.read(firstTick + tick)
    if (!frame) continue
    assert.equal(frame.length, count)
    all.set(frame, tick * count)
  }
  return all
}

const peak = (frame: Int16Array | undefined): number => Math.max(0, ...(frame ?? []))

test('a tone is the same at every rate, in frames of exactly 20 ms', () => {
  const rates = [8000, 16_000, 24_000, 32_000, 44_100, 48_000]
  for (const from of rates) {
    for (const to of rates) {
      const heard = read(atRate(new Sound(sine(1020, 8000, from, 1), from), to), 50)
      const { peak, snrDb } = findSine(heard.subarray(to * 0.1, to * 0.9), 1020, to)
      assert.ok(Math.abs(peak - 8000) < 40 && snrDb > 55, `${from} to ${to}: ${peak}, ${snrDb} dB`)
    }
  }
})

test('readers of one rate share a view, and hear the same within a tick', () => {
  let reads = 0
  const source: SoundSource = { sampleRateHz: 8000, read: () => (reads++, new Int16Array(160).fill(100)) }
  const view = atRate(source, 16_000)
  assert.equal(atRate(source, 16_000), view)
  assert.equal(atRate(view, 16_000), view)
  assert.notEqual(atRate(source, 48_000), view)
  assert.equal(view.read(1), view.read(1))
  assert.equal(reads, 1)
})

test('after a sound its last moment is heard, then silence that costs nothing; a pause leaves no trace', () => {
  const source = new Sound(new Int16Array(320).fill(8000), 8000)
  const view = atRate(source, 16_000)
  const frames = [0, 1, 2, 3].map((tick) => view.read(tick)?.slice())
  assert.ok(peak(frames[1]) > 7000 && peak(frames[2]) > 3000)
  assert.equal(frames[3], undefined)
  const later = atRate(
    new Sound(
      Int16Array.from({ length: 320 }, (_, i) => (i < 160 ? 8000 : 0)),
      8000,
    ),
    16_000,
  )
  later.read(0)
  assert.equal(peak(later.read(9)), 0)
})

test('a source that changes its rate is followed, and told at which rate it is wanted', () => {
  const wanted: number[] = []
  const narrow = sine(500, 8000, 8000, 1)
  const wide = sine(500, 8000, 48_000, 1)
  const source = {
    sampleRateHz: 8000,
    wants: (hz: number) => void wanted.push(hz),
    read(tick: number) {
      this.sampleRateHz = tick < 25 ? 8000 : 48_000
      return tick < 25 ? narrow.subarray(tick * 160, tick * 160 + 160) : wide.subarray(tick * 960, tick * 960 + 960)
    },
  }
  const heard = read(atRate(source, 16_000), 50)
  assert.ok(findSine(heard.subarray(320, 7680), 500, 16_000).snrDb > 50)
  assert.ok(findSine(heard.subarray(8320, 16_000), 500, 16_000).snrDb > 50)
  assert.deepEqual(wanted, [16_000])
})
