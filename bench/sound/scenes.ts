/**
 * Noisy speech made from the speech of the demo, the same each time: what sound processing is measured with.
 *
 *   src/demo/speech/*.wav ─▶ one speaker with pauses, several at once (babble); white noise, hum, echo paths
 */
import { join } from 'node:path'
import { levelDbov } from '../../src/codec/level.ts'
import { Resampler } from '../../src/codec/resample.ts'
import { readWav } from '../../src/codec/wav.ts'

const folder = join(import.meta.dirname, '../../src/demo/speech')
export const speechNames = ['caller', 'callee', 'customer', 'agent'] as const
export type SpeechName = (typeof speechNames)[number]

/** The whole of a recording at 8 kHz. */
export const speech = async (name: SpeechName): Promise<Int16Array> =>
  (await readWav(join(folder, `${name}.wav`))).channel(0)

export function resampled(sound: Int16Array, fromHz: number, toHz: number): Int16Array {
  if (fromHz === toHz) return sound
  const resampler = new Resampler(fromHz, toHz, sound.length)
  const output = new Int16Array(resampler.outputSamples(sound.length))
  return output.subarray(0, resampler.process(sound, 0, sound.length, output, 0))
}

const sixteenBits = (value: number): number => Math.max(-32_768, Math.min(32_767, Math.round(value)))

export const louder = (sound: Int16Array, gainDb: number): Int16Array =>
  sound.map((sample) => sixteenBits(sample * 10 ** (gainDb / 20)))

/** At this mean level. */
export const atLevel = (sound: Int16Array, dbov: number): Int16Array => louder(sound, dbov - levelDbov(sound))

/** One after the other, each followed by silence. */
export function joined(pieces: readonly Int16Array[], pauseSamples: number): Int16Array {
  const whole = new Int16Array(pieces.reduce((sum, piece) => sum + piece.length + pauseSamples, 0))
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length + pauseSamples
  }
  return whole
}

/** Samples of `b` again and again, from `shift` on, as long as `length`. */
const looped = (sound: Int16Array, length: number, shift: number): Int16Array =>
  Int16Array.from({ length }, (_, i) => sound[(i + shift) % sound.length] ?? 0)

export const sum = (a: Int16Array, b: Int16Array): Int16Array => a.map((sample, i) => sixteenBits(sample + (b[i] ?? 0)))

/** A generator of numbers between 0 and 1, the same each time (a linear congruential one, of glibc). */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff
    return state / 0x8000_0000
  }
}

export function whiteNoise(length: number, dbov: number, seed = 12_345): Int16Array {
  const next = random(seed)
  const deviation = 32_768 * 10 ** (dbov / 20)
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())
  return Int16Array.from({ length }, () => sixteenBits(deviation * normal()))
}

/** Mains: 50 Hz and its odd harmonics, as a bad earth sounds. */
export function hum(length: number, dbov: number, sampleRateHz: number): Int16Array {
  const sound = Int16Array.from({ length }, (_, i) => {
    let value = 0
    for (const k of [1, 3, 5, 7, 9]) value += Math.sin((2 * Math.PI * 50 * k * i) / sampleRateHz) / k
    return 8000 * value
  })
  return atLevel(sound, dbov)
}

/** Six voices at once, none of whom can be followed: the four recordings, two of them again from elsewhere, one backwards. */
export async function babble(length: number, dbov: number): Promise<Int16Array> {
  const voices = await Promise.all(speechNames.map(speech))
  const six = [...voices, ...voices.slice(0, 2).map((voice) => voice.toReversed())]
  let mix: Int16Array = new Int16Array(length)
  for (const [index, voice] of six.entries()) mix = sum(mix, atLevel(looped(voice, length, 4000 * index), -35))
  return atLevel(mix, dbov)
}

/**
 * What comes back from a telephone on a table: later, quieter, with the decaying reflections of a room.
 * @param delayMs Until the first sound.
 * @param lossDb Of the whole path.
 * @param decayMs Until reflections are 60 dB down.
 */
export function echoOf(
  sound: Int16Array,
  sampleRateHz: number,
  { delayMs, lossDb, decayMs }: { delayMs: number; lossDb: number; decayMs: number },
): Int16Array {
  const next = random(777)
  const delay = Math.round((delayMs * sampleRateHz) / 1000)
  const taps = Math.round((decayMs * sampleRateHz) / 1000)
  const response = Float64Array.from({ length: taps }, (_, i) => (next() - 0.5) * 10 ** ((-3 * i) / taps))
  response[0] = 1
  const energy = response.reduce((total, tap) => total + tap * tap, 0)
  const scale = 10 ** (-lossDb / 20) / Math.sqrt(energy)
  return Int16Array.from(sound, (_, n) => {
    let value = 0
    const last = Math.min(taps - 1, n - delay)
    for (let i = 0; i <= last; i++) value += (response[i] ?? 0) * (sound[n - delay - i] ?? 0)
    return sixteenBits(scale * value)
  })
}
