/** Phones on ports without sockets, and what the graph lets them hear. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../../../test/support/until.ts'
import { decodeG711, encodeG711 } from '../../../codec/g711.ts'
import { differing, findSine, sine } from '../../../codec/test-support.ts'
import { FakeClock } from '../../../core/fake-clock.ts'
import type { GraphEvent, GraphOrder, PlayOrder } from '../../graph/protocol.ts'
import { FrameClock } from '../frame-clock.ts'
import { inMemory, saw } from '../sounds/test-support.ts'
import { events, g722, opus, Phone, type PhoneOptions, pcmu, Sound as Voice } from '../voice/test-support.ts'
import { Desk } from './desk.ts'

const onePlay: PlayOrder = { how: 'instead', times: 1, volumeDb: 0, fromMs: 0, stopOn: '' }

/** Phones that nobody bridged, numbered from 1, and a desk. */
function room(phones: readonly PhoneOptions[]) {
  const clock = new FakeClock()
  const frames = new FrameClock(clock)
  const all = phones.map((options) => new Phone(clock, frames, options))
  const told: { readonly id: number; readonly told: GraphEvent }[] = []
  const desk = new Desk({
    clock: frames,
    portOf: (number) => all[number - 1]?.port,
    tell: (id, event) => told.push({ id, told: event }),
  })
  const toldOf = (id: number): GraphEvent[] => told.filter((each) => each.id === id).map((each) => each.told)
  const obey = (...orders: readonly GraphOrder[]): void => {
    for (const order of orders) desk.obey(order)
  }
  /** Let so many ticks go by, each phone saying a sound of its own if it has one. */
  const pass = async (ticks: number, says: readonly (Int16Array | undefined)[] = []): Promise<void> => {
    for (let tick = 0; tick < ticks; tick++) {
      for (const [i, phone] of all.entries()) {
        const sound = says[i]
        if (sound) phone.say(sound, tick * (sound.length / ticks))
      }
      clock.advance(20)
      for (const phone of all) phone.port.tick(clock.now())
      if (tick % 10 === 0) await new Promise(setImmediate)
    }
  }
  return { clock, frames, desk, phones: all, obey, pass, toldOf, told }
}

const narrow: PhoneOptions = { formats: [pcmu] }
const asHeard = (samples: Int16Array): Int16Array => decodeG711('PCMU', encodeG711('PCMU', samples))
/** What is in memory has been opened then. */
const opened = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)))

test('a sound is sent sample for sample, without a gap, and nothing after it', async () => {
  const {
    phones: [phone],
    obey,
    pass,
    toldOf,
  } = room([narrow])
  assert.ok(phone)
  const sound = saw(8000)
  obey({ do: 'play', id: 1, port: 1, sounds: [inMemory(sound)], wishes: onePlay })
  await opened()
  await pass(60)
  assert.equal(differing(phone.sound(pcmu).subarray(0, 8000), asHeard(sound)), 0)
  assert.equal(phone.got.length, 50)
  phone.got.forEach(({ sequence, timestamp }, i) => {
    assert.equal((sequence - (phone.got[0]?.sequence ?? 0)) & 0xffff, i)
    assert.equal((timestamp - (phone.got[0]?.timestamp ?? 0)) >>> 0, i * 160)
  })
  assert.deepEqual(toldOf(1), [{ name: 'playback-ended', end: { reason: 'ended', positionMs: 1000 } }])
})

test('a digit that it waits for ends it, others do not, and what comes after is for somebody else', async () => {
  const { desk, obey, pass, toldOf } = room([{ formats: [pcmu, events()] }])
  obey({ do: 'play', id: 1, port: 1, sounds: [inMemory(saw(8000))], wishes: { ...onePlay, stopOn: '12#' } })
  await opened()
  await pass(5)
  desk.digit(1, '7')
  await pass(5)
  desk.digit(1, '#')
  await pass(5)
  assert.deepEqual(toldOf(1), [{ name: 'playback-ended', end: { reason: 'digit', digit: '#', positionMs: 200 } }])
  assert.equal(desk.size, 0)
})

