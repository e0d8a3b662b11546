/** What a phone of other make says, as a WAV file, and whether that is what another heard. */
import assert from 'node:assert/strict'
import { Resampler } from '../../src/codec/resample.ts'
import { readWav, type WavSound } from '../../src/codec/wav.ts'
import { correlate } from '../../src/demo/compare.ts'
import { loadSpeech, type SpeechName } from '../../src/demo/speech.ts'
import { writePlainWav } from './plain-wav.ts'

/** This speech again and again, long enough for a call, as samples and as the file `path`. */
export async function speechWav(path: string, name: SpeechName, seconds = 20): Promise<Int16Array> {
  const speech = await loadSpeech(name)
  const samples = new Int16Array(seconds * 8_000)
  for (let at = 0; at < samples.length; at += speech.length) samples.set(speech.subarray(0, samples.length - at), at)
  writePlainWav(path, samples)
  return samples
}

/** One channel at 8 kHz, as what was said is. */
export function at8k(sound: WavSound, channel = 0): Int16Array {
  const { sampleRateHz } = sound
  const samples = sound.channel(channel)
  if (sampleRateHz === 8_000) return samples
  const resampler = new Resampler(sampleRateHz, 8_000, samples.length)
  const output = new Int16Array(resampler.outputSamples(samples.length))
  return output.subarray(0, resampler.process(samples, 0, samples.length, output, 0))
}

const pieceSamples = 2_000
const isLoud = (samples: Int16Array) => samples.some((sample) => Math.abs(sample) > 300)

/**
 * At least `minSeconds` of what is in the file is what was said, wherever in it. A quarter of a second at a time is
 * compared: a phone whose clock stumbles on a busy machine, or that comes back from a hold, still passes.
 */
export async function assertHeard(
  what: string,
  said: Int16Array,
  wav: string,
  { minSeconds = 1.5, minScore = 0.97 } = {},
): Promise<void> {
  const pcm = at8k(await readWav(wav))
  const scores: number[] = []
  for (let at = 0; at + pieceSamples <= pcm.length; at += pieceSamples) {
    const piece = pcm.subarray(at, at + pieceSamples)
    if (isLoud(piece)) scores.push(correlate(said, piece).score)
  }
  const seconds = (scores.filter((score) => score >= minScore).length * pieceSamples) / 8_000
  const all = scores.map((score) => score.toFixed(2)).join(' ')
  assert.ok(seconds >= minSeconds, `${what}: ${seconds} s of ${pcm.length / 8_000} s; each piece: ${all}`)
}
