import assert from 'node:assert/strict'
import { test } from 'node:test'
import { carriesCopy } from '../../../codec/opus-packet.ts'
import { differing, findSine, sine, speech16k } from '../../../codec/test-support.ts'
import { FakeClock } from '../../../core/fake-clock.ts'
import { parseRtcp, printRtcp } from '../../../rtp/rtcp.ts'
import type { PayloadFormat } from '../../types.ts'
import { FrameClock } from '../frame-clock.ts'
import { atRate } from './at-rate.ts'
import { callOf, codecOf, g722, g729, type Heard, l16, opus, Phone, pcma, pcmu, Sound, speak } from './test-support.ts'

const rateOf = (format: PayloadFormat): number => codecOf(format).sampleRateHz

/** A tone of a phone's codec: peak 8000 of 32768. */
const tone = (format: PayloadFormat, seconds: number, hz = 1020): Int16Array => sine(hz, 8000, rateOf(format), seconds)

const ticks = (clockRateHz: number, ms: number): number => (clockRateHz * ms) / 1000

/** Numbers follow each other without a hole, and time never runs back. */
function assertGoesOn(got: readonly Heard[]): void {
  for (const [i, next] of got.entries()) {
    const before = got[i - 1]
    if (!before || before.ssrc !== next.ssrc) continue
    assert.equal((next.sequence - before.sequence) & 0xffff, 1, `packet ${i}`)
    assert.ok(((next.timestamp - before.timestamp) | 0) > 0, `packet ${i}`)
  }
}

test('packets longer than a peer takes are cut, shorter ones go on as they are', () => {
  for (const fromMs of [10, 20, 30, 40, 60]) {
    for (const toMs of [10, 20, 30, 40, 60]) {
      const { clock, a, b } = callOf(
        { formats: [pcmu], ptimeMs: fromMs },
        { formats: [pcmu], ptimeMs: toMs, description: { maxPtimeMs: toMs } },
      )
      speak(clock, a, tone(pcmu, 1.2), 8 * fromMs, fromMs)
      const ms = Math.min(fromMs, toMs)
      assertGoesOn(b.got)
      assert.ok(
        b.got.every(({ payload }) => payload.length === 8 * ms),
        `${fromMs} to ${toMs}`,
      )
      const heard = b.sound(pcmu)
      assert.ok(heard.length > 8000, `${heard.length} samples`)
      assert.ok(findSine(heard.subarray(1600, 8000), 1020, 8000).snrDb > 33)
    }
  }
})

test('what is transcoded comes in packets of the time that the peer wants, one after the other', () => {
  for (const toMs of [10, 20, 30, 40, 60]) {
    for (const to of [pcmu, opus]) {
      const { clock, a, b } = callOf({ formats: [g722] }, { formats: [to], ptimeMs: toMs })
      speak(clock, a, tone(g722, 1.5), 320, 20)
      const ms = to === opus && toMs === 30 ? 20 : toMs
      const steps = new Set(b.got.slice(1).map(({ timestamp }, i) => (timestamp - (b.got[i]?.timestamp ?? 0)) >>> 0))
      assert.deepEqual([...steps], [ticks(to.clockRateHz, ms)], `${to.encoding} ${toMs}`)
      assert.deepEqual(
        b.got.map(({ marker }) => marker),
        b.got.map((_, i) => i === 0),
      )
      const rate = rateOf(to)
      assert.ok(findSine(b.sound(to).subarray(rate * 0.4, rate * 1.2), 1020, rate).snrDb > 24)
    }
  }
})

test('a phone that changes its codec and comes back is relayed, transcoded and relayed again without a hole', () => {
  const { clock, frames, a, b } = callOf({ formats: [pcmu, g722] }, { formats: [pcmu] })
  speak(clock, a, tone(pcmu, 0.5), 160, 20)
  assert.equal(frames.sinks, 0, 'relayed')
  a.speakIn(g722)
  speak(clock, a, tone(g722, 1), 320, 20)
  assert.equal(frames.sinks, 1, 'transcoded')
  a.speakIn(pcmu)
  speak(clock, a, tone(pcmu, 0.5), 160, 20)
  assert.equal(frames.sinks, 0, 'relayed')
  assertGoesOn(b.got)
  const first = b.got[0]
  const last = b.got.at(-1)
  assert.ok(first && last)
  const drift = ((last.timestamp - first.timestamp) >>> 0) - 8 * (last.atMs - first.atMs)
  assert.ok(Math.abs(drift) <= 160, `${drift} ticks beside the clock`)
  assert.ok(b.got.length >= 95, `${b.got.length} of 100 packets`)
  const heard = b.sound(pcmu)
  assert.ok(findSine(heard.subarray(5600, 10_400), 1020, 8000).snrDb > 27)
})