test('a voice keeps its treble under a prompt that has none', async () => {
  const { phones, obey, pass } = room([{ formats: [g722] }])
  const [phone] = phones
  assert.ok(phone)
  phone.port.hear(new Voice(sine(6000, 8000, 16_000, 2), 16_000))
  obey({
    do: 'play',
    id: 1,
    port: 1,
    sounds: [inMemory(new Int16Array(8000))],
    wishes: { ...onePlay, how: { duckDb: 6 } },
  })
  await opened()
  await pass(50)
  const { peak } = findSine(phone.sound(g722).subarray(4800, 12_800), 6000, 16_000)
  assert.ok(Math.abs(peak - 4000) < 300, `peak ${peak}`)
})

const change = (change: Extract<GraphOrder, { do: 'change-playback' }>['change']): GraphOrder => ({
  do: 'change-playback',
  id: 1,
  change,
})

test('orders in the middle: pause, resume, seek, volume, stop', async () => {
  const {
    phones: [phone],
    obey,
    pass,
    toldOf,
  } = room([narrow])
  obey({ do: 'play', id: 1, port: 1, sounds: [inMemory(saw(16_000))], wishes: onePlay })
  await opened()
  await pass(5)
  obey(change({ paused: true }))
  await pass(10)
  obey(change({ paused: false }), change({ volumeDb: -60 }), change({ seekMs: 1500 }))
  await pass(5)
  obey({ do: 'stop', id: 1 })
  await pass(5)
  assert.deepEqual(toldOf(1), [{ name: 'playback-ended', end: { reason: 'stopped', positionMs: 1600 } }])
  const heard = phone?.sound(pcmu)
  assert.ok(heard?.subarray(17 * 160, 20 * 160).every((sample) => Math.abs(sample) < 20))
})

test('what cannot be played is told, and the call goes on', async () => {
  const { desk, obey, pass, toldOf } = room([narrow])
  obey({ do: 'play', id: 1, port: 1, sounds: [{ file: '/nowhere.wav' }], wishes: onePlay })
  obey({ do: 'play', id: 2, port: 9, sounds: [inMemory(saw(8000))], wishes: onePlay })
  await until('the file to be missed', 5000, () => toldOf(1).length > 0)
  await pass(2)
  const end = { reason: 'failed', failure: 'media.sound-missing', positionMs: 0 }
  assert.deepEqual(toldOf(1), [{ name: 'playback-ended', end }])
  assert.deepEqual(toldOf(2), [{ name: 'gone' }])
  for (let id = 10; id < 27; id++) obey({ do: 'play', id, port: 1, sounds: [{ tone: 'dial' }], wishes: onePlay })
  await opened()
  const tooMany = { reason: 'failed', failure: 'media.too-many-sounds', positionMs: 0 }
  assert.deepEqual(toldOf(26), [{ name: 'playback-ended', end: tooMany }])
  assert.equal(desk.size, 16)
})

test('five hundred sounds begun and ended leave nothing: no thing, no tick', async () => {
  const { desk, frames, obey, pass } = room([narrow])
  obey({ do: 'open-mixer', id: 1, wishes: { sampleRateHz: 8000 } })
  for (let id = 10; id < 510; id += 5) {
    obey(
      { do: 'play', id, port: 1, sounds: [{ tone: 'dial' }], wishes: onePlay },
      {
        do: 'tap',
        id: id + 1,
        from: [{ mixer: 1 }],
        format: { sampleRateHz: 8000, encoding: 's16le', frameMs: 20 },
        credit: 1,
      },
      { do: 'hold-music', id: id + 2, port: 1, sounds: [{ builtIn: 'music' }] },
      { do: 'join', id: id + 3, mixer: 1, port: 1, wishes: {} },
      { do: 'meter', id: id + 4, port: 1, everyMs: 100 },
    )
    await opened()
    await pass(2)
    for (let thing = id; thing < id + 5; thing++) obey({ do: 'stop', id: thing })
    await pass(2)
  }
  assert.equal(desk.size, 1)
  assert.equal(frames.sinks, 0)
})

