import assert from 'node:assert/strict'
import { test } from 'node:test'
import { differing } from '../../../codec/test-support.ts'
import { saw } from '../sounds/test-support.ts'
import { Injection, type InjectionOptions } from './injection.ts'
import { largestStep, listen } from './test-support.ts'

function injection(options: Partial<InjectionOptions> = {}) {
  const told: unknown[] = []
  let silent = 0
  const source = new Injection({
    sampleRateHz: 8000,
    prebufferMs: 0,
    lowMs: 40,
    mostMs: 1000,
    tell: (name, event) => told.push([name, ...Object.values(event)]),
    silent: () => silent++,
    ...options,
  })
  return { source, told, silent: () => silent }
}

const same = (a: Int16Array, b: Int16Array): void => assert.equal(differing(a, b), 0)

test('what is written is heard sample for sample, in pieces of any length', () => {
  const { source, told, silent } = injection()
  const sound = saw(1000)
  for (const [from, to] of [
    [0, 7],
    [7, 500],
    [500, 500],
    [500, 1000],
  ])
    source.write(sound.slice(from, to))
  source.end()
  const heard = listen(source, 10)
  same(heard.subarray(0, 1000), sound)
  assert.deepEqual(told, [['ended', 125, 0]])
  assert.equal(silent() > 0, true)
  assert.equal(source.read(10), undefined)
})

test('marks are told when what was written before them has been taken, in their order', () => {
  const { source, told } = injection({ lowMs: 0 })
  source.mark('at once')
  source.write(saw(160))
  source.mark('first')
  source.write(saw(161))
  source.mark('second')
  source.mark('third')
  listen(source, 2)
  assert.deepEqual(told, [
    ['mark', 'at once'],
    ['mark', 'first'],
  ])
  listen(source, 1, 2)
  assert.deepEqual(told.slice(2), [
    ['mark', 'second'],
    ['mark', 'third'],
    ['low', 0],
  ])
})

test('a thousand marks wait; with one more the oldest is told before its time, and none is lost', () => {
  const { source, told } = injection()
  source.write(saw(800))
  for (let i = 0; i < 1000; i++) source.mark(`${i}`)
  assert.deepEqual(told, [])
  source.mark('last')
  assert.deepEqual(told, [['mark', '0']])
  listen(source, 6)
  assert.equal(told.filter((each) => (each as string[])[0] === 'mark').length, 1001)
})

test('a flush takes effect within one frame, tells how much was not heard, and leaves room for something new', () => {
  const { source, told } = injection()
  const sound = Int16Array.from({ length: 8000 }, (_, i) => 10_000 * Math.sin((2 * Math.PI * 400 * i) / 8000))
  source.write(sound)
  source.mark('never')
  const before = listen(source, 10)
  assert.equal(source.flush(), 800)
  const after = listen(source, 2, 10)
  const calm = 2 * Math.PI * 400 * (10_000 / 8000)
  assert.ok(largestStep(Int16Array.from([...before, ...after])) < 1.6 * calm, 'no click')
  assert.ok(
    after.subarray(40).every((sample) => sample === 0),
    'silent after 5 ms',
  )
  source.write(saw(160))
  same(listen(source, 1, 12), saw(160))
  assert.deepEqual(
    told.filter((each) => (each as string[])[0] === 'mark'),
    [],
  )
})

test('what is written behind a flush does not wrap around where it meets the end of what was flushed', () => {
  const { source } = injection()
  source.write(new Int16Array(800).fill(30_000))
  listen(source, 1)
  source.flush()
  source.write(new Int16Array(800).fill(30_000))
  assert.ok(listen(source, 1, 1).every((sample) => sample >= 30_000))
})

test('a flush when the last frame was just taken lets it down, too', () => {
  const { source } = injection()
  source.write(new Int16Array(160).fill(8000))
  const before = listen(source, 1)
  source.flush()
  assert.ok(largestStep(Int16Array.from([...before, ...listen(source, 2, 1)])) <= 250)
})

test('what is beyond the bound is dropped, counted, and told at the end', () => {
  const { source, told } = injection({ mostMs: 100 })
  source.write(saw(1000))
  assert.equal(source.dropped, 200)
  source.end()
  source.write(saw(10))
  listen(source, 6)
  assert.deepEqual(told, [['ended', 100, 25]])
})

test('little left is told once, until there was more again', () => {
  const { source, told } = injection({ lowMs: 40 })
  source.write(saw(800))
  listen(source, 3)
  assert.deepEqual(told, [['low', 40]])
  listen(source, 1, 3)
  source.write(saw(800))
  listen(source, 5, 4)
  assert.deepEqual(told.slice(1), [['low', 40]])
})

test('it begins when enough is there, or no more comes', () => {
  const { source } = injection({ prebufferMs: 40 })
  source.write(saw(300))
  assert.equal(source.read(0), undefined)
  source.write(saw(100))
  same(listen(source, 1, 1), saw(160))
  const short = injection({ prebufferMs: 40 })
  short.source.write(saw(100))
  short.source.end()
  same(listen(short.source, 1).subarray(0, 100), saw(100))
})

test('sound that runs out fades from its last sample, and waits for enough again', () => {
  const { source } = injection({ prebufferMs: 20 })
  source.write(new Int16Array(200).fill(8000))
  const heard = listen(source, 3)
  assert.ok(largestStep(heard.subarray(1)) <= 250)
  assert.equal(heard.at(-1), 0)
  source.write(new Int16Array(100).fill(8000))
  assert.equal(source.read(3), undefined)
})

test('stopped it ends at once, after a short fade', () => {
  const { source, told, silent } = injection()
  source.write(new Int16Array(800).fill(8000))
  listen(source, 1)
  source.stop()
  source.stop()
  assert.deepEqual(told, [['ended', 20, 0]])
  assert.equal(silent(), 0)
  assert.ok(
    listen(source, 1, 1)
      .subarray(40)
      .every((sample) => sample === 0),
  )
  assert.equal(silent(), 1)
})