test('what is whispered to one party is heard by it over the other, and by nobody else', () => {
  const { clock, frames, a, b } = callOf({ formats: [pcmu] }, { formats: [pcmu] })
  speak(clock, a, tone(pcmu, 0.4), 160, 20)
  const end = b.port.say(new Sound(sine(440, 4000, 16_000, 2), 16_000), 'over')
  const begun = b.got.length
  speak(clock, a, tone(pcmu, 1), 160, 20)
  const both = b.sound(pcmu, begun + 5).subarray(0, 6400)
  for (const [hz, peak] of [
    [1020, 8000],
    [440, 4000],
  ] as const) {
    assert.ok(Math.abs(findSine(both, hz, 8000).peak - peak) < peak * 0.03, `${hz} Hz`)
  }
  end()
  end()
  const after = b.got.length
  speak(clock, a, tone(pcmu, 0.4), 160, 20)
  assert.equal(frames.sinks, 0)
  assert.ok(findSine(b.sound(pcmu, after).subarray(800), 1020, 8000).snrDb > 33)
  assertGoesOn(b.got)
  assert.equal(a.got.length, 0)
})

test('who listens to what a party hears gets all of it, relayed or made here', () => {
  const { clock, frames, a, b } = callOf({ formats: [g722] }, { formats: [g722] })
  const tap = atRate(b.port.heard, 16_000)
  let heard: number[] = []
  frames.add({ tick: (tick) => heard.push(...(tap.read(tick) ?? new Int16Array(320))) })
  const listen = (): number => {
    heard = []
    speak(clock, a, tone(g722, 0.6, 6000), 320, 20)
    return findSine(Int16Array.from(heard.slice(4800)), 6000, 16_000).peak
  }
  assert.ok(listen() > 7000, 'relayed')
  const end = b.port.say(new Sound(sine(440, 4000, 8000, 2), 8000), 'over')
  assert.ok(listen() > 7000, 'with a prompt')
  end()
  assert.ok(listen() > 7000, 'relayed again')
})

test('many prompts in a call do not add up to a delay', () => {
  const { clock, a, b } = callOf({ formats: [pcmu] }, { formats: [pcmu] })
  for (let prompt = 0; prompt < 40; prompt++) {
    const end = b.port.say(new Sound(sine(440, 4000, 8000, 1), 8000), 'over')
    speak(clock, a, tone(pcmu, 0.1), 160, 20)
    end()
    clock.advance(7)
    speak(clock, a, tone(pcmu, 0.1), 160, 20)
  }
  assertGoesOn(b.got)
  const first = b.got[0]
  const last = b.got.at(-1)
  assert.ok(first && last)
  const aheadMs = ((last.timestamp - first.timestamp) >>> 0) / 8 - (last.atMs - first.atMs)
  assert.ok(Math.abs(aheadMs) <= 20, `${aheadMs} ms ahead`)
  assert.ok(b.got.length >= 380, `${b.got.length} of 400 packets`)
})

/** A prompt that ends itself while it is read, as players do. */
function promptOf(phone: Phone, seconds: number): void {
  const prompt = new Sound(sine(440, 4000, 8000, 2), 8000)
  let left = seconds * 50
  const end = phone.port.say(
    {
      sampleRateHz: 8000,
      read(tick) {
        if (left-- === 0) end()
        return prompt.read(tick)
      },
    },
    'instead',
  )
}

test('a prompt is heard instead of the other party; one that ends by itself leaves the call as it was', () => {
  const { clock, frames, a, b } = callOf({ formats: [pcmu] }, { formats: [pcmu] })
  promptOf(b, 0.5)
  speak(clock, a, tone(pcmu, 1), 160, 20)
  const heard = b.sound(pcmu)
  assert.ok(findSine(heard.subarray(160, 3840), 440, 8000).snrDb > 30)
  assert.ok(findSine(heard.subarray(4800), 1020, 8000).snrDb > 30)
  assert.equal(frames.sinks, 0)
  assertGoesOn(b.got)
})

test('a prompt may end while it is encoded', () => {
  const { clock, frames, b } = callOf({ formats: [opus] }, { formats: [opus] })
  promptOf(b, 0.5)
  clock.advance(1000)
  assert.equal(frames.sinks, 0)
  assert.equal(b.got.length, 26)
  assert.ok(findSine(b.sound(opus).subarray(4800, 19_200), 440, 48_000).peak > 3600)
})

