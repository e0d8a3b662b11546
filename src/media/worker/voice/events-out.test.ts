import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DtmfDetector } from '../../../codec/dtmf-detector.ts'
import { sine } from '../../../codec/test-support.ts'
import { DigitDetector, digitPackets, parseTelephoneEvent } from '../../../rtp/telephone-event.ts'
import type { PayloadFormat } from '../../types.ts'
import { callOf, codecOf, events, g722, opus, type Phone, pcma, pcmu, speak } from './test-support.ts'

/** What a receiver makes of the event packets that a phone got. */
function digitsOf(phone: Phone, { payloadType, clockRateHz }: PayloadFormat) {
  const heard: { digit: string; durationMs: number }[] = []
  const detector = new DigitDetector(clockRateHz, (digit) => heard.push(digit))
  for (const packet of phone.got) {
    const event = packet.payloadType === payloadType && parseTelephoneEvent(packet.payload)
    if (event) detector.packet(packet.timestamp, event, packet.atMs)
  }
  detector.restart()
  return heard
}

/** Digits that can be heard as tones. */
function tonesOf(phone: Phone, format: PayloadFormat): string {
  let heard = ''
  const detector = new DtmfDetector((digit) => (heard += digit))
  const sound = phone.sound(format)
  assert.equal(codecOf(format).sampleRateHz, 8000)
  detector.listen(sound, 0, sound.length)
  return heard
}

/** Let a phone press a digit: an event packet each 20 ms. */
function press(
  phone: Phone,
  digit: string,
  toneMs: number,
  format: PayloadFormat,
  advance: (ms: number) => void,
): void {
  const began = phone.timestamp
  for (const { payload, marker, timestampOffset } of digitPackets(digit, toneMs, format.clockRateHz)) {
    phone.timestamp = began + timestampOffset
    phone.send(payload, 0, { marker, payloadType: format.payloadType })
    const event = parseTelephoneEvent(payload)
    if (!event?.end) advance(20)
  }
  phone.timestamp = began + (toneMs * format.clockRateHz) / 1000
}

test('a digit crosses from events of one clock to events of another, with its length', () => {
  const [narrow, wide] = [events(8000, 101), events(48_000, 110)]
  for (const [from, fromEvents, to, toEvents] of [
    [pcmu, narrow, opus, wide],
    [opus, wide, pcmu, narrow],
    [pcmu, narrow, g722, narrow],
    [opus, narrow, opus, narrow], // relayed, but for the digits
  ] as const) {
    const { clock, a, b } = callOf({ formats: [from, fromEvents] }, { formats: [to, toEvents] })
    const rate = codecOf(from).sampleRateHz
    const say = (): void => speak(clock, a, sine(300, 8000, rate, 0.3), rate / 50, 20)
    say()
    press(a, '7', 100, fromEvents, (ms) => clock.advance(ms))
    say()
    press(a, '#', 80, fromEvents, (ms) => clock.advance(ms))
    say()
    assert.deepEqual(digitsOf(b, toEvents), [
      { digit: '7', durationMs: 100 },
      { digit: '#', durationMs: 80 },
    ])
    for (const [i, next] of b.got.entries()) {
      const before = b.got[i - 1]
      if (before) assert.equal((next.sequence - before.sequence) & 0xffff, 1)
    }
    const told = b.got.filter(({ payloadType }) => payloadType === toEvents.payloadType)
    assert.deepEqual(
      told.map(({ marker }) => marker),
      told.map((_, i) => i === 0 || i === 7),
    )
    const during = b.got.filter(({ payloadType, atMs }) => payloadType === to.payloadType && atMs > 300 && atMs < 380)
    assert.equal(during.length, 0, 'no speech beside a digit')
  }
})

test('a digit that is held for longer than the clock of the other side can say goes on in segments', () => {
  const wide = events(48_000, 110)
  const { clock, a, b } = callOf({ formats: [pcmu, events()] }, { formats: [opus, wide] })
  press(a, '0', 3000, events(), (ms) => clock.advance(ms))
  assert.deepEqual(digitsOf(b, wide), [{ digit: '0', durationMs: 3000 }])
})

test('a digit is heard as a tone by a party that takes no events, as long as it was pressed', () => {
  for (const from of [pcma, g722]) {
    const { clock, frames, a, b } = callOf({ formats: [from, events()] }, { formats: [pcma] })
    const rate = codecOf(from).sampleRateHz
    for (const digit of '15#') {
      speak(clock, a, sine(300, 800, rate, 0.2), rate / 50, 20)
      press(a, digit, 120, events(), (ms) => clock.advance(ms))
    }
    speak(clock, a, sine(300, 800, rate, 0.2), rate / 50, 20)
    clock.advance(2000)
    assert.equal(tonesOf(b, pcma), '15#')
    assert.equal(frames.sinks, 0)
  }
})

