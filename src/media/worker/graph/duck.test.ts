import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SoundSource } from '../sound.ts'
import { Duck } from './duck.ts'
import { amplitudeOf, listen, steadyTone } from './test-support.ts'

test('what is beneath becomes quiet while the other is heard, and comes back half a second after', () => {
  const under = steadyTone(8000, 450, 10_000)
  let speaks = false
  const voice = steadyTone(8000, 1100, 5000)
  const over: SoundSource = { sampleRateHz: 8000, read: (tick) => (speaks ? voice.read(tick) : undefined) }
  const duck = new Duck(over, () => under, 20)
  const level = (tick: number, frequencyHz = 450): number =>
    Math.round(amplitudeOf(listen(duck, 1, tick), 8000, frequencyHz) / 100)
  assert.equal(level(0), 100)
  speaks = true
  listen(duck, 2, 1)
  assert.equal(level(3), 10)
  assert.equal(level(4, 1100), 50)
  speaks = false
  listen(duck, 20, 5)
  assert.equal(level(25), 10)
  listen(duck, 40, 26)
  assert.equal(level(66), 100)
})

test('it is over when what is beneath is as loud as before', () => {
  let speaks = true
  const voice = steadyTone(8000, 1100, 5000)
  const duck = new Duck(
    { sampleRateHz: 8000, read: (tick) => (speaks ? voice.read(tick) : undefined) },
    () => undefined,
    12,
  )
  let over = 0
  listen(duck, 5)
  speaks = false
  duck.end(() => over++)
  listen(duck, 19, 5)
  assert.equal(over, 0)
  listen(duck, 2, 24)
  assert.equal(over > 0, true)
})
