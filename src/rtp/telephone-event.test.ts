import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type DetectedDigit,
  DigitDetector,
  digitPackets,
  parseTelephoneEvent,
  printTelephoneEvent,
} from './telephone-event.ts'

interface Sent {
  readonly timestamp: number
  readonly payload: Uint8Array
  readonly atMs: number
}

/** The packets of some digits, each `gapMs` after the end of the one before. */
function press(keys: string, toneMs = 100, gapMs = 60, firstTimestamp = 0xffff_ff00): Sent[] {
  return Array.from(keys).flatMap((key, i) => {
    const startMs = i * (toneMs + gapMs)
    return digitPackets(key, toneMs).map((packet) => ({
      timestamp: (firstTimestamp + startMs * 8 + packet.timestampOffset) >>> 0,
      payload: packet.payload,
      atMs: startMs + packet.atMs,
    }))
  })
}

function detect(packets: readonly Sent[], untilMs = 60_000): DetectedDigit[] {
  const told: DetectedDigit[] = []
  const detector = new DigitDetector(8000, (digit) => told.push(digit))
  let nowMs = 0
  for (const packet of packets) {
    for (; nowMs <= packet.atMs; nowMs += 50) detector.tick(nowMs)
    const event = parseTelephoneEvent(packet.payload)
    assert.ok(event)
    detector.packet(packet.timestamp, event, packet.atMs)
  }
  for (; nowMs <= untilMs; nowMs += 50) detector.tick(nowMs)
  return told
}

test('an event printed and parsed is the same; four bytes are needed (RFC 4733 §2.3)', () => {
  const event = { event: 11, end: true, volume: 10, durationTicks: 65_535 }
  assert.deepEqual(parseTelephoneEvent(printTelephoneEvent(event)), event)
  assert.equal(parseTelephoneEvent(Uint8Array.of(1, 2, 3)), undefined)
})

test('a digit goes out every 20 ms, its last packet three times, the marker on the first only', () => {
  const packets = digitPackets('#', 60)
  assert.deepEqual(
    packets.map(({ marker, atMs, payload }) => Object.assign({ marker, atMs }, parseTelephoneEvent(payload))),
    [
      { marker: true, atMs: 20, event: 11, end: false, volume: 10, durationTicks: 160 },
      { marker: false, atMs: 40, event: 11, end: false, volume: 10, durationTicks: 320 },
      ...Array.from({ length: 3 }, () => ({
        marker: false,
        atMs: 60,
        event: 11,
        end: true,
        volume: 10,
        durationTicks: 480,
      })),
    ],
  )
  assert.throws(() => digitPackets('x', 60), RangeError)
})

test('every digit is told once, in order, with its length, across the wrap of the timestamp', () => {
  assert.deepEqual(
    detect(press('0123456789*#ABCD')),
    Array.from('0123456789*#ABCD', (digit) => ({ digit, durationMs: 100 })),
  )
})

test('the same digit twice is two digits', () => {
  assert.equal(detect(press('55')).length, 2)
})

test('with all end packets lost the next digit ends it, or silence does', () => {
  const withoutEnds = press('42').filter((packet) => !parseTelephoneEvent(packet.payload)?.end)
  assert.deepEqual(detect(withoutEnds), [
    { digit: '4', durationMs: 80 },
    { digit: '2', durationMs: 80 },
  ])
  assert.deepEqual(detect(press('7').slice(0, 3), 150), [], 'not before silence lasted')
})

test('with all end packets lost speech ends it, but not speech from before the digit that came late', () => {
  const told: DetectedDigit[] = []
  const detector = new DigitDetector(8000, (digit) => told.push(digit))
  detector.packet(8000, { event: 3, end: false, volume: 10, durationTicks: 320 }, 1000)
  detector.speech(7840)
  assert.deepEqual(told, [])
  detector.speech(8480)
  assert.deepEqual(told, [{ digit: '3', durationMs: 40 }])
  detector.packet(8000, { event: 3, end: true, volume: 10, durationTicks: 640 }, 1050)
  assert.equal(told.length, 1, 'an end packet that came late is no new digit')
})

test('any one packet of a digit is enough: 200 seeded patterns of loss, doubling and swapping', () => {
  let seed = 7
  const random = (): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    return seed / 2 ** 32
  }
  for (let pattern = 0; pattern < 200; pattern++) {
    const keys = Array.from({ length: 6 }, () => '0123456789*#ABCD'[Math.floor(random() * 16)]).join('')
    const all = press(keys)
    const last = new Map(all.map((packet) => [packet.timestamp, packet]))
    const came = all.filter((packet) => last.get(packet.timestamp) === packet || random() > 0.5)
    const doubled = came.flatMap((packet) => (random() < 0.2 ? [packet, packet] : [packet]))
    for (let i = 1; i < doubled.length; i++) {
      const [a, b] = [doubled[i - 1], doubled[i]]
      if (a && b && a.timestamp === b.timestamp && random() < 0.2) [doubled[i - 1], doubled[i]] = [b, a]
    }
    assert.equal(
      detect(doubled)
        .map(({ digit }) => digit)
        .join(''),
      keys,
      `pattern ${pattern}`,
    )
  }
})

test('a digit held longer than the 16-bit duration is one digit (RFC 4733 §2.5.1.3)', () => {
  assert.deepEqual(detect(press('9', 20_000)), [{ digit: '9', durationMs: 20_000 }])
})

test('another source starts with timestamps of its own', () => {
  const told: DetectedDigit[] = []
  const detector = new DigitDetector(8000, (digit) => told.push(digit))
  detector.packet(0x7000_0000, { event: 1, end: true, volume: 10, durationTicks: 800 }, 0)
  detector.restart()
  detector.packet(5, { event: 2, end: true, volume: 10, durationTicks: 800 }, 0)
  assert.deepEqual(
    told.map(({ digit }) => digit),
    ['1', '2'],
  )
})

test('other events, a flash or a fax tone, are no digits', () => {
  assert.deepEqual(detect([{ timestamp: 1, payload: Uint8Array.of(16, 0x8a, 1, 0), atMs: 0 }]), [])
})
