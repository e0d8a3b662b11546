/**
 * What sound processing does to noisy speech, and what it costs: the tables of docs/media.md.
 *
 *   npm run bench -- sound
 *
 * Speech, noise and echo are made by scenes.ts, the same each time; only the µs differ from machine to machine.
 */
import { levelDbov, SpeechDetector } from '../../src/codec/level.ts'
import { createDenoise } from '../../src/dsp/denoise.ts'
import { EchoCanceller } from '../../src/dsp/echo/echo-canceller.ts'
import { GainControl } from '../../src/dsp/gain-control.ts'
import { LoudnessMeter, normalise } from '../../src/dsp/loudness.ts'
import { type VoiceRateHz, type VoiceStage, voiceRatesHz } from '../../src/dsp/stage.ts'
import { createVoiceActivity } from '../../src/dsp/voice-activity.ts'
import {
  atLevel,
  babble,
  echoOf,
  hum,
  joined,
  louder,
  resampled,
  speech,
  speechNames,
  sum,
  whiteNoise,
} from './scenes.ts'

const pauseSeconds = 2
const voices = await Promise.all(speechNames.map(speech))
/** Four people, each at -26 dBov, with pauses: 32 s at 8 kHz. */
const clean = joined(
  voices.map((voice) => atLevel(voice, -26)),
  8000 * pauseSeconds,
)
const cleanLevel = levelDbov(clean)

type MakeNoise = (dbov: number) => Promise<Int16Array> | Int16Array
const noises: Readonly<Record<string, MakeNoise>> = {
  'white noise': (dbov) => whiteNoise(clean.length, dbov),
  'babble of six': (dbov) => babble(clean.length, dbov),
  'mains hum': (dbov) => hum(clean.length, dbov, 8000),
}

const none: MakeNoise = () => new Int16Array(clean.length)

const decimal = (value: number, digits = 1): string => value.toFixed(digits)
const row = (...cells: readonly (string | number)[]): void => console.log(`| ${cells.join(' | ')} |`)

function head(...cells: readonly string[]): void {
  console.log('')
  row(...cells)
  row(...cells.map(() => '---'))
}

function processed(sound: Int16Array, rateHz: number, stage: VoiceStage): { output: Int16Array; us: number } {
  const output = sound.slice()
  const frame = rateHz / 50
  const began = process.cpuUsage()
  for (let at = 0; at + frame <= output.length; at += frame) stage.process(output.subarray(at, at + frame))
  const { user, system } = process.cpuUsage(began)
  const us = (user + system) / Math.floor(output.length / frame)
  return { output: output.subarray(Math.round((stage.delayMs * rateHz) / 1000)), us }
}

/** Frames of the clean sound that hold speech; gaps of less than 200 ms are speech too. */
const speaks: readonly boolean[] = (() => {
  const loud = Array.from({ length: Math.floor(clean.length / 160) }, (_, f) => levelDbov(clean, f * 160, 160) > -45)
  return loud.map(
    (is, f) => is || (loud.slice(Math.max(0, f - 5), f).some(Boolean) && loud.slice(f, f + 5).some(Boolean)),
  )
})()

/** Mean SNR of the frames of 20 ms with speech, each from -10 to 35 dB. */
function segmentalSnrDb(sound: Int16Array): number {
  let total = 0
  let count = 0
  for (let f = 0; f < Math.floor(Math.min(sound.length, clean.length) / 160); f++) {
    if (!speaks[f]) continue
    let signal = 1
    let wrong = 1
    for (let i = f * 160; i < (f + 1) * 160; i++) {
      signal += (clean[i] ?? 0) ** 2
      wrong += ((sound[i] ?? 0) - (clean[i] ?? 0)) ** 2
    }
    total += Math.max(-10, Math.min(35, 10 * Math.log10(signal / wrong)))
    count++
  }
  return total / count
}

