/** Sounds that are made instead of read: tones, and silence of a length. */
import { type Tone, ToneSource } from '../../../codec/tone.ts'
import type { Recorded } from './recorded.ts'

/** Samples made and thrown away at once, when it is wanted from the middle on. */
const skipped = new Int16Array(8000)

/** @param durationMs Infinite for no end. */
export function makeTone(tone: Tone, sampleRateHz: number, durationMs: number): Recorded {
  const samples = Math.round((durationMs * sampleRateHz) / 1000)
  let source = new ToneSource(tone, sampleRateHz)
  let made = 0
  return {
    sampleRateHz,
    samples,
    read(from, count) {
      if (from < made) {
        source = new ToneSource(tone, sampleRateHz)
        made = 0
      }
      for (; made < from; made += Math.min(skipped.length, from - made))
        source.make(skipped, 0, Math.min(skipped.length, from - made))
      const sound = new Int16Array(Math.max(0, Math.min(count, samples - from)))
      source.make(sound, 0, sound.length)
      made += sound.length
      fadeOut(sound, from, samples, sampleRateHz)
      return Promise.resolve(sound)
    },
    close: () => Promise.resolve(),
  }
}

/** The last 2 ms of a tone fall, as its beginning rises, so that nothing clicks. */
function fadeOut(sound: Int16Array, from: number, samples: number, sampleRateHz: number): void {
  const edge = (2 * sampleRateHz) / 1000
  for (let i = Math.max(0, Math.ceil(samples - edge - from)); i < sound.length; i++)
    sound[i] = ((sound[i] ?? 0) * (samples - from - i)) / edge
}

export function makeSilence(sampleRateHz: number, durationMs: number): Recorded {
  const samples = Math.round((durationMs * sampleRateHz) / 1000)
  return {
    sampleRateHz,
    samples,
    read: (from, count) => Promise.resolve(new Int16Array(Math.max(0, Math.min(count, samples - from)))),
    close: () => Promise.resolve(),
  }
}
