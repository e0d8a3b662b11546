import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Tone, ToneSource } from '../../../codec/tone.ts'
import { dtmfTone } from '../../../codec/tones.ts'
import { digitPackets } from '../../../rtp/telephone-event.ts'
import { callOf, codecOf, events, g722, opus, pcmu, speak } from './test-support.ts'

/** Digits as tones of 80 ms with pauses of 60. */
function dialled(digits: string, rateHz: number): Int16Array {
  const each = rateHz * 0.14
  const sound = new Int16Array(digits.length * each)
  for (let i = 0; i < digits.length; i++) {
    const tone = dtmfTone(digits.charAt(i))
    assert.ok(tone)
    new ToneSource({ ...tone, cadenceMs: [80, 60] }, rateHz).make(sound, i * each, each)
  }
  return sound
}

const sixOf = (toneMs: number): Tone => {
  const tone = dtmfTone('6')
  assert.ok(tone)
  return { ...tone, cadenceMs: [toneMs, 1000] }
}

test('digits that come as tones are told once each, while somebody waits for them', () => {
  for (const format of [pcmu, g722]) {
    const { clock, frames, a } = callOf({ formats: [format] }, { formats: [format] })
    const rate = codecOf(format).sampleRateHz
    const dial = (digits: string): void => speak(clock, a, dialled(digits, rate), rate / 50, 20)
    const heard = (): string =>
      a.told.flatMap(([name, event]) => (name === 'digit' ? [(event as { digit: string }).digit] : [])).join('')
    dial('99')
    a.port.hearTones(true)
    dial('1123#')
    clock.advance(200)
    assert.equal(heard(), '1123#')
    a.port.hearTones(false)
    dial('4')
    clock.advance(200)
    assert.equal(heard(), '1123#')
    assert.equal(frames.sinks, 0)
  }
})

test('a tone in which packets are lost is one digit, and pauses in which some are lost are pauses', () => {
  for (const format of [pcmu, g722, opus]) {
    const rate = codecOf(format).sampleRateHz
    for (let lost = 0; lost < 17; lost++) {
      const { clock, a } = callOf({ formats: [format] }, { formats: [format] })
      a.port.hearTones(true)
      const tone = new Int16Array(rate)
      for (const at of [0.1, 0.45]) new ToneSource(sixOf(250), rate).make(tone, rate * at, rate * 0.35)
      const each = rate / 50
      for (let i = 0; i < 50; i++) {
        const { sequence, timestamp } = a
        if (i % 17 !== lost) a.say(tone, i * each)
        a.sequence = sequence + 1
        a.timestamp = timestamp + format.clockRateHz / 50
        clock.advance(20)
      }
      const digits = a.told.filter(([name]) => name === 'digit')
      assert.equal(digits.length, 2, `${format.encoding}, each 17th lost from ${lost}`)
    }
  }
})

test('a peer that agreed to events is heard by them alone', () => {
  const { clock, frames, a } = callOf({ formats: [pcmu, events()] }, { formats: [pcmu] })
  a.port.hearTones(true)
  assert.equal(frames.sinks, 0)
  speak(clock, a, dialled('5', 8000), 160, 20)
  for (const { payload, marker } of digitPackets('5', 80)) a.send(payload, 0, { marker, payloadType: 101 })
  clock.advance(500)
  assert.deepEqual(
    a.told.filter(([name]) => name === 'digit'),
    [['digit', { digit: '5', durationMs: 80 }]],
  )
})

test('a port that is closed while tones are waited for leaves nothing behind', async () => {
  const { clock, frames, a } = callOf({ formats: [pcmu] }, { formats: [pcmu] })
  a.port.hearTones(true)
  assert.equal(frames.sinks, 1)
  await a.port.close()
  assert.equal(frames.sinks, 0)
  assert.equal(clock.pendingTimers, 0)
})

test('a flood of digits is told of as fast as anybody dials, and no faster', () => {
  const { clock, a } = callOf({ formats: [pcmu, events()] }, { formats: [pcmu] })
  const told = (): number => a.told.filter(([name]) => name === 'digit').length
  const [last] = digitPackets('5', 20)
  assert.ok(last)
  const flood = (ms: number): void => {
    for (let at = 0; at < ms; at += 50) {
      for (let i = 0; i < 25; i++) a.send(last.payload, 160, { payloadType: 101 })
      clock.advance(50)
      a.port.tick(clock.now())
    }
  }
  flood(10_000)
  assert.ok(told() <= 64 + 10 * 20, `${told()}`)
  clock.advance(5000)
  a.port.tick(clock.now())
  const before = told()
  for (let i = 0; i < 20; i++) a.send(last.payload, 160, { payloadType: 101 })
  assert.equal(told() - before, 20, 'and again when it is over')
})