test('a port that is closed ends what stands at it', async () => {
  const { desk, obey, toldOf } = room([narrow])
  obey(
    { do: 'play', id: 1, port: 1, sounds: [{ tone: 'ringback' }], wishes: onePlay },
    {
      do: 'tap',
      id: 2,
      from: [{ port: 1, side: 'said' }],
      format: { sampleRateHz: 8000, encoding: 's16le', frameMs: 20 },
      credit: 1,
    },
    { do: 'open-mixer', id: 3, wishes: { sampleRateHz: 8000 } },
    { do: 'join', id: 4, mixer: 3, port: 1, wishes: {} },
    { do: 'hold-music', id: 5, port: 1, sounds: [{ builtIn: 'music' }] },
  )
  await opened()
  desk.portClosed(1)
  assert.deepEqual(toldOf(1), [{ name: 'playback-ended', end: { reason: 'closed', positionMs: 0 } }])
  assert.deepEqual(toldOf(4), [{ name: 'gone' }])
  assert.equal(desk.size, 1)
})

test('three phones of three codecs in a room: each hears the other two and not itself', async () => {
  const { phones, obey, pass } = room([narrow, { formats: [g722] }, { formats: [opus] }])
  obey({ do: 'open-mixer', id: 1, wishes: { sampleRateHz: 16_000 } })
  for (const port of [1, 2, 3]) obey({ do: 'join', id: 1 + port, mixer: 1, port, wishes: {} })
  const [narrowTone, wideTone, fullTone] = [
    sine(500, 6000, 8000, 2),
    sine(1300, 6000, 16_000, 2),
    sine(2100, 6000, 48_000, 2),
  ]
  await pass(100, [narrowTone, wideTone, fullTone])
  const formats = [pcmu, g722, opus]
  const rates = [8000, 16_000, 48_000]
  for (const [i, phone] of phones.entries()) {
    const format = formats[i] ?? pcmu
    const rate = rates[i] ?? 8000
    const heard = phone.sound(format).slice(-rate)
    const peaks = [500, 1300, 2100].map((frequency) => findSine(heard, frequency, rate).peak)
    for (const [k, peak] of peaks.entries()) {
      if (k === i) assert.ok(peak < 60, `${i} hears itself: ${peak}`)
      else assert.ok(Math.abs(20 * Math.log10(peak / 6000)) < 0.6, `${i} hears ${k} at ${peak}`)
    }
  }
})

test('twenty phones in a room: after a minute each still hears the nineteen others, and not itself, in every packet', async () => {
  const { phones, obey, pass } = room(Array.from({ length: 20 }, () => narrow))
  obey({ do: 'open-mixer', id: 1, wishes: { sampleRateHz: 8000 } })
  for (let port = 1; port <= 20; port++) obey({ do: 'join', id: 1 + port, mixer: 1, port, wishes: {} })
  const frequencies = phones.map((_, i) => 350 + 150 * i)
  const seconds = 60
  await pass(
    seconds * 50,
    frequencies.map((frequency) => sine(frequency, 1000, 8000, seconds)),
  )
  for (const [i, phone] of phones.entries()) {
    const first = phone.got[0]
    const last = phone.got.at(-1)
    assert.ok(first && last && phone.got.length > seconds * 50 - 10)
    assert.equal((last.timestamp - first.timestamp) >>> 0, 160 * (phone.got.length - 1), 'no packet is missing or late')
    const heard = phone.sound(pcmu).slice(-8000)
    assert.ok(findPeak(heard) < 32_000)
    for (const [k, frequency] of frequencies.entries()) {
      const { peak } = findSine(heard, frequency, 8000)
      if (k === i) assert.ok(peak < 50, `${i} hears itself: ${peak}`)
      else assert.ok(Math.abs(20 * Math.log10(peak / 1000)) < 1, `${i} hears ${k} at ${peak}`)
    }
  }
})

