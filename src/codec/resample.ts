/**
 * Change of the sample rate by a fixed ratio: polyphase FIR filters.
 *
 *   decoder at its rate ─▶ Resampler ─▶ mixer, encoder at theirs
 *
 * Flat within 0.1 dB to 0.425 of the lower rate (3.4 kHz at 8 kHz), at least 60 dB down from 0.575 of it on (4.6 kHz,
 * which would fold to 3.4). One object for a stream; the steady path allocates nothing. Filters are shared.
 */
import { kaiser, kaiserShape, sinc } from './windowed-sinc.ts'

/** Edges of the transition, as shares of the lower rate; what is between folds only above the passband. */
const passEdge = 0.425
const stopEdge = 0.575
/** What the window is designed for; rounding to 16 bits is quieter than this for most sound. */
const stopbandDb = 70

/** `up` filters of `taps` coefficients each, one for each phase of the output between two input samples. */
interface Bank {
  readonly up: number
  readonly down: number
  readonly taps: number
  readonly coefficients: Float32Array
}

/** By ratio, such as 1/6; rates are few, so is what is kept. */
const banks = new Map<string, Bank>()

const commonDivisor = (a: number, b: number): number => (b === 0 ? a : commonDivisor(b, a % b))

/** Kaiser's window design: shape from the attenuation, length from the width of the transition. */
function designBank(up: number, down: number): Bank {
  // All at the rate of `up` phases for each input sample; of it the lower rate is the `most`-th part
  const most = Math.max(up, down)
  const width = (2 * Math.PI * (stopEdge - passEdge)) / most
  // A delay of whole samples on both sides, where the rates allow it
  const together = 2 * Math.ceil(down / up)
  const taps = Math.ceil((stopbandDb - 8) / (2.285 * width) / up / together) * together
  const length = taps * up
  const shape = kaiserShape(stopbandDb)
  const cutoff = (passEdge + stopEdge) / most
  const coefficients = new Float32Array(length)
  for (let phase = 0; phase < up; phase++) {
    let sum = 0
    for (let tap = 0; tap < taps; tap++) {
      const x = tap * up + phase - length / 2
      const coefficient = sinc(cutoff * x) * kaiser((2 * x) / length, shape)
      // The newest input sample meets tap 0; they are kept backwards, so that both run forwards
      coefficients[phase * taps + taps - 1 - tap] = coefficient
      sum += coefficient
    }
    // Each phase alone passes a constant unchanged: no ripple at the input's rate
    for (let tap = 0; tap < taps; tap++)
      coefficients[phase * taps + tap] = (coefficients[phase * taps + tap] ?? 0) / sum
  }
  return { up, down, taps, coefficients }
}

function bankFor(fromHz: number, toHz: number): Bank {
  const divisor = commonDivisor(fromHz, toHz)
  const name = `${toHz / divisor}/${fromHz / divisor}`
  const bank = banks.get(name) ?? designBank(toHz / divisor, fromHz / divisor)
  banks.set(name, bank)
  return bank
}

export class Resampler {
  readonly #bank: Bank
  readonly #longestInput: number
  /** The last `taps - 1` samples before the input, then the input. */
  readonly #window: Float32Array
  /** The next output lies `phase / up` input samples after the one it is counted from. */
  #phase = 0
  /** Input samples to pass before the next output. */
  #skip = 0

  /**
   * @param longestInput Most samples given at once.
   * @throws {RangeError} when a rate is not a whole number above 0, or the two share so little that the filter is huge.
   */
  constructor(fromHz: number, toHz: number, longestInput: number) {
    if (!(Number.isSafeInteger(fromHz) && Number.isSafeInteger(toHz) && fromHz > 0 && toHz > 0))
      throw new RangeError(`no sample rates: ${fromHz}, ${toHz}`)
    if (Math.max(fromHz, toHz) / commonDivisor(fromHz, toHz) > 1000)
      throw new RangeError(`no simple ratio: ${fromHz} to ${toHz} Hz`)
    this.#bank = bankFor(fromHz, toHz)
    this.#longestInput = longestInput
    this.#window = new Float32Array(this.#bank.taps - 1 + longestInput)
  }

  /** How much later sound comes out, in input samples. */
  get delaySamples(): number {
    return this.#bank.taps / 2
  }

  /** Most samples that come out for `count` that go in. */
  outputSamples(count: number): number {
    return Math.ceil((count * this.#bank.up) / this.#bank.down) + 1
  }

  /**
   * Resample `count` samples, at most `longestInput`; `output` has room for `outputSamples(count)`.
   *
   * @returns Samples written from `to`: over time exactly the ratio, at a time one more or less.
   * @throws {RangeError} when more is given than was agreed.
   */
  process(input: Int16Array, from: number, count: number, output: Int16Array, to: number): number {
    if (count > this.#longestInput) throw new RangeError(`${count} samples given, ${this.#longestInput} agreed`)
    const { up, down, taps, coefficients } = this.#bank
    const window = this.#window
    const before = taps - 1
    for (let i = 0; i < count; i++) window[before + i] = input[from + i] ?? 0
    let at = this.#skip
    let phase = this.#phase
    let written = to
    while (at < count) {
      const filter = phase * taps
      let sum = 0
      for (let tap = 0; tap < taps; tap++) sum += (window[at + tap] ?? 0) * (coefficients[filter + tap] ?? 0)
      const sample = Math.round(sum)
      output[written++] = sample > 32_767 ? 32_767 : sample < -32_768 ? -32_768 : sample
      phase += down
      at += Math.floor(phase / up)
      phase %= up
    }
    this.#skip = at - count
    this.#phase = phase
    window.copyWithin(0, count, count + before)
    return written - to
  }
}
