import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PlayoutModel } from './playout-model.ts'

/** Packets of 20 ms at 8 kHz with sequence numbers that wrap; `delayMs` of each, undefined when it is lost. */
function stream(delays: readonly (number | undefined)[], firstSequence = 65_500): PlayoutModel {
  const model = new PlayoutModel(8000)
  const sent = delays.flatMap((delayMs, i) => (delayMs === undefined ? [] : [{ i, atMs: i * 20 + delayMs }]))
  sent.sort((a, b) => a.atMs - b.atMs)
  for (const { i, atMs } of sent) {
    model.packet(7, (firstSequence + i) & 0xffff, (0xffff_0000 + i * 160) >>> 0, 1000 + atMs, 5, true)
  }
  model.end()
  return model
}

const constant = (count: number, delayMs: number): number[] => Array.from({ length: count }, () => delayMs)

test('what never came is lost, what came later than the buffer is deep is discarded', () => {
  const delays: (number | undefined)[] = constant(500, 30)
  delays[100] = undefined
  delays[200] = 69 // the buffer is 40 ms deep
  delays[300] = 71
  const { expected, lost, discarded } = stream(delays).read()
  assert.deepEqual({ expected, lost, discarded }, { expected: 500, lost: 1, discarded: 1 })
})

test('of packets that waited for each other the first is late, those behind it find a deeper buffer', () => {
  // Six packets come together with the sixth, which is on time; two seconds later it happens again.
  const delays = constant(500, 0)
  for (const from of [100, 200]) for (let i = 0; i < 6; i++) delays[from + i] = (5 - i) * 20
  assert.equal(stream(delays).read().discarded, 2, 'once for each time: 100 ms late, then 80, ...')
  for (let i = 0; i < 6; i++) delays[450 + i] = (5 - i) * 20
  assert.equal(stream(delays).read().discarded, 3, 'five seconds later it is as shallow as before')
})

test('a route that becomes 300 ms longer costs two seconds of late packets, not the rest of the call', () => {
  const { lost, discarded } = stream([...constant(500, 10), ...constant(1500, 310)]).read()
  assert.equal(lost, 0)
  assert.ok(discarded > 45 && discarded <= 100, String(discarded))
})

test('a clock that drifts, and one that jumps, discards nothing', () => {
  const drifting = Array.from({ length: 5000 }, (_, i) => 500 - i * 0.01 * 2) // 1000 parts in a million
  assert.equal(stream(drifting).read().discarded, 0)
  const slower = Array.from({ length: 5000 }, (_, i) => i * 0.01 * 2)
  assert.equal(stream(slower).read().discarded, 0)
  assert.equal(stream([...constant(100, 10), ...constant(100, 5010)]).read().discarded, 0)
})

test('telephone-events share a timestamp and are not late; twins are counted once', () => {
  const model = new PlayoutModel(8000)
  for (let i = 0; i < 100; i++) {
    model.packet(7, i, i < 50 ? i * 160 : 50 * 160, i * 20, 0, i < 50)
    model.packet(7, i, i < 50 ? i * 160 : 50 * 160, i * 20, 0, i < 50)
  }
  model.end()
  assert.equal(model.duplicates, 100)
  assert.deepEqual([model.read().expected, model.read().discarded], [100, 0])
})

test('a new source, or one that starts anew, ends the count of the one before', () => {
  const model = new PlayoutModel(8000)
  for (let i = 0; i < 100; i++) if (i !== 98) model.packet(7, i, i * 160, i * 20, 0, true)
  for (let i = 0; i < 100; i++) model.packet(8, 40_000 + i, i * 160, 2000 + i * 20, 0, true)
  for (let i = 0; i < 100; i++) model.packet(8, i, 77_777 + i * 160, 4000 + i * 20, 0, true)
  model.end()
  const { expected, lost, discarded } = model.read()
  assert.deepEqual({ expected, lost, discarded }, { expected: 300, lost: 1, discarded: 0 })
})

test('1,000 random orders and losses count as a search through the sent packets does', () => {
  let seed = 11
  const random = (): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    return seed / 2 ** 32
  }
  for (let round = 0; round < 1000; round++) {
    const delays = Array.from({ length: 200 }, () => (random() < 0.1 ? undefined : 10 + Math.floor(random() * 39)))
    delays[0] = 10
    delays[199] = 10
    const { expected, lost, discarded } = stream(delays, Math.floor(random() * 65_536)).read()
    const missing = delays.filter((delay) => delay === undefined).length
    assert.deepEqual({ expected, lost, discarded }, { expected: 200, lost: missing, discarded: 0 })
  }
})

test('while a real buffer listens it says what is late, and a twin is no late packet', () => {
  const model = new PlayoutModel(8000)
  for (let i = 0; i < 100; i++) {
    model.packet(7, i, i * 160, i * 20 + (i === 40 ? 500 : 0), 0, false)
    if (i === 40) model.discard(i)
  }
  model.packet(7, 99, 99 * 160, 2000, 0, false)
  model.discard(99)
  model.end()
  assert.deepEqual([model.read().expected, model.read().discarded, model.duplicates], [100, 1, 1])
})
