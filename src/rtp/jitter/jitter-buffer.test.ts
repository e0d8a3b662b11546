import assert from 'node:assert/strict'
import { test } from 'node:test'
import { emptyRtpPacket } from '../packet.ts'
import { type Carries, JitterBuffer } from './jitter-buffer.ts'

/** A buffer of an 8 kHz stream, and packets of 20 ms whose payload is their number. */
function buffer(firstSequence = 100, firstTimestamp = 5000, ssrc = 7) {
  const jitter = new JitterBuffer({ clockRateHz: 8000, minMs: 20, maxMs: 200 })
  const packet = emptyRtpPacket()
  const put = (index: number, atMs = index * 20, carries: Carries = 'sound', bytes = 160): boolean => {
    packet.bytes = new Uint8Array(bytes).fill(index)
    packet.payloadEnd = bytes
    packet.sequence = (firstSequence + index) & 0xffff
    packet.timestamp = (firstTimestamp + index * 160) >>> 0
    packet.ssrc = ssrc
    return jitter.put(packet, carries, atMs)
  }
  /** What is played until nothing is left, in packets and ticks. */
  const play = (): (number | string)[] => {
    const heard: (number | string)[] = []
    if (!jitter.playing) jitter.start()
    for (let next = jitter.next(); next !== 'none'; next = jitter.next()) {
      heard.push(next === 'packet' ? (jitter.bytes[jitter.payloadStart] ?? -1) : `${next} ${jitter.ticks}`)
      jitter.advance(next === 'packet' ? jitter.payloadBytes : jitter.ticks)
    }
    return heard
  }
  return { jitter, packet, put, play }
}

test('packets come out once each, in the order they were sent, over the wrap of both numbers', () => {
  const { jitter, put, play } = buffer(65_533, 2 ** 32 - 400)
  for (const index of [0, 2, 1, 1, 4, 3, 6, 5, 0]) put(index)
  assert.deepEqual(play(), [0, 1, 2, 3, 4, 5, 6])
  const { duplicate, reordered, lost } = jitter.counts
  assert.deepEqual({ duplicate, reordered, lost }, { duplicate: 2, reordered: 3, lost: 0 })
})

test('before the first is played an older one may come', () => {
  const { put, play } = buffer()
  for (const index of [3, 1, 2]) put(index)
  assert.deepEqual(play(), [1, 2, 3])
})

test('what is lost is told packet by packet; what comes too late is thrown away, and told from what comes twice', () => {
  const { jitter, put, play } = buffer()
  for (const index of [0, 3]) put(index)
  assert.deepEqual(play(), [0, 'lost 160', 'lost 160', 3])
  assert.equal(put(1), false)
  assert.equal(put(3), false)
  const { lost, late, duplicate } = jitter.counts
  assert.deepEqual({ lost, late, duplicate }, { lost: 2, late: 1, duplicate: 1 })
})

test('a loss for which sound was made up before it was known is not made up again', () => {
  const { put, jitter, play } = buffer()
  put(0)
  assert.deepEqual(play(), [0])
  jitter.hold(160)
  put(2)
  assert.deepEqual(play(), [2])
  jitter.hold(80)
  put(4)
  assert.deepEqual(play(), ['lost 80', 4])
  assert.equal(jitter.counts.lost, 2)
})

test('what the sender left out is a gap and not lost; what was played meanwhile counts', () => {
  const { packet, put, jitter, play } = buffer()
  put(0, 0)
  assert.deepEqual(play(), [0])
  jitter.hold(3000)
  packet.sequence = 101
  packet.timestamp = 5000 + 4000
  assert.equal(jitter.put(packet, 'sound', 500), true)
  assert.deepEqual(play(), ['gap 840', 0])
  assert.equal(jitter.counts.lost, 0)
})

test('telephone-events take numbers of the sequence and are no loss of sound', () => {
  const { jitter, put, play } = buffer()
  put(0)
  for (const index of [1, 2, 3]) put(index, index * 20, 'other', 4)
  put(4)
  assert.deepEqual(play(), [0, 'gap 480', 4])
  assert.equal(jitter.counts.lost, 0)
})

