/** Sound for tests: speech, sines, and how far two sounds are apart. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Resampler } from './resample.ts'

const folder = join(import.meta.dirname, '../../test/data/codecs')

export const readBytes = (name: string): Uint8Array => new Uint8Array(readFileSync(join(folder, name)))
export const readSamples = (name: string): Int16Array => new Int16Array(readBytes(name).buffer)

/** 2.4 s of speech at 16 kHz. */
export const speech16k = readSamples('speech.16k.s16le')

/** All of a sound at another rate. */
export function resampled(sound: Int16Array, fromHz: number, toHz: number): Int16Array {
  if (fromHz === toHz) return sound
  const resampler = new Resampler(fromHz, toHz, sound.length)
  const output = new Int16Array(resampler.outputSamples(sound.length))
  return output.subarray(0, resampler.process(sound, 0, sound.length, output, 0))
}

/** A sine of a peak, out of 32768. */
export function sine(frequencyHz: number, peak: number, sampleRateHz: number, seconds: number): Int16Array {
  const turn = (2 * Math.PI * frequencyHz) / sampleRateHz
  return Int16Array.from({ length: Math.round(sampleRateHz * seconds) }, (_, i) =>
    Math.round(peak * Math.sin(turn * i)),
  )
}

/** Numbers that look random, the same for the same seed. */
export class Chance {
  #seed: number

  constructor(seed: number) {
    this.#seed = seed
  }

  /** From 0 to 1. */
  next(): number {
    this.#seed = (Math.imul(this.#seed, 1_103_515_245) + 12_345) & 0x7fff_ffff
    return this.#seed / 0x8000_0000
  }

  /** Normally distributed around 0 with a standard deviation of 1. */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next())
  }
}

/** Noise of a standard deviation, the same each time. */
export function noise(deviation: number, samples: number): Int16Array {
  const chance = new Chance(12_345)
  return Int16Array.from({ length: samples }, () => Math.max(-32_768, Math.min(32_767, deviation * chance.normal())))
}

/** In how many places two sounds or payloads differ; to print how large arrays differ takes assert a minute. */
export function differing(a: Int16Array | Uint8Array, b: Int16Array | Uint8Array): number {
  let count = 0
  for (let i = 0; i < Math.max(a.length, b.length); i++) if (a[i] !== b[i]) count++
  return count
}

const energy = (sound: Int16Array): number => sound.reduce((sum, sample) => sum + sample * sample, 0)

/** Signal to noise in dB of a sound that comes out up to `mostDelay` samples later; at the delay that fits best. */
export function snrDb(original: Int16Array, copy: Int16Array, mostDelay = 0): number {
  let least = Number.POSITIVE_INFINITY
  const count = Math.min(original.length, copy.length) - mostDelay
  for (let delay = 0; delay <= mostDelay; delay++) {
    let sum = 0
    for (let i = 0; i < count; i++) sum += ((copy[i + delay] ?? 0) - (original[i] ?? 0)) ** 2
    least = Math.min(least, sum)
  }
  return 10 * Math.log10(energy(original.subarray(0, count)) / least)
}

/** The sine of a frequency in a sound: its peak, and all else that is in the sound, in dB below it. */
export function findSine(
  sound: Int16Array,
  frequencyHz: number,
  sampleRateHz: number,
): { peak: number; snrDb: number } {
  const turn = (2 * Math.PI * frequencyHz) / sampleRateHz
  // Least squares of sine, cosine and a constant would be exact; over many periods this is
  let real = 0
  let imaginary = 0
  sound.forEach((sample, i) => {
    real += sample * Math.cos(turn * i)
    imaginary += sample * Math.sin(turn * i)
  })
  const peak = (2 / sound.length) * Math.hypot(real, imaginary)
  const own = (peak ** 2 / 2) * sound.length
  return { peak, snrDb: 10 * Math.log10(own / Math.max(1e-9, energy(sound) - own)) }
}