/** Level of what is between the speakers: 1 s after each has ended. */
function pauseLevelDbov(sound: Int16Array): number {
  let at = 0
  let power = 0
  for (const voice of voices) {
    at += voice.length
    power += 10 ** (levelDbov(sound, at + 4000, 8000) / 10)
    at += 8000 * pauseSeconds
  }
  return 10 * Math.log10(power / voices.length)
}

async function noiseSuppression(): Promise<void> {
  head('noise, 8 kHz', 'SNR dB', 'segmental SNR dB', 'after', 'noise in pauses dBov', 'after')
  for (const [name, make] of Object.entries(noises)) {
    for (const snrDb of [15, 5]) {
      const noisy = sum(clean, await make(cleanLevel - snrDb))
      const stage = createDenoise(8000)
      if (!stage) return console.log('RNNoise is not installed')
      const { output } = processed(noisy, 8000, stage)
      const [before, after] = [segmentalSnrDb(noisy), segmentalSnrDb(output)]
      row(name, snrDb, decimal(before), decimal(after), decimal(pauseLevelDbov(noisy)), decimal(pauseLevelDbov(output)))
    }
  }
}

async function voiceActivity(): Promise<void> {
  head('noise, 8 kHz', 'SNR dB', 'energy: precision', 'recall', 'RNNoise: precision', 'recall')
  for (const [name, make] of Object.entries<MakeNoise>({ none, ...noises })) {
    for (const snrDb of name === 'none' ? [99] : [15, 5]) {
      const noisy = sum(clean, await make(cleanLevel - snrDb))
      const cells = (['energy', 'rnnoise'] as const).flatMap((model) => {
        const activity = createVoiceActivity(8000, model)
        const heard = speaks.map((_, f) => activity.hears(noisy.subarray(f * 160, (f + 1) * 160)))
        activity.close()
        const both = heard.filter((is, f) => is && speaks[f]).length
        return [both / heard.filter(Boolean).length, both / speaks.filter(Boolean).length]
      })
      row(name, name === 'none' ? '' : snrDb, ...cells.map((cell) => decimal(cell, 2)))
    }
  }
}

/** What comes back of four speakers, and somebody who speaks over them from the 14th second on. */
function echo(): void {
  head(
    'rate',
    'echo',
    'delay found ms',
    'ERLE dB, 2nd to 4th s',
    '10th to 24th s',
    'voice to echo dB, both speaking',
    'after',
  )
  const far = atLevel(joined([...voices, voices[0] ?? new Int16Array()], 2400), -20)
  const paths = [
    { delayMs: 20, lossDb: 6, decayMs: 60 },
    { delayMs: 180, lossDb: 12, decayMs: 120 },
    { delayMs: 420, lossDb: 20, decayMs: 30 },
  ]
  for (const rateHz of [8000, 16_000] as const) {
    const sent = resampled(far, 8000, rateHz)
    for (const path of paths) {
      const near = sum(echoOf(sent, rateHz, path), whiteNoise(sent.length, -65))
      const alone = withoutEcho(sent, near, rateHz)
      const erle = (from: number, until: number): string =>
        decimal(
          levelDbov(near.subarray(from * rateHz, until * rateHz)) -
            levelDbov(alone.output.subarray(from * rateHz, until * rateHz)),
        )
      const talker = resampled(atLevel(voices[2] ?? new Int16Array(), -26), 8000, rateHz)
      const from = 14 * rateHz
      const talk = new Int16Array(near.length)
      talk.set(talker, from)
      const both = sum(near, talk)
      const after = withoutEcho(sent, both, rateHz).output
      row(
        `${rateHz / 1000} kHz`,
        `${path.delayMs} ms, ${path.lossDb} dB down, room of ${path.decayMs} ms`,
        decimal(alone.delayMs ?? Number.NaN),
        erle(1, 4),
        erle(9, 24),
        decimal(snrDb(talk, both, from, talker.length)),
        decimal(snrDb(talk, after, from, talker.length)),
      )
    }
  }
}