test('a member that leaves hears nothing any more, and is not heard', async () => {
  const { phones, obey, pass } = room([narrow, narrow])
  obey({ do: 'open-mixer', id: 1, wishes: { sampleRateHz: 8000 } })
  for (const port of [1, 2]) obey({ do: 'join', id: 1 + port, mixer: 1, port, wishes: {} })
  const tone = sine(500, 6000, 8000, 0.4)
  await pass(20, [tone, tone])
  obey({ do: 'stop', id: 3 })
  await pass(2)
  const before = phones.map(({ got }) => got.length)
  await pass(20, [tone, tone])
  assert.equal(phones[1]?.got.length, before[1])
  const heard = phones[0]?.sound(pcmu, before[0])
  assert.ok(heard?.every((sample) => Math.abs(sample) < 10))
})

test('what is played to a room is heard by all, and even where only the loudest are', async () => {
  const { phones, obey, pass, toldOf } = room([narrow, narrow, narrow])
  obey({ do: 'open-mixer', id: 1, wishes: { sampleRateHz: 8000, loudest: 1 } })
  for (const port of [1, 2, 3]) obey({ do: 'join', id: 1 + port, mixer: 1, port, wishes: {} })
  obey({ do: 'play-to-mixer', id: 9, mixer: 1, sounds: [inMemory(sine(900, 2000, 8000, 2))], wishes: onePlay })
  await opened()
  await pass(50, [sine(500, 9000, 8000, 1)])
  for (const [i, phone] of phones.entries()) {
    const heard = phone.sound(pcmu).slice(-4000)
    assert.ok(Math.abs(findSine(heard, 900, 8000).peak - 2000) < 100, `${i}`)
    assert.ok(i === 0 || findSine(heard, 500, 8000).peak > 8500)
  }
  obey({ do: 'stop', id: 1 })
  assert.equal(toldOf(9).length, 1)
})

test('a thousand hear one music, which is played once', async () => {
  const { phones, desk, obey, pass } = room(Array.from({ length: 1000 }, () => narrow))
  for (let port = 1; port <= 1000; port++) obey({ do: 'hold-music', id: port, port, sounds: [{ builtIn: 'music' }] })
  await opened()
  await pass(25)
  const first = phones[0]?.sound(pcmu)
  assert.ok(first && first.length >= 3000 && findPeak(first) > 1000)
  for (const { got } of phones)
    assert.deepEqual(
      got.map(({ payload }) => payload),
      phones[0]?.got.map(({ payload }) => payload),
    )
  for (let port = 1; port <= 1000; port++) obey({ do: 'stop', id: port })
  const sent = phones[0]?.got.length
  await pass(5)
  assert.equal(phones[0]?.got.length, sent)
  assert.equal(desk.size, 0)
})

const findPeak = (samples: Int16Array): number => samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0)

test('an echo: the party hears itself', async () => {
  const {
    phones: [phone],
    obey,
    pass,
  } = room([narrow])
  obey({ do: 'echo', id: 1, port: 1 })
  await pass(50, [sine(700, 6000, 8000, 1)])
  const heard = phone?.sound(pcmu).slice(-4000) ?? new Int16Array(0)
  assert.ok(Math.abs(findSine(heard, 700, 8000).peak - 6000) < 200)
  obey({ do: 'stop', id: 1 })
  const sent = phone?.got.length ?? 0
  await pass(20, [sine(700, 6000, 8000, 0.4)])
  assert.ok((phone?.got.length ?? 0) - sent <= 2)
})

