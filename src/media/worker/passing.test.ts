/**
 * Two bridged ports over real sockets, with both kinds of packet input and output: whichever way packets take, past the
 * ports or through them, the same comes out and the same is known of it.
 */
import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { decodeG711 } from '../../codec/g711.ts'
import { readWav } from '../../codec/wav.ts'
import { systemClock } from '../../core/clock.ts'
import { emptyRtpPacket, parseRtp, printRtp, type RtpPacket } from '../../rtp/packet.ts'
import { uint16, uint32 } from '../../rtp/sequence.ts'
import { loadNative, type Native } from '../native-addon.ts'
import { FrameClock } from './frame-clock.ts'
import type { MediaIo, PacketHandler } from './io/io.ts'
import { dgramIo } from './io/io-dgram.ts'
import { NativeIo } from './io/io-native.ts'
import { Port } from './port.ts'
import { BlockPool } from './recording/block-pool.ts'

const lo = '127.0.0.1'
const pcmu = { payloadType: 0, encoding: 'PCMU', clockRateHz: 8000 } as const
const events = { payloadType: 101, encoding: 'telephone-event', clockRateHz: 8000 } as const
const loaded = loadNative()

/** One that counts what went past the ports. */
function nativeIo(passed: { count: number }): MediaIo {
  if (!('native' in loaded)) throw new Error('no addon')
  const { native } = loaded
  let words = new Int32Array(0)
  const receivedWords = 5
  const count = (from: number, slots: number): void => {
    for (let slot = from; slot < from + slots; slot++) if (words[slot * receivedWords + 2] === 2) passed.count++
  }
  const watched: Native = {
    ...native,
    create(block) {
      words = new Int32Array(block, (64 + 16) * 2048 + 128 * 1024)
      return native.create(block)
    },
    poll(io, share) {
      const answer = native.poll(io, share)
      count(0, answer < 0 ? -answer - 1 : answer)
      return answer
    },
    drain(io, socket) {
      const answer = native.drain(io, socket)
      count(64, answer)
      return answer
    },
  }
  return new NativeIo(watched, { clock: systemClock, pollMs: 1 })
}

