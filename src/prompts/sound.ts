/**
 * Sound of one prompt made ready: silence cut off both ends, brought to 16 kHz and to the level of all others.
 *
 *   engine's WAV, somebody's recording ─▶ preparePrompt ─▶ 16 kHz, 16 bits, -20 dBov while it speaks
 */
import { levelDbov, peak } from '../codec/level.ts'
import { Resampler } from '../codec/resample.ts'
import { type WavSound, wavHeader } from '../codec/wav.ts'

export const promptRateHz = 16_000

/** Level while it speaks, and where no sample goes beyond. */
const targetDbov = -20
const peakDbov = -1
/** Windows of 5 ms quieter than this at either end are cut, but for a little. */
const silentDbov = -48
const window = promptRateHz / 200
const keptBefore = 3 * window
const keptAfter = 5 * window

/** @param sound Its first channel is taken. */
export function preparePrompt(sound: WavSound): Int16Array {
  const samples = trimmed(at16k(sound.channel(0), sound.sampleRateHz))
  level(samples)
  return samples
}

function at16k(samples: Int16Array, rateHz: number): Int16Array {
  if (rateHz === promptRateHz) return samples
  const resampler = new Resampler(rateHz, promptRateHz, samples.length)
  const output = new Int16Array(resampler.outputSamples(samples.length))
  return output.subarray(0, resampler.process(samples, 0, samples.length, output, 0))
}

function trimmed(samples: Int16Array): Int16Array {
  const loud = (at: number): boolean => levelDbov(samples, at, Math.min(window, samples.length - at)) > silentDbov
  let first = 0
  while (first < samples.length && !loud(first)) first += window
  let last = samples.length
  while (last > first + window && !loud(last - window)) last -= window
  return samples.slice(Math.max(0, first - keptBefore), Math.min(samples.length, last + keptAfter))
}

/** Frames within 20 dB of the loudest are speech; their level becomes the target, as far as the peak bears it. */
function level(samples: Int16Array): void {
  const frame = 4 * window
  const levels: number[] = []
  for (let at = 0; at + frame <= samples.length; at += frame) levels.push(levelDbov(samples, at, frame))
  const loudest = Math.max(...levels)
  const powers = levels.filter((one) => one > loudest - 20).map((one) => 10 ** (one / 10))
  if (powers.length === 0 || loudest < silentDbov) return
  const speechDbov = 10 * Math.log10(powers.reduce((sum, power) => sum + power, 0) / powers.length)
  const gainDb = Math.min(targetDbov - speechDbov, peakDbov - 20 * Math.log10(peak(samples) / 32_768))
  const gain = 10 ** (gainDb / 20)
  for (let i = 0; i < samples.length; i++) samples[i] = Math.round((samples[i] ?? 0) * gain)
}

/** A whole WAV file of such a sound. */
export function promptWav(samples: Int16Array): Buffer {
  const bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength)
  const header = wavHeader({ sampleRateHz: promptRateHz, channels: 1, dataBytes: bytes.length, startedAtMs: 0 })
  return Buffer.concat([header, bytes])
}
