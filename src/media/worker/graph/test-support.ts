/** Sounds for tests of the graph, and what is heard in them. */
import { frameSamples, type SoundSource } from '../sound.ts'

/** A sine of a multiple of 50 Hz, so that all frames are the same. */
export function steadyTone(sampleRateHz: number, frequencyHz: number, amplitude: number): SoundSource {
  const frame = Int16Array.from({ length: frameSamples(sampleRateHz) }, (_, i) =>
    Math.round(amplitude * Math.sin((2 * Math.PI * frequencyHz * i) / sampleRateHz)),
  )
  return { sampleRateHz, read: () => frame }
}

/** Nothing but zeros to the ear, yet a frame each tick. */
export const hush = (sampleRateHz: number): SoundSource => steadyTone(sampleRateHz, 50, 0)

/** Amplitude of a sine in samples that hold a whole number of its periods. */
export function amplitudeOf(samples: Int16Array, sampleRateHz: number, frequencyHz: number): number {
  let re = 0
  let im = 0
  for (const [i, sample] of samples.entries()) {
    const angle = (2 * Math.PI * frequencyHz * i) / sampleRateHz
    re += sample * Math.cos(angle)
    im += sample * Math.sin(angle)
  }
  return (2 * Math.hypot(re, im)) / samples.length
}

/** What a source says in so many ticks, silence as zeros. */
export function listen(source: SoundSource, ticks: number, firstTick = 0): Int16Array {
  const length = frameSamples(source.sampleRateHz)
  const heard = new Int16Array(length * ticks)
  for (let i = 0; i < ticks; i++) heard.set(source.read(firstTick + i) ?? new Int16Array(length), i * length)
  return heard
}

/** The largest step from one sample to the next. */
export function largestStep(samples: Int16Array): number {
  let most = 0
  for (let i = 1; i < samples.length; i++) most = Math.max(most, Math.abs((samples[i] ?? 0) - (samples[i - 1] ?? 0)))
  return most
}