test('a supervisor hears both parties of a call; by a whisper one hears him, by barging in both do', async () => {
  const { phones, obey, pass } = room([narrow, narrow, narrow])
  const [caller, callee] = phones
  if (caller && callee) caller.port.bridge(callee.port)
  const says = [500, 1100, 1700].map((frequency) => sine(frequency, 5000, 8000, 1))
  const hears = async (): Promise<string[]> => {
    const before = phones.map(({ got }) => got.length)
    await pass(50, says)
    return phones.map((phone, i) => {
      const heard = phone.sound(pcmu, before[i]).slice(-4000)
      return [500, 1100, 1700].map((frequency) => (findSine(heard, frequency, 8000).peak > 3000 ? 'x' : '-')).join('')
    })
  }
  assert.deepEqual(await hears(), ['-x-', 'x--', '---'])
  obey({ do: 'supervise', id: 1, port: 3, parties: [1, 2], heardBy: [] })
  assert.deepEqual(await hears(), ['-x-', 'x--', 'xx-'])
  obey({ do: 'heard-by', id: 1, ports: [2] })
  assert.deepEqual(await hears(), ['-x-', 'x-x', 'xx-'])
  obey({ do: 'heard-by', id: 1, ports: [1, 2] })
  assert.deepEqual(await hears(), ['-xx', 'x-x', 'xx-'])
  obey({ do: 'stop', id: 1 })
  assert.deepEqual(await hears(), ['-x-', 'x--', '---'])
})

test('a tap of both sides of a relayed call, within its credit', async () => {
  const { phones, obey, pass, toldOf } = room([narrow, narrow])
  const [caller, callee] = phones
  if (caller && callee) caller.port.bridge(callee.port)
  const from = [
    { port: 1, side: 'said' },
    { port: 1, side: 'heard' },
  ] as const
  obey({ do: 'tap', id: 1, from, format: { sampleRateHz: 8000, encoding: 's16le', frameMs: 100 }, credit: 5 })
  await pass(50, [sine(500, 5000, 8000, 1), sine(1100, 5000, 8000, 1)])
  const frames = toldOf(1).flatMap((told) => (told.name === 'frame' ? [told.frame] : []))
  assert.equal(frames.length, 5)
  obey({ do: 'credit', id: 1, frames: 1 })
  const newest = toldOf(1).at(-1)
  assert.ok(newest?.name === 'frame')
  const [said, heard] = newest.frame.tracks.map((bytes) => new Int16Array(Uint8Array.from(bytes).buffer))
  assert.ok(findSine(said ?? new Int16Array(1), 500, 8000).peak > 4500)
  assert.ok(findSine(heard ?? new Int16Array(1), 1100, 8000).peak > 4500)
})

test('barge-in: what an agent says is forgotten within one frame, and what it says next is heard', async () => {
  const {
    phones: [phone],
    obey,
    pass,
    toldOf,
  } = room([narrow])
  const wishes = {
    sampleRateHz: 16_000,
    encoding: 's16le',
    how: 'instead',
    prebufferMs: 0,
    lowMs: 0,
    mostMs: 60_000,
  } as const
  const speech = Buffer.from(sine(500, 6000, 16_000, 3).buffer)
  obey({ do: 'inject', id: 1, port: 1, wishes })
  // In pieces that end within a sample
  obey({ do: 'audio', id: 1, bytes: speech.subarray(0, 1001) }, { do: 'audio', id: 1, bytes: speech.subarray(1001) })
  await pass(25)
  const sent = phone?.got.length ?? 0
  obey({ do: 'flush', id: 1, ask: 7 })
  await pass(2)
  const after = phone?.sound(pcmu, sent) ?? new Int16Array(0)
  assert.ok(findSine(phone?.sound(pcmu).subarray(1600, 3200) ?? after, 500, 8000).snrDb > 25)
  assert.ok(after.length > 0 && after.subarray(160).every((sample) => Math.abs(sample) < 10))
  assert.deepEqual(toldOf(1), [{ name: 'flushed', ask: 7, unplayedMs: 2500 }])
  obey({ do: 'audio', id: 1, bytes: speech.subarray(0, 3200) }, { do: 'end-audio', id: 1 })
  await pass(10)
  assert.equal(toldOf(1).at(-1)?.name, 'ended')
})

test('levels are told as often as was asked for', async () => {
  const { obey, pass, toldOf } = room([narrow])
  obey({ do: 'meter', id: 1, port: 1, everyMs: 100 })
  await pass(50, [sine(500, 10_000, 8000, 1)])
  const levels = toldOf(1)
  assert.equal(levels.length, 10)
  assert.deepEqual(levels.at(-1), { name: 'levels', levels: [-13, -127] })
})
