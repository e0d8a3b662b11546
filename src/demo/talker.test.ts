import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../core/fake-clock.ts'
import { emptyRtpPacket, parseRtp } from '../rtp/packet.ts'
import { Listener } from './listener.ts'
import { samplesPerPacket, Talker } from './talker.ts'

const speech = Int16Array.from({ length: 10 * samplesPerPacket }, (_, i) => 8_000 * Math.sin(i / 7))

function setUp(options: { readonly eventPayloadType?: number } = {}) {
  const clock = new FakeClock()
  const packets: Uint8Array[] = []
  const sentAt: number[] = []
  const talker = new Talker({
    clock,
    law: 'PCMU',
    payloadType: 0,
    speech,
    send: (packet) => {
      packets.push(packet)
      sentAt.push(clock.now())
    },
    ...options,
  })
  const listener = new Listener({ clock, audio: new Map([[0, 'PCMU']]), ...options })
  return { clock, talker, listener, packets, sentAt }
}

const headerOf = (bytes: Uint8Array) => {
  const packet = emptyRtpPacket()
  assert.ok(parseRtp(bytes, packet))
  return packet
}

test('a packet goes out every 20 ms, and a late timer delays one packet and not the stream', () => {
  const { clock, talker, sentAt } = setUp()
  const exact = clock.after.bind(clock)
  clock.after = (delayMs, fire) => exact(delayMs + 3, fire) // a host whose timers are 3 ms late

  talker.start()
  clock.advance(100)
  talker.stop()

  assert.deepEqual(sentAt, [0, 23, 43, 63, 83])
})

test('what was missed while the process stood still goes out at once', () => {
  const { clock, talker, sentAt } = setUp()
  const exact = clock.after.bind(clock)
  let stall = 0
  clock.after = (delayMs, fire) => exact(stall++ === 1 ? 70 : delayMs, fire)

  talker.start()
  clock.advance(120)
  talker.stop()

  assert.deepEqual(sentAt, [0, 20, 90, 90, 90, 100, 120])
})

test('a listener ends up with exactly the samples the talker says it sent', () => {
  const { clock, talker, listener, packets } = setUp()

  talker.start()
  clock.advance(400)
  talker.stop()
  for (const packet of packets) listener.receive(packet)

  assert.equal(talker.sent().length, 21 * samplesPerPacket)
  assert.deepEqual(listener.heard(), talker.sent())
  assert.equal(talker.spoken, true)
})

test('a pause leaves a gap that is silence, and the speech goes on where it stopped', () => {
  const { clock, talker, listener, packets } = setUp()

  talker.start()
  clock.advance(50)
  talker.pause()
  clock.advance(100)
  talker.resume()
  clock.advance(50)
  talker.stop()
  for (const packet of packets) listener.receive(packet)

  const sent = talker.sent()
  assert.deepEqual(listener.heard(), sent)
  assert.ok(sent.subarray(3 * samplesPerPacket, 8 * samplesPerPacket).every((sample) => sample === 0))
  assert.equal(packets.length, 6)
  assert.deepEqual(
    packets.map((packet) => headerOf(packet).marker),
    [true, false, false, true, false, false],
  )
})

test('samples after the last packet do not count as sent', () => {
  const { clock, talker } = setUp()

  talker.start()
  clock.advance(50)
  talker.pause()
  clock.advance(1_000)
  talker.stop()

  assert.equal(talker.sent().length, 3 * samplesPerPacket)
})

test('keys are heard once each, with silence in their place, and resolve when released (RFC 4733)', async () => {
  const { clock, talker, listener, packets } = setUp({ eventPayloadType: 101 })

  talker.start()
  clock.advance(30)
  const pressed = talker.press('5#')
  clock.advance(1_000)
  await pressed
  talker.stop()
  for (const packet of packets) listener.receive(packet)

  assert.equal(listener.digits, '5#')
  assert.deepEqual(listener.heard(), talker.sent())
  const events = packets.map(headerOf).filter(({ payloadType }) => payloadType === 101)
  assert.equal(new Set(events.map(({ timestamp }) => timestamp)).size, 2)
  assert.equal(events.filter(({ marker }) => marker).length, 2)
})

test('keys cannot be pressed when the peer takes none', async () => {
  const { talker } = setUp()

  await assert.rejects(talker.press('1'), /no telephone-events/)
})

test('nothing waits any more once the talker has stopped', async () => {
  const { clock, talker } = setUp({ eventPayloadType: 101 })
  talker.start()
  const pressed = talker.press('123')

  talker.stop()

  await pressed
  assert.equal(clock.pendingTimers, 0)
})

test('another source is heard behind the first', () => {
  const first = setUp()
  const second = setUp()
  for (const { clock, talker } of [first, second]) {
    talker.start()
    clock.advance(100)
    talker.stop()
  }

  for (const packet of [...first.packets, ...second.packets]) first.listener.receive(packet)

  const once = first.talker.sent()
  assert.deepEqual(first.listener.heard(), Int16Array.from([...once, ...once]))
})