function withoutEcho(sent: Int16Array, near: Int16Array, rateHz: VoiceRateHz) {
  const frame = rateHz / 50
  let at = 0
  const canceller = new EchoCanceller(rateHz, {
    sent: () => {
      at += frame
      return sent.subarray(at - frame, at)
    },
  })
  const { output } = processed(near, rateHz, canceller)
  return { output, delayMs: canceller.echoDelayMs }
}

function snrDb(wanted: Int16Array, sound: Int16Array, from: number, count: number): number {
  let signal = 0
  let wrong = 0
  for (let i = from; i < from + count; i++) {
    signal += (wanted[i] ?? 0) ** 2
    wrong += ((sound[i] ?? 0) - (wanted[i] ?? 0)) ** 2
  }
  return 10 * Math.log10(signal / wrong)
}

/** Level of the frames with speech. */
function voiceLevelDbov(sound: Int16Array): number {
  let power = 0
  let count = 0
  for (let f = Math.floor(speaks.length / 3); f < speaks.length; f++) {
    if (!speaks[f] || (f + 1) * 160 > sound.length) continue
    power += 10 ** (levelDbov(sound, f * 160, 160) / 10)
    count++
  }
  return 10 * Math.log10(power / count)
}

function gain(): void {
  head('voice dBov', 'after gain control to -20', 'loudness LUFS', 'after normalisation to -16', 'its peak dBov')
  for (const gainDb of [-14, -7, 0, 7, 14]) {
    const given = louder(clean, gainDb)
    const { output } = processed(given, 8000, new GainControl(8000))
    const before = new LoudnessMeter(8000)
    before.process(given)
    const normal = given.slice()
    normalise(normal, 8000, { targetLufs: -16 })
    const after = new LoudnessMeter(8000)
    after.process(normal)
    const loudness = (meter: LoudnessMeter): string => decimal(meter.integrated() ?? Number.NaN)
    row(
      decimal(voiceLevelDbov(given)),
      decimal(voiceLevelDbov(output)),
      loudness(before),
      loudness(after),
      decimal(after.peakDbov),
    )
  }
}

function cost(): void {
  head('stage', 'delay ms at 8 / 16 / 48 kHz', 'µs a frame of 20 ms at 8 / 16 / 48 kHz')
  const stages: readonly ((rateHz: VoiceRateHz, sound: Int16Array) => VoiceStage | undefined)[] = [
    (rateHz) => createDenoise(rateHz),
    (rateHz) => new GainControl(rateHz),
    (rateHz, sound) => {
      let at = 0
      const frame = rateHz / 50
      // The sound itself a frame earlier: as good as any echo to measure time with
      const sent = () => sound.subarray((at = (at + frame) % (sound.length - frame)), at + frame)
      return new EchoCanceller(rateHz, { sent })
    },
    (rateHz) => listener('voice activity by energy', new SpeechDetector(rateHz)),
    (rateHz) => listener('loudness', new LoudnessMeter(rateHz)),
  ]
  for (const create of stages) {
    const measured = voiceRatesHz.map((rateHz) => {
      const sound = resampled(clean, 8000, rateHz)
      const stage = create(rateHz, sound)
      return stage && { name: stage.name, delayMs: stage.delayMs, us: processed(sound, rateHz, stage).us }
    })
    const cells = (digits: number, of: (one: { delayMs: number; us: number }) => number): string =>
      measured.map((one) => (one ? decimal(of(one), digits) : '-')).join(' / ')
    row(
      measured[0]?.name ?? 'denoise',
      cells(1, (one) => one.delayMs),
      cells(0, (one) => one.us),
    )
  }
}

/** Something that only listens, timed as the stages are. */
const listener = (
  name: string,
  what: { hears(frame: Int16Array): boolean } | { process(frame: Int16Array): void },
): VoiceStage => ({
  name,
  delayMs: 0,
  process(frame) {
    if ('hears' in what) what.hears(frame)
    else what.process(frame)
  },
  close() {},
})

await noiseSuppression()
await voiceActivity()
echo()
gain()
cost()
