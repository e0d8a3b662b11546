/**
 * What the graph of a media worker costs: microseconds for each tick of 20 ms.
 *
 *   npm run bench -- graph --ticks 3000
 *
 * One core; what depends on packets (decoding, encoding, encryption) is in the benches jitter, codec and srtp.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { FakeClock } from '../src/core/fake-clock.ts'
import { FrameClock } from '../src/media/worker/frame-clock.ts'
import { Duck } from '../src/media/worker/graph/duck.ts'
import { Injection } from '../src/media/worker/graph/injection.ts'
import { Meter } from '../src/media/worker/graph/meter.ts'
import { Player } from '../src/media/worker/graph/player.ts'
import { Tap } from '../src/media/worker/graph/tap.ts'
import { LoudestStage } from '../src/media/worker/mixer/loudest.ts'
import { Mixer } from '../src/media/worker/mixer/mixer.ts'
import { Port } from '../src/media/worker/port.ts'
import { BlockPool } from '../src/media/worker/recording/block-pool.ts'
import { frameSamples, type SoundSource } from '../src/media/worker/sound.ts'
import { SoundStore } from '../src/media/worker/sounds/store.ts'
import { fakeSockets } from '../src/media/worker/test-sockets.ts'

const { values } = parseArgs({ options: { ticks: { type: 'string', default: '3000' } } })
const ticks = Number(values.ticks)

/** A voice: harmonics that swell, all frames there before. */
function voice(sampleRateHz: number, pitchHz: number, peak = 2000): SoundSource {
  const count = frameSamples(sampleRateHz)
  const frames = Array.from({ length: 50 }, (_, frame) =>
    Int16Array.from({ length: count }, (_, i) => {
      const t = (frame * count + i) / sampleRateHz
      let sum = 0
      for (let k = 1; k < 8; k++) sum += Math.sin(2 * Math.PI * pitchHz * k * t) / k
      return peak * sum * (0.6 + 0.4 * Math.sin(2 * Math.PI * 3 * t))
    }),
  )
  return { sampleRateHz, read: (tick) => frames[tick % 50] }
}

const silent = (sampleRateHz: number): SoundSource => ({ sampleRateHz, read: () => undefined })

async function report(name: string, tick: (tick: number) => void): Promise<void> {
  for (let i = 0; i < ticks / 5; i++) tick(i)
  const from = process.cpuUsage()
  for (let i = 0; i < ticks; i++) {
    tick(ticks + i)
    // What is read ahead comes between ticks.
    if (i % 25 === 0) await new Promise(setImmediate)
  }
  const { user, system } = process.cpuUsage(from)
  console.log(`${name.padEnd(62)}${((user + system) / ticks).toFixed(2).padStart(9)}`)
}

console.log(`${cpus()[0]?.model}, Node ${process.version}, ${ticks} ticks of 20 ms each\n`)
console.log('what                                                              µs a tick')

for (const sampleRateHz of [8000, 16_000, 48_000] as const) {
  const all = new Mixer({ sampleRateHz })
  const members = Array.from({ length: 20 }, (_, i) => all.join(voice(sampleRateHz, 90 + 7 * i, 300)))
  await report(`mixer, 20 who all speak, at ${sampleRateHz}`, (tick) => {
    for (const member of members) member.read(tick)
  })
  const loud = new Mixer({ sampleRateHz })
  const shouting = Array.from({ length: 20 }, (_, i) => loud.join(voice(sampleRateHz, 90 + 7 * i, 5000)))
  await report(`the same, so loud that all is limited, at ${sampleRateHz}`, (tick) => {
    for (const member of shouting) member.read(tick)
  })
  const room = new Mixer({ sampleRateHz, stage: new LoudestStage(3) })
  const present = Array.from({ length: 200 }, (_, i) =>
    room.join(i < 5 ? voice(sampleRateHz, 90 + 7 * i) : silent(sampleRateHz), { talks: () => {} }),
  )
  await report(`mixer, 200, 5 speak, 3 loudest heard, talk detection, at ${sampleRateHz}`, (tick) => {
    for (const member of present) member.read(tick)
  })
}

