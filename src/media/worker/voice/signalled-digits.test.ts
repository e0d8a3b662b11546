import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ToneSource } from '../../../codec/tone.ts'
import { dtmfTone } from '../../../codec/tones.ts'
import type { FakeClock } from '../../../core/fake-clock.ts'
import { DigitDetector, digitPackets, parseTelephoneEvent } from '../../../rtp/telephone-event.ts'
import { callOf, events, type Phone, pcmu, speak } from './test-support.ts'

const told = (phone: Phone) => phone.told.flatMap(([name, event]) => (name === 'digit' ? [event] : []))

/** What a phone that was sent events makes of them. */
function eventsAt(phone: Phone): unknown[] {
  const heard: unknown[] = []
  const detector = new DigitDetector(8000, (digit) => heard.push(digit))
  for (const { payloadType, payload, timestamp, atMs } of phone.got) {
    const event = payloadType === 101 ? parseTelephoneEvent(payload) : undefined
    if (event) detector.packet(timestamp, event, atMs)
  }
  detector.restart()
  return heard
}

/** Send a digit as events while time goes by. */
function pressEvents(clock: FakeClock, phone: Phone, digit: string, toneMs: number): void {
  for (const { payload, marker } of digitPackets(digit, toneMs)) {
    phone.send(payload, 0, { marker, payloadType: 101 })
    clock.advance(20)
    phone.port.tick(clock.now())
  }
  phone.timestamp += 8 * toneMs
}

function pass(clock: FakeClock, phone: Phone, ms: number): void {
  for (let i = 0; i < ms; i += 50) {
    clock.advance(50)
    phone.port.tick(clock.now())
  }
}

test('a digit by signalling is told at once by who agreed to no events, else when none came', () => {
  for (const [formats, waitMs] of [
    [[pcmu], 0],
    [[pcmu, events()], 200],
  ] as const) {
    const { clock, a } = callOf({ formats }, { formats: [pcmu] })
    const answers: boolean[] = []
    for (const digit of ['5', '5', '#']) a.port.takeDigit(digit, 240, (isNew) => answers.push(isNew))
    pass(clock, a, waitMs)
    assert.deepEqual(answers, [true, true, true])
    assert.deepEqual(
      told(a),
      ['5', '5', '#'].map((digit) => ({ digit, durationMs: 240 })),
    )
  }
})

test('a phone that sends each digit as events and by signalling pressed it once, whichever comes first', () => {
  const { clock, a, b } = callOf({ formats: [pcmu, events()] }, { formats: [pcmu, events()] })
  const answers: boolean[] = []
  const signal = (digit: string): void => a.port.takeDigit(digit, 100, (isNew) => answers.push(isNew))
  signal('5')
  pass(clock, a, 50)
  pressEvents(clock, a, '5', 100)
  pressEvents(clock, a, '5', 3_000)
  signal('5')
  pressEvents(clock, a, '7', 60)
  pass(clock, a, 1_000)
  signal('7')
  pass(clock, a, 300)
  const pressed = [
    { digit: '5', durationMs: 100 },
    { digit: '5', durationMs: 3_000 },
    { digit: '7', durationMs: 60 },
  ]
  assert.deepEqual(answers, [false, false, false])
  assert.deepEqual(told(a), pressed)
  assert.deepEqual(eventsAt(b), pressed)
})

test('each event has one copy: the second press by signalling is a press of its own', () => {
  const { clock, a } = callOf({ formats: [pcmu, events()] }, { formats: [pcmu] })
  const answers: boolean[] = []
  pressEvents(clock, a, '5', 100)
  for (let i = 0; i < 2; i++) a.port.takeDigit('5', 100, (isNew) => answers.push(isNew))
  pass(clock, a, 300)
  assert.deepEqual(answers, [false, true])
  assert.equal(told(a).length, 2)
})

test('a digit of long ago is no copy', () => {
  const { clock, a } = callOf({ formats: [pcmu, events()] }, { formats: [pcmu] })
  pressEvents(clock, a, '5', 100)
  pass(clock, a, 2_000)
  let isNew: boolean | undefined
  a.port.takeDigit('5', 100, (answer) => (isNew = answer))
  pass(clock, a, 300)
  assert.equal(isNew, true)
})

test('while tones are listened to, a digit that is heard and signalled counts once', () => {
  const { clock, a } = callOf({ formats: [pcmu] }, { formats: [pcmu] })
  a.port.hearTones(true)
  const tone = dtmfTone('9')
  assert.ok(tone)
  const sound = new Int16Array(8000 / 4)
  new ToneSource({ ...tone, cadenceMs: [100, 1_000] }, 8000).make(sound, 0, sound.length)
  let isNew: boolean | undefined
  speak(clock, a, sound, 160, 20, (index) => {
    if (index === 5) a.port.takeDigit('9', 100, (answer) => (isNew = answer))
  })
  pass(clock, a, 300)
  assert.equal(isNew, false)
  assert.deepEqual(told(a), [{ digit: '9', durationMs: 45 }])
})

test('a digit that waits when the port is closed was pressed', async () => {
  const { a } = callOf({ formats: [pcmu, events()] }, { formats: [pcmu] })
  a.port.takeDigit('1', 100, () => {})
  await a.port.close()
  assert.deepEqual(told(a), [{ digit: '1', durationMs: 100 }])
})
