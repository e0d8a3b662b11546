/**
 * A recorded sound at another sample rate, still to be read from anywhere in it, and each sample where it belongs: the
 * delay of the filter is taken out, and what is read in pieces is the same as read at once.
 */
import { Resampler } from '../../../codec/resample.ts'
import type { Recorded } from './recorded.ts'

const commonDivisor = (a: number, b: number): number => (b === 0 ? a : commonDivisor(b, a % b))

/** May be read from whole seconds only. */
export function resampled(sound: Recorded, sampleRateHz: number): Recorded {
  const fromHz = sound.sampleRateHz
  if (fromHz === sampleRateHz) return sound
  const down = fromHz / commonDivisor(fromHz, sampleRateHz)
  const { delaySamples } = new Resampler(fromHz, sampleRateHz, 1)
  // Before the first sample lie as many as the filter is long, and so many that input and output begin together.
  const together = Math.ceil((3 * delaySamples) / down) * down
  const before = together - delaySamples
  const samples = Math.ceil((sound.samples * sampleRateHz) / fromHz)
  return {
    sampleRateHz,
    samples,
    async read(from, count) {
      const wanted = Math.max(0, Math.min(count, samples - from))
      const skip = (together * sampleRateHz) / fromHz
      const input = new Int16Array(Math.ceil(((skip + wanted) * fromHz) / sampleRateHz) + 1)
      const first = (from * fromHz) / sampleRateHz - before
      const read = await sound.read(Math.max(0, first), input.length + Math.min(0, first))
      input.set(read, Math.max(0, -first))
      const resampler = new Resampler(fromHz, sampleRateHz, input.length)
      const output = new Int16Array(resampler.outputSamples(input.length))
      resampler.process(input, 0, input.length, output, 0)
      return output.slice(skip, skip + wanted)
    },
    close: () => sound.close(),
  }
}