test('a party that hears a mixer is sent silence too, and hears the other again when that ends', () => {
  const { clock, a, b } = callOf({ formats: [pcmu] }, { formats: [pcmu] })
  b.port.hear(new Sound(sine(440, 4000, 16_000, 0.5), 16_000))
  clock.advance(1000)
  assert.equal(b.got.length, 50)
  assert.ok(b.sound(pcmu, 30).every((sample) => Math.abs(sample) < 16))
  b.port.hear(undefined)
  const begun = b.got.length
  speak(clock, a, tone(pcmu, 0.4), 160, 20)
  assert.equal(b.got.length - begun, 20)
  assertGoesOn(b.got)
})

test('who is on hold is sent nothing, and what plays for him goes on meanwhile', () => {
  const { clock, a, b } = callOf({ formats: [g722] }, { formats: [pcmu] })
  speak(clock, a, tone(g722, 0.5), 320, 20)
  const remote = { ip: '192.0.2.9', rtpPort: 5000, rtcpPort: 5001 }
  b.port.describe({ remote, receive: [pcmu], send: [] })
  const held = b.got.length
  let reads = 0
  b.port.say({ sampleRateHz: 8000, read: () => void reads++ }, 'over')
  speak(clock, a, tone(g722, 0.5), 320, 20)
  assert.equal(b.got.length, held)
  assert.ok(reads > 20)
  b.port.describe({ remote, receive: [pcmu], send: [pcmu] })
  speak(clock, a, tone(g722, 0.5), 320, 20)
  assert.ok(b.got.length - held >= 23)
  assertGoesOn(b.got)
})

test('early media: nothing is sent before the peer has said what it takes, all from then on', () => {
  const clock = new FakeClock()
  const frames = new FrameClock(clock)
  const a = new Phone(clock, frames, { formats: [pcma], description: { send: [] } })
  const b = new Phone(clock, frames, { formats: [g722] })
  a.port.bridge(b.port)
  speak(clock, b, tone(g722, 0.3), 320, 20)
  assert.equal(a.got.length, 0)
  const remote = { ip: '192.0.2.9', rtpPort: 5000, rtcpPort: 5001 }
  a.port.describe({ remote, receive: [pcma], send: [pcma] })
  speak(clock, b, tone(g722, 1), 320, 20)
  assert.ok(a.got.length >= 46, `${a.got.length} packets`)
  assert.ok(findSine(a.sound(pcma).subarray(800), 1020, 8000).snrDb > 26)
})

test('what cannot be decoded goes across as it is, and to nobody who does not take it', () => {
  const { a, b } = callOf({ formats: [g729, pcmu] }, { formats: [g729] })
  a.send(new Uint8Array(20).fill(7), 160)
  assert.deepEqual([b.got[0]?.payloadType, b.got[0]?.payload[0]], [18, 7])
  const other = callOf({ formats: [g729, pcmu] }, { formats: [pcmu] })
  other.a.send(new Uint8Array(20), 160)
  other.clock.advance(200)
  assert.deepEqual([other.b.got.length, other.frames.sinks], [0, 0])
})

test('a codec of another clock begins another stream, with a goodbye to the one before (RFC 7160 §4.1)', () => {
  const { clock, a, b } = callOf({ formats: [pcmu, opus] }, { formats: [pcmu, opus] })
  speak(clock, a, tone(pcmu, 0.2), 160, 20)
  a.speakIn(opus)
  speak(clock, a, tone(opus, 0.2), 960, 20)
  assert.deepEqual([...new Set(b.got.map(({ payloadType }) => payloadType))], [0, 111])
  assert.equal(new Set(b.got.map(({ ssrc }) => ssrc)).size, 2)
  assert.equal(b.port.stats().packetsSent, 20)
  const byes = b.rtcp.flatMap((bytes) => parseRtcp(bytes)).filter(({ type }) => type === 'bye')
  assert.equal(byes.length, 1)
})

test('ten minutes of transcoding drift nowhere', () => {
  const { clock, a, b } = callOf({ formats: [l16] }, { formats: [pcmu] })
  const second = tone(l16, 1)
  for (let i = 0; i < 600; i++) speak(clock, a, second, 320, 20)
  const first = b.got[0]
  const last = b.got.at(-1)
  assert.ok(first && last)
  assert.equal(last.timestamp - first.timestamp, 8 * (last.atMs - first.atMs))
  assert.ok(clock.now() - last.atMs <= 20)
  assert.ok(b.got.length >= 29_990)
  const quiet = b.sound(pcmu, b.got.length - 100)
  assert.ok(findSine(quiet.subarray(0, 15_680), 1020, 8000).snrDb > 30)
})