test('a digit for which there is no room among what is played is not heard, and harms nobody', async () => {
  const { clock, a, b } = callOf({ formats: [pcmu, events(8000, 101)] }, { formats: [pcmu] })
  speak(clock, a, sine(300, 8000, 8000, 0.1), 160, 20)
  const silence = { sampleRateHz: 8000, read: () => undefined }
  const ends = Array.from({ length: 16 }, () => b.port.say(silence, 'over'))
  press(a, '5', 100, events(8000, 101), (ms) => clock.advance(ms))
  let complete: boolean | undefined
  b.port.sendDigits('5', 100, 100, (value) => (complete = value))
  clock.advance(500)
  assert.equal(complete, true)
  assert.equal(tonesOf(b, pcmu), '')
  for (const end of ends) end()
  await Promise.all([a.port.close(), b.port.close()])
})

test('the same digit twice is two tones, though the end of the first is lost', () => {
  for (const pauseMs of [60, 80, 120, 160, 200]) {
    const { clock, a, b } = callOf({ formats: [pcmu, events()] }, { formats: [pcmu] })
    for (const digit of '77') {
      const began = a.timestamp
      for (const { payload, marker } of digitPackets(digit, 100)) {
        a.timestamp = began
        if (parseTelephoneEvent(payload)?.end) a.sequence++
        else a.send(payload, 0, { marker, payloadType: 101 })
        clock.advance(parseTelephoneEvent(payload)?.end ? 0 : 20)
      }
      a.timestamp = began + 800
      speak(clock, a, sine(300, 800, 8000, pauseMs / 1000), 160, 20)
    }
    clock.advance(1000)
    assert.equal(tonesOf(b, pcmu), '77', `pause of ${pauseMs} ms`)
  }
})

test('a tone for an event whose end was lost does not sound on', () => {
  const { clock, frames, a, b } = callOf({ formats: [pcmu, events()] }, { formats: [pcmu] })
  const [first, second] = digitPackets('3', 100)
  assert.ok(first && second)
  a.send(first.payload, 0, { marker: true, payloadType: 101 })
  clock.advance(20)
  a.send(second.payload, 0, { payloadType: 101 })
  clock.advance(1000)
  assert.equal(frames.sinks, 0)
  assert.equal(tonesOf(b, pcmu), '3')
  assert.ok(b.got.length <= 9, `${b.got.length} packets`)
})

test('digits are sent as events of the length asked for, with speech between and not beside them', async () => {
  for (const speaking of [true, false]) {
    const { clock, frames, a, b } = callOf({ formats: [pcmu] }, { formats: [pcmu, events()] })
    let done: boolean | undefined
    assert.ok(b.port.sendDigits('12#', 100, 60, (complete) => (done = complete)))
    if (speaking) speak(clock, a, sine(300, 8000, 8000, 1), 160, 20)
    else clock.advance(1000)
    assert.deepEqual(digitsOf(b, events()), [
      { digit: '1', durationMs: 100 },
      { digit: '2', durationMs: 100 },
      { digit: '#', durationMs: 100 },
    ])
    assert.equal(done, true)
    assert.equal(frames.sinks, 0)
    const sequences = b.got.map(({ sequence }) => sequence)
    assert.deepEqual(
      sequences,
      sequences.map((_, i) => ((sequences[0] ?? 0) + i) & 0xffff),
    )
    const speech = b.got.flatMap(({ payloadType, atMs }) => (payloadType === 0 ? [atMs] : []))
    assert.equal(
      speech.some((atMs) => atMs > 130 && atMs < 180),
      speaking,
    )
    assert.ok(
      speech.every((atMs) => atMs < 20 || atMs > 110),
      'beside the first digit',
    )
    const events1 = b.got.filter(({ payloadType, atMs }) => payloadType === 101 && atMs < 170)
    assert.equal(events1.length, 7, 'five packets, the last three times')
  }
})

test('digits are sent as tones to a party that takes no events', () => {
  const { clock, a, b } = callOf({ formats: [pcmu] }, { formats: [pcmu] })
  let done: boolean | undefined
  assert.ok(b.port.sendDigits('147*A', 80, 60, (complete) => (done = complete)))
  speak(clock, a, sine(300, 8000, 8000, 1.2), 160, 20)
  assert.equal(tonesOf(b, pcmu), '147*A')
  assert.equal(done, true)
})

test('digits wait for those before them, but no endless row of them', () => {
  const { clock, a } = callOf({ formats: [pcmu, events()] }, { formats: [pcmu] })
  let sent = 0
  const send = (): boolean => a.port.sendDigits('1', 40, 40, () => sent++)
  for (let i = 0; i < 64; i++) assert.ok(send())
  assert.equal(send(), false)
  clock.advance(200)
  assert.ok(sent > 0 && send())
})

test('digits cannot be sent to who takes nothing; who waits for them is told when the port closes', async () => {
  const { clock, a, b } = callOf({ formats: [pcmu], description: { send: [] } }, { formats: [pcmu] })
  assert.equal(
    a.port.sendDigits('1', 80, 60, () => {}),
    false,
  )
  let complete: boolean | undefined
  b.port.sendDigits('1234', 80, 60, (all) => (complete = all))
  clock.advance(100)
  await b.port.close()
  assert.equal(complete, false)
  assert.equal(clock.pendingTimers, 0)
})