const folder = mkdtempSync(join(tmpdir(), 'patchbay-bench-'))
const file = join(folder, 'sound.raw')
writeFileSync(
  file,
  new Uint8Array(2 * 8000 * 4).map((_, i) => (i * 31) & 0x3f),
)
const sound = { file, raw: { encoding: 's16le', sampleRateHz: 8000 } } as const
for (const sampleRateHz of [8000, 16_000]) {
  const store = new SoundStore()
  const players = Array.from(
    { length: 100 },
    () => new Player(store, { sampleRateHz, sounds: [sound], times: Number.POSITIVE_INFINITY }),
  )
  await Promise.all(players.map(({ opened }) => opened))
  await report(`100 players of one file of 8 kHz, at ${sampleRateHz}`, (tick) => {
    for (const player of players) player.read(tick)
  })
  for (const player of players) player.stop()
}

const [said, heard] = [voice(8000, 120), voice(8000, 180)]
const taps = Array.from(
  { length: 100 },
  () =>
    new Tap({
      format: { sampleRateHz: 8000, encoding: 's16le', frameMs: 20 },
      sources: [said, heard],
      credit: Number.POSITIVE_INFINITY,
      send: () => {},
    }),
)
await report('100 taps of both sides, 8 kHz, frames of 20 ms', (tick) => {
  for (const tap of taps) tap.tick(tick)
})

const speech = new Int16Array(16_000)
const injections = Array.from(
  { length: 100 },
  () =>
    new Injection({
      sampleRateHz: 16_000,
      prebufferMs: 0,
      lowMs: 100,
      mostMs: 10_000,
      tell: () => {},
      silent: () => {},
    }),
)
await report('100 injections at 16000, a second written at a time', (tick) => {
  for (const injection of injections) {
    if (injection.waitingMs < 500) injection.write(speech)
    injection.read(tick)
  }
})

const ducks = Array.from({ length: 100 }, () => new Duck(said, () => heard, 12))
await report('100 ducks at 8000', (tick) => {
  for (const duck of ducks) duck.read(tick)
})
const meters = Array.from({ length: 100 }, () => new Meter([said, heard], 100, () => {}))
await report('100 meters of both sides at 8000', (tick) => {
  for (const meter of meters) meter.tick(tick)
})
/** Ports that send to nobody: all but the socket. */
const clock = new FakeClock()
const frames = new FrameClock(clock)
for (const format of [
  { payloadType: 0, encoding: 'PCMU', clockRateHz: 8000 },
  { payloadType: 9, encoding: 'G722', clockRateHz: 8000 },
  { payloadType: 111, encoding: 'opus', clockRateHz: 48_000, channels: 2 },
]) {
  const player = new Player(new SoundStore(), {
    sampleRateHz: 16_000,
    sounds: [{ builtIn: 'music' }],
    times: Number.POSITIVE_INFINITY,
    shared: true,
  })
  await player.opened
  const ends = Array.from({ length: 1000 }, () => {
    const port = new Port({
      cname: 'bench',
      inactiveAfterMs: 0,
      recordedLater: false,
      clock,
      wallAt: (nowMs) => nowMs,
      blocks: new BlockPool(),
      frames,
      jitter: { minMs: 20, maxMs: 200 },
      tell: () => {},
    })
    port.attach(fakeSockets({}))
    const remote = { ip: '192.0.2.1', rtpPort: 4000, rtcpPort: 4001 }
    port.describe({ remote, receive: [format], send: [format] })
    return port.say(player, 'instead')
  })
  await report(`1000 who hear one music in ${format.encoding}, without sockets`, () => clock.advance(20))
  for (const end of ends) end()
  player.stop()
}
rmSync(folder, { recursive: true })
