/**
 * A leg's sound played so much slower or faster that its clock is another's, for the combined file.
 *
 *   leg-reader.ts  ── blocks of samples ─▶  here: those that are still looked at, FractionalResampler  ─▶  leg-reader.ts
 */
import { FractionalResampler, samplesAfter, samplesBefore } from '../codec/fractional-resampler.ts'

export class Stretch {
  readonly #step: number
  readonly #resampler = new FractionalResampler()
  readonly #samples: Int16Array
  #filled = samplesBefore
  /** Of the next sample. */
  #at = samplesBefore

  /**
   * @param factor How much longer the sound becomes, near 1.
   * @param most Samples handed in at a time.
   */
  constructor(factor: number, most: number) {
    this.#step = 1 / factor
    this.#samples = new Int16Array(most + 2 * (samplesBefore + samplesAfter))
  }

  /** How many samples come of `count`, at most. */
  outputSamples(count: number): number {
    return Math.ceil(count / this.#step) + samplesBefore + samplesAfter
  }

  /** @returns How many samples were written to `output` from its beginning on. */
  process(input: Int16Array, from: number, count: number, output: Int16Array): number {
    this.#samples.set(input.subarray(from, from + count), this.#filled)
    this.#filled += count
    const made = Math.max(0, Math.floor((this.#filled - samplesAfter - this.#at) / this.#step))
    this.#at += this.#resampler.process(this.#samples, this.#at, this.#step, output, 0, made)
    const kept = this.#at - samplesBefore
    this.#samples.copyWithin(0, kept, this.#filled)
    this.#filled -= kept
    this.#at = samplesBefore
    return made
  }
}