test('music that many hear is encoded once', () => {
  const clock = new FakeClock()
  const frames = new FrameClock(clock)
  const phones = Array.from({ length: 5 }, () => new Phone(clock, frames, { formats: [g722] }))
  let reads = 0
  const music = new Sound(sine(440, 4000, 16_000, 1), 16_000)
  const source = {
    sampleRateHz: 16_000,
    shared: true,
    read(tick: number) {
      reads++
      return music.read(tick)
    },
  }
  for (const phone of phones) phone.port.hear(source)
  clock.advance(1000)
  assert.equal(reads, 50)
  for (const { got } of phones) {
    assert.equal(got.length, 50)
    assert.deepEqual(got.at(-1)?.payload, phones[0]?.got.at(-1)?.payload)
  }
  for (const phone of phones) phone.port.hear(undefined)
  assert.equal(frames.sinks, 0)
})

test('a party that nobody listens to any more costs nothing', () => {
  const clock = new FakeClock()
  const frames = new FrameClock(clock)
  const a = new Phone(clock, frames, { formats: [opus] })
  const listener = { tick: (tick: number) => void a.port.voice.read(tick) }
  frames.add(listener)
  speak(clock, a, tone(opus, 0.5), 960, 20)
  assert.ok(a.port.voice.read(frames.tick))
  frames.remove(listener)
  speak(clock, a, tone(opus, 1), 960, 20)
  frames.add(listener)
  clock.advance(20)
  assert.equal(a.port.voice.read(frames.tick), undefined, 'the decoder was dropped')
})

test('a refresh of the session, which says what was said before, is not heard', () => {
  const { clock, a, b } = callOf({ formats: [g722] }, { formats: [opus] })
  const remote = { ip: '192.0.2.9', rtpPort: 5000, rtcpPort: 5001 }
  const refresh = (): void => {
    a.port.describe({ remote, receive: [{ ...g722 }], send: [{ ...g722 }], ptimeMs: 20 })
    b.port.describe({ remote, receive: [{ ...opus }], send: [{ ...opus }], ptimeMs: 20 })
  }
  refresh()
  const sound = tone(g722, 2)
  speak(clock, a, sound, 320, 20, (i) => i % 10 === 0 && refresh())
  const rate = rateOf(opus)
  assert.ok(findSine(b.sound(opus).subarray(rate / 2, rate * 1.5), 1020, rate).snrDb > 24)
  const steps = new Set(b.got.slice(1).map(({ timestamp }, i) => (timestamp - (b.got[i]?.timestamp ?? 0)) >>> 0))
  assert.deepEqual([...steps], [960])
})

test('a whisper that cannot be encoded for its listener stops nothing', () => {
  const { clock, a, b } = callOf({ formats: [g729] }, { formats: [g729] })
  b.port.say(new Sound(sine(440, 4000, 8000, 1), 8000), 'over')
  for (let i = 0; i < 10; i++) {
    a.send(new Uint8Array(20), 160)
    clock.advance(20)
  }
  assert.equal(b.got.length, 10)
})

test('who says that it loses packets gets copies of them, if it takes such, and can make them good (RFC 7587 §3.1.2)', () => {
  const fec = { stereo: false, fec: true, dtx: false }
  for (const wanted of [fec, { ...fec, fec: false }]) {
    const { clock, a, b } = callOf({ formats: [g722] }, { formats: [{ ...opus, opus: wanted }] })
    const sound = speech16k
    speak(clock, a, sound, 320, 20)
    const quiet = b.got.filter(({ payload }) => carriesCopy(payload, 0, payload.length)).length
    const ssrc = b.got[0]?.ssrc ?? 0
    const block = {
      ssrc,
      fractionLost: 51,
      cumulativeLost: 20,
      highestSequence: 1,
      jitter: 0,
      lastReport: 0,
      delaySinceLastReport: 0,
    }
    b.port.rtcp(printRtcp({ ssrc: 9, cname: 'b', block }), { ip: '192.0.2.9', port: 4001 })
    const before = b.got.length
    speak(clock, a, sound, 320, 20)
    const copies = b.got.slice(before).filter(({ payload }) => carriesCopy(payload, 0, payload.length)).length
    assert.equal(quiet, 0)
    if (wanted.fec) assert.ok(copies > 30, `${copies} copies`)
    else assert.equal(copies, 0)
  }
})

test('what no encoder can follow is not asked of it', () => {
  for (const bitsPerSecond of [1, 1e9, Number.NaN]) {
    for (const playbackRateHz of [0, 1, 1e9, Number.NaN]) {
      const wishes = { stereo: true, fec: true, dtx: true, bitsPerSecond, playbackRateHz }
      const { clock, a, b } = callOf({ formats: [pcmu] }, { formats: [{ ...opus, opus: wishes }] })
      speak(clock, a, tone(pcmu, 0.2), 160, 20)
      assert.ok(b.got.length > 5)
    }
  }
})

