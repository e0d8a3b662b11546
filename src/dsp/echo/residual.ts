/**
 * What the filter left of the echo made quiet: each frequency by how much of it must still be echo.
 *
 *   error, expected echo ─▶ windows of two frames ─▶ gain by bin ─▶ overlap and add, one frame later
 *
 * Gain 1 - residual / error as Wiener's filter, the residual taken for `leak` of the expected echo and no quieter than
 * what reverberates. A voice over the echo keeps the frequencies in which it is louder. Nothing allocates after construction.
 */
import { createSpectrum, RealFft, type Spectrum } from '../fft.ts'

/** The estimate is a mean; at any moment there may be more. */
const overestimate = 3
/** Nothing is made quieter than by this: -30 dB. */
const floor = 0.03
/** How much of the residual is still there a frame later, in rooms. */
const reverberation = 0.6
/** Gains fall at once and rise over some frames, or they would sparkle. */
const rise = 0.5

export class ResidualSuppressor {
  readonly #frame: number
  readonly #fft: RealFft
  /** Square root of Hann's window: once before, once after. */
  readonly #shape: Float64Array
  readonly #error: Float64Array
  readonly #echo: Float64Array
  readonly #time: Float64Array
  readonly #errorSpectrum: Spectrum
  readonly #echoSpectrum: Spectrum
  readonly #residual: Float64Array
  readonly #gain: Float64Array
  readonly #overlap: Float64Array

  constructor(frame: number) {
    this.#frame = frame
    const size = 2 ** Math.ceil(Math.log2(2 * frame))
    this.#fft = new RealFft(size)
    this.#shape = Float64Array.from({ length: 2 * frame }, (_, i) => Math.sin((Math.PI * (i + 0.5)) / (2 * frame)))
    this.#error = new Float64Array(2 * frame)
    this.#echo = new Float64Array(2 * frame)
    this.#time = new Float64Array(size)
    this.#errorSpectrum = createSpectrum(size)
    this.#echoSpectrum = createSpectrum(size)
    this.#residual = new Float64Array(size / 2 + 1)
    this.#gain = new Float64Array(size / 2 + 1).fill(1)
    this.#overlap = new Float64Array(frame)
  }

  /** One frame of each; `output` is the frame before. `output` may be `error`. */
  process(error: Float64Array, echo: Float64Array, leak: number, output: Float64Array): void {
    this.#spectrumOf(this.#error, error, this.#errorSpectrum)
    this.#spectrumOf(this.#echo, echo, this.#echoSpectrum)
    this.#suppress(overestimate * leak)
    this.#fft.inverse(this.#errorSpectrum, this.#time)
    for (let i = 0; i < this.#frame; i++) {
      output[i] = (this.#overlap[i] ?? 0) + (this.#time[i] ?? 0) * (this.#shape[i] ?? 0)
      this.#overlap[i] = (this.#time[this.#frame + i] ?? 0) * (this.#shape[this.#frame + i] ?? 0)
    }
  }

  #spectrumOf(last: Float64Array, frame: Float64Array, spectrum: Spectrum): void {
    last.copyWithin(0, this.#frame)
    last.set(frame, this.#frame)
    this.#time.fill(0, last.length)
    for (let i = 0; i < last.length; i++) this.#time[i] = (last[i] ?? 0) * (this.#shape[i] ?? 0)
    this.#fft.forward(this.#time, spectrum)
  }

  #suppress(share: number): void {
    const { re, im } = this.#errorSpectrum
    const { re: yr, im: yi } = this.#echoSpectrum
    const residual = this.#residual
    const gain = this.#gain
    for (let k = 0; k < re.length; k++) {
      const error = (re[k] ?? 0) ** 2 + (im[k] ?? 0) ** 2
      const now = share * ((yr[k] ?? 0) ** 2 + (yi[k] ?? 0) ** 2)
      const left = Math.max(now, reverberation * (residual[k] ?? 0))
      residual[k] = left
      const wanted = Math.max(floor, 1 - left / (error + 1))
      const before = gain[k] ?? 1
      gain[k] = wanted < before ? wanted : before + rise * (wanted - before)
    }
    for (let k = 0; k < re.length; k++) {
      const g = gain[k] ?? 1
      re[k] = g * (re[k] ?? 0)
      im[k] = g * (im[k] ?? 0)
    }
  }
}