test('another SSRC begins anew at once, another sequence with its second packet, other timestamps without a pause', () => {
  const { jitter, packet, put, play } = buffer()
  put(0)
  play()
  packet.ssrc = 8
  packet.sequence = 40_000
  packet.timestamp = 77
  assert.equal(jitter.put(packet, 'sound', 20), true)
  assert.equal(jitter.playing, false)
  assert.deepEqual(play(), [0])
  packet.sequence = 9000
  assert.equal(jitter.put(packet, 'sound', 40), false)
  packet.sequence = 9001
  packet.timestamp = 237
  assert.equal(jitter.put(packet, 'sound', 60), true)
  assert.deepEqual(play(), [0])
  packet.sequence = 9002
  packet.timestamp = 2 ** 31
  assert.equal(jitter.put(packet, 'sound', 80), true)
  assert.deepEqual(play(), [0])
  const { restarts, stray, lost } = jitter.counts
  assert.deepEqual({ restarts, stray, lost }, { restarts: 3, stray: 1, lost: 0 })
})

test('of two sources that send at once one is heard, the newer; the other when that stops', () => {
  const { jitter, packet, put, play } = buffer()
  const other = (ssrc: number, index: number): boolean => {
    Object.assign(packet, { ssrc, sequence: index, timestamp: 160 * index })
    return jitter.put(packet, 'sound', index * 20)
  }
  put(0)
  for (let index = 1; index < 50; index++) {
    assert.equal(other(8, index), true)
    assert.equal(other(7, index), false)
  }
  assert.equal(play().length, 49)
  for (let index = 50; index < 60; index++) other(7, index)
  assert.equal(play().length, 6, '100 ms later')
})

test('a sender that pauses with its timestamps goes on without delay', () => {
  const { jitter, put, play } = buffer()
  put(0, 0)
  play()
  jitter.hold(4980 * 8)
  put(1, 5000)
  assert.deepEqual(play(), [1])
  assert.equal(jitter.delayMs(5020), 0)
})

test('packets of 1 to 1500 bytes keep their bytes as slots get larger; longer ones are not taken', () => {
  const { jitter, put } = buffer()
  put(0, 0, 'sound', 1)
  put(1, 20, 'sound', 160)
  put(2, 40, 'sound', 700)
  put(3, 60, 'sound', 1500)
  assert.equal(put(4, 80, 'sound', 1501), false)
  jitter.start()
  for (const [index, bytes] of [1, 160, 700, 1500].entries()) {
    assert.equal(jitter.next(), 'packet')
    assert.equal(jitter.payloadBytes, bytes)
    const payload = jitter.bytes.subarray(jitter.payloadStart, jitter.payloadStart + bytes)
    assert.ok(payload.every((byte) => byte === index))
    jitter.advance(160)
  }
})

test('when nobody plays, the newest 128 packets are kept', () => {
  const { jitter, put, play } = buffer()
  for (let index = 0; index < 200; index++) put(index)
  const heard = play()
  assert.equal(heard.length, 128)
  assert.equal(heard[0], 72)
  assert.equal(jitter.counts.overflowed, 72)
})

test('behind a loss the next packet is shown, for the copy it may carry', () => {
  const { jitter, put } = buffer()
  for (const index of [0, 2, 5]) put(index)
  jitter.start()
  jitter.next()
  jitter.advance(160)
  assert.equal(jitter.next(), 'lost')
  assert.equal(jitter.following(), true)
  assert.equal(jitter.bytes[jitter.payloadStart], 2)
  jitter.advance(160)
  assert.equal(jitter.next(), 'packet')
  jitter.advance(160)
  assert.equal(jitter.next(), 'lost')
  assert.equal(jitter.following(), false)
})

test('dropping leaves what is no older than the delay', () => {
  const { jitter, put } = buffer()
  for (let index = 0; index < 20; index++) put(index)
  jitter.start()
  jitter.drop(60, 380)
  assert.equal(jitter.next(), 'packet')
  assert.equal(jitter.bytes[jitter.payloadStart], 16)
  assert.equal(jitter.delayMs(380), 60)
  assert.equal(jitter.counts.overflowed, 16)
})