test('a late packet of the codec before changes nothing in what is heard', () => {
  const [plain, straggled] = [false, true].map((straggles) => {
    const { clock, a, b } = callOf({ formats: [pcmu, g722] }, { formats: [l16] })
    speak(clock, a, tone(pcmu, 0.5), 160, 20)
    a.speakIn(g722)
    const sound = tone(g722, 1)
    a.sequence++ // the last one of the codec before is on its way
    a.timestamp += 160
    speak(clock, a, sound, 320, 20, (i) => {
      if (!straggles || i !== 1) return
      const { sequence, timestamp } = a
      a.sequence -= 2
      a.timestamp -= 320
      a.send(new Uint8Array(160).fill(0x80), 160, { payloadType: 0 })
      a.sequence = sequence
      a.timestamp = timestamp
    })
    return b.sound(l16)
  })
  assert.ok(plain && straggled)
  assert.equal(differing(plain, straggled), 0)
})

test('a sound that begins or ends after its port has closed wakes nothing', async () => {
  const { clock, frames, b } = callOf({ formats: [pcmu] }, { formats: [pcmu] })
  const end = b.port.say(new Sound(sine(440, 4000, 8000, 1), 8000), 'over')
  await b.port.close()
  b.port.say(new Sound(sine(440, 4000, 8000, 1), 8000), 'over')
  end()
  assert.equal(frames.sinks, 0)
  assert.equal(clock.pendingTimers, 0)
})

/** A phone that changes its codec with each packet, for so many of 20 ms. */
function flips(
  clock: FakeClock,
  phone: Phone,
  formats: readonly [PayloadFormat, PayloadFormat],
  packets: number,
): void {
  const sounds = formats.map((format) => tone(format, 0.02))
  for (let i = 0; i < packets; i++) {
    const [format, sound] = [formats[i % 2], sounds[i % 2]]
    assert.ok(format && sound)
    phone.speakIn(format)
    phone.say(sound, 0)
    clock.advance(20)
    phone.port.tick(clock.now())
  }
}

test('a peer that flips its codec with each packet cannot make a stream or an encoder of us each time', () => {
  // Relayed in either, whose clocks differ: a stream begins with a goodbye to the one before.
  const relayed = callOf({ formats: [pcmu, opus] }, { formats: [pcmu, opus] })
  flips(relayed.clock, relayed.a, [pcmu, opus], 250)
  const streams = new Set(relayed.b.got.map(({ ssrc }) => ssrc)).size
  assert.ok(streams > 2 && streams <= 51, `${streams} streams in five seconds`)
  // One of the two is not taken: sound and packets by turns.
  const mixed = callOf({ formats: [pcmu, g722] }, { formats: [pcmu] })
  let turns = 0
  let running = false
  flips(mixed.clock, mixed.a, [pcmu, g722], 1)
  for (let i = 0; i < 125; i++) {
    flips(mixed.clock, mixed.a, [g722, pcmu], 2)
    const now = mixed.frames.sinks > 0
    if (now !== running) turns++
    running = now
  }
  assert.ok(turns > 2 && turns <= 100, `${turns} turns in five seconds: an encoder for each two`)
  assertGoesOn(mixed.b.got)
  // Something is played meanwhile: it stays in one codec for a while.
  const played = callOf({ formats: [pcmu, opus] }, { formats: [pcmu, opus] })
  played.b.port.say(new Sound(tone(pcmu, 5), 8000), 'instead')
  flips(played.clock, played.a, [pcmu, opus], 250)
  const changes = played.b.got.filter(({ payloadType }, i) => payloadType !== played.b.got[i - 1]?.payloadType).length
  assert.ok(changes > 2 && changes <= 51, `${changes} changes in five seconds`)
})

test('comfort noise of another clock than the speech beside it begins no stream of its own', () => {
  const noise: PayloadFormat = { payloadType: 13, encoding: 'CN', clockRateHz: 8000 }
  const { clock, a, b } = callOf({ formats: [opus, noise] }, { formats: [opus, noise] })
  const sound = tone(opus, 0.02)
  for (let i = 0; i < 50; i++) {
    a.say(sound, 0)
    a.send(Uint8Array.of(60), 0, { payloadType: 13 })
    clock.advance(20)
  }
  assert.equal(b.got.length, 50)
  assert.equal(new Set(b.got.map(({ ssrc }) => ssrc)).size, 1)
  assertGoesOn(b.got)
})