class Peer {
  readonly heard: RtpPacket[] = []
  readonly socket: Socket
  /** The port that it hears. */
  from = 0
  #wake: (() => void) | undefined

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('message', (bytes, { port }) => {
      if (port !== this.from) return // of another test on this machine
      const packet = emptyRtpPacket()
      if (!parseRtp(Uint8Array.from(bytes), packet)) return
      this.heard.push(packet)
      this.#wake?.()
    })
  }

  get port(): number {
    return this.socket.address().port
  }

  async until(count: number): Promise<void> {
    while (this.heard.length < count) await new Promise<void>((resolve) => (this.#wake = resolve))
  }
}

async function newPeer(t: TestContext): Promise<Peer> {
  const socket = createSocket('udp4')
  socket.bind(0, lo)
  await once(socket, 'listening')
  t.after(() => socket.close())
  return new Peer(socket)
}

/** A pair of sockets on free ports. */
async function openAt(t: TestContext, io: MediaIo, handler: PacketHandler) {
  for (;;) {
    const probe = createSocket('udp4')
    probe.bind(0, lo)
    await once(probe, 'listening')
    const rtpPort = probe.address().port & ~1
    await new Promise<void>((resolve) => probe.close(resolve))
    const sockets = await io.open(lo, rtpPort, handler)
    if (!sockets) continue
    t.after(() => sockets.close())
    return { sockets, rtpPort }
  }
}

/** Counts what comes to many sockets. */
class Heard implements PacketHandler {
  count = 0
  #wake: (() => void) | undefined

  rtp(): void {
    this.count++
    this.#wake?.()
  }

  rtcp(): void {
    this.rtp()
  }

  async until(count: number): Promise<void> {
    while (this.count < count) await new Promise<void>((resolve) => (this.#wake = resolve))
  }
}

test('native: packets that are handed over take no more room than there is, whoever else has packets', {
  skip: !('native' in loaded),
  timeout: 20_000,
}, async (t) => {
  const io = nativeIo({ count: 0 })
  const peer = await newPeer(t)
  const to = { ip: lo, port: peer.port }
  const heard = new Heard()
  const many = (count: number) => Promise.all(Array.from({ length: count }, () => openAt(t, io, heard)))
  const [passing, targets, others] = [await many(7), await many(7), await many(60)]
  for (const [i, { sockets }] of passing.entries()) {
    const target = targets[i]
    assert.ok(target)
    target.sockets.sendRtp(new Uint8Array(12), 0, 12, to)
    const header = { ssrc: 7, payloadType: 0, newest: 0, mostBytes: 172 }
    const sent = { outSsrc: 8, outPayloadType: 0, sequenceOffset: 0, timestampOffset: 0 }
    sockets.pass({ from: to, ...header, ...sent }, target.sockets)
  }
  const away = new Heard()
  peer.socket.on('message', () => away.rtp())
  const send = (rtpPort: number, sequence: number): void => {
    const header = { marker: false, payloadType: 0, sequence, timestamp: 0, ssrc: 7 }
    peer.socket.send(printRtp(header, new Uint8Array(160)), rtpPort, lo)
  }
  for (let sequence = 1; sequence < 8; sequence++) {
    for (const { rtpPort } of passing) send(rtpPort, sequence)
    await away.until(7 * sequence)
  }
  assert.equal(heard.count, 0, 'kept')
  // With the eighth all are handed over, which leaves eight slots for what came to sixty others.
  for (const { rtpPort } of passing) send(rtpPort, 8)
  for (const { rtpPort } of others) send(rtpPort, 8)
  await heard.until(8 * 7 + 60)
  assert.equal(heard.count, 8 * 7 + 60)
})

async function bridged(t: TestContext, io: MediaIo) {
  const frames = new FrameClock(systemClock)
  const peers = [await newPeer(t), await newPeer(t)] as const
  const open = async (peer: Peer) => {
    const port = new Port({
      cname: 'c',
      inactiveAfterMs: 0,
      recordedLater: false,
      clock: systemClock,
      wallAt: (nowMs) => nowMs,
      blocks: new BlockPool(),
      frames,
      jitter: { minMs: 20, maxMs: 200 },
      tell: () => {},
    })
    for (;;) {
      const probe = await newPeer(t)
      const rtpPort = probe.port & ~1
      await new Promise<void>((resolve) => probe.socket.close(resolve))
      probe.socket.close = () => probe.socket
      const sockets = await io.open(lo, rtpPort, port)
      if (!sockets) continue
      port.attach(sockets)
      peer.from = rtpPort
      const remote = { ip: lo, rtpPort: peer.port, rtcpPort: peer.port + 1 }
      const describe = (): void => port.describe({ remote, receive: [pcmu, events], send: [pcmu, events] })
      describe()
      return { port, rtpPort, describe }
    }
  }
  const [a, b] = [await open(peers[0]), await open(peers[1])]
  a.port.bridge(b.port)
  t.after(() => Promise.all([a.port.close(), b.port.close()]))
  return { a, b, alice: peers[0], bob: peers[1] }
}

const kinds = [
  { name: 'dgram', create: (_passed: { count: number }): MediaIo => dgramIo, skip: false },
  { name: 'native', create: nativeIo, skip: !('native' in loaded) },
]

for (const { name, create, skip } of kinds) {
  test(`${name}: what is relayed comes out whole, in order and counted, whatever happens in between`, {
    skip,
    timeout: 20_000,
  }, async (t) => {
    const passed = { count: 0 }
    const { a, b, alice, bob } = await bridged(t, create(passed))
    const folder = mkdtempSync(join(tmpdir(), 'patchbay-'))
    t.after(() => rmSync(folder, { recursive: true }))
    a.port.record(join(folder, 'a.wav'))
    const payloads: Uint8Array[] = []
    const sent = { ssrc: 7, sequence: 65_400, timestamp: 0xffff_ff00 }
    let total = 0
    const say = (from: Peer, to: { rtpPort: number }, marker = false): void => {
      const payload = Uint8Array.from({ length: 160 }, (_, i) => (i * 7 + total * 13) & 0xff)
      if (from === alice) payloads.push(payload)
      total++
      const header = { marker, payloadType: 0, ...sent }
      from.socket.send(printRtp(header, payload), to.rtpPort, lo)
      sent.sequence = uint16(sent.sequence + 1)
      sent.timestamp = uint32(sent.timestamp + 160)
    }
    const speak = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i += 3) {
        for (let j = 0; j < 3; j++) say(alice, a, i + j === 40)
        await bob.until(payloads.length)
      }
    }
    await speak(150)
    a.describe() // a re-INVITE that changes nothing
    await speak(30)
    b.describe()
    await speak(30)
    const speech = bob.heard.filter(({ payloadType }) => payloadType === 0)
    assert.equal(new Set(speech.map(({ ssrc }) => ssrc)).size, 1)
    const [first] = speech
    assert.ok(first)
    for (const [i, { sequence, timestamp, bytes, payloadStart, marker }] of speech.entries()) {
      assert.equal(sequence, uint16(first.sequence + i))
      assert.equal(timestamp, uint32(first.timestamp + i * 160))
      assert.equal(marker, i === 40)
      assert.deepEqual(bytes.subarray(payloadStart), payloads[i])
    }
    a.port.drain()
    assert.equal(a.port.stats().packetsReceived, payloads.length)
    assert.equal(a.port.stats().packetsLost, 0)
    assert.equal(b.port.stats().packetsSent, payloads.length)
    const file = await a.port.stopRecording()
    assert.ok(file)
    const wav = await readWav(file.path)
    assert.deepEqual(wav.pcm, decodeG711('PCMU', Buffer.concat(payloads)))
    if (name === 'native') assert.ok(passed.count > payloads.length / 2, `${passed.count} went past the ports`)
  })

  test(`${name}: a party that is silent does not keep the other's packets from going past`, {
    skip,
    timeout: 20_000,
  }, async (t) => {
    const passed = { count: 0 }
    const { a, b, alice, bob } = await bridged(t, create(passed))
    const payload = new Uint8Array(160).fill(0x31)
    for (let i = 0; i < 96; i++) {
      const header = { marker: false, payloadType: 0, ssrc: 7, sequence: i, timestamp: 160 * i }
      alice.socket.send(printRtp(header, payload), a.rtpPort, lo)
      await bob.until(i + 1)
      b.port.tick(systemClock.now())
    }
    a.port.drain()
    assert.equal(b.port.stats().packetsSent, 96)
    if (name === 'native') assert.ok(passed.count > 80, `${passed.count} went past the ports`)
  })

  test(`${name}: a digit, another stream and a stranger find the ports as they would have been`, {
    skip,
    timeout: 20_000,
  }, async (t) => {
    const passed = { count: 0 }
    const { a, b, alice, bob } = await bridged(t, create(passed))
    const stranger = await newPeer(t)
    let sequence = 100
    let timestamp = 4000
    let expected = 0
    const send = async (payloadType: number, ssrc: number, payload: Uint8Array, ticks = 160): Promise<void> => {
      alice.socket.send(printRtp({ marker: false, payloadType, ssrc, sequence, timestamp }, payload), a.rtpPort, lo)
      sequence = uint16(sequence + 1)
      timestamp += ticks
      await bob.until(++expected)
    }
    const frame = new Uint8Array(160).fill(0x31)
    for (let i = 0; i < 70; i++) await send(0, 7, frame)
    // A digit: three packets of one timestamp, then speech again.
    for (const last of [0, 0, 0x80]) await send(101, 7, Uint8Array.of(5, last | 10, 0x01, 0x40), 0)
    for (let i = 0; i < 30; i++) await send(0, 7, frame)
    // Somebody else's packets of the same stream are not heard.
    const forged = printRtp({ marker: false, payloadType: 0, ssrc: 7, sequence, timestamp }, frame)
    for (let i = 0; i < 5; i++) stranger.socket.send(forged, a.rtpPort, lo)
    for (let i = 0; i < 20; i++) await send(0, 7, frame)
    // The sender begins anew.
    sequence = 40_000
    for (let i = 0; i < 70; i++) await send(0, 8, frame)
    a.port.drain()
    assert.equal(bob.heard.length, expected)
    const numbers = bob.heard.map((packet) => packet.sequence)
    assert.deepEqual(
      numbers,
      numbers.map((_, i) => uint16((numbers[0] ?? 0) + i)),
      'no number twice and none left out',
    )
    assert.deepEqual(
      bob.heard.slice(70, 73).map(({ payloadType }) => payloadType),
      [101, 101, 101],
    )
    assert.equal(a.port.stats().packetsReceived, expected)
    assert.equal(b.port.stats().packetsSent, expected)
    assert.ok(a.port.stats().packetsRefused >= 5)
    if (name === 'native') assert.ok(passed.count > 60, `${passed.count} went past the ports`)
  })
}
