/**
 * How long an echo is on its way: 0 to 500 ms, found while people talk.
 *
 *   what was sent, what came back (8 kHz) ─▶ cross-spectrum, whitened, averaged ─▶ its peak in time
 *
 * Every 320 ms (160 until a delay is known) the last half second of what came back is laid against the last second of
 * what was sent. Whitening (PHAT) makes the peak sharp though speech is not; only the band of telephones counts. A delay
 * is told when four searches in a row agree: a second after both sound, and never between voices that are no echo.
 * C. Knapp and G. Carter, The Generalized Correlation Method for Estimation of Time Delay, 1976.
 */
import { createSpectrum, RealFft } from '../fft.ts'

export const searchRateHz = 8000
const window = 8192
const nearWindow = window / 2
/** Most that can be found: half a second. */
const longestDelay = nearWindow - 96
/** Samples from one search to the next: more often until a delay was found. */
const samplesBetween = 2560
const samplesBetweenFirst = 1280
/** 300 to 3400 Hz, in bins. */
const lowestBin = Math.round((300 * window) / searchRateHz)
const highestBin = Math.round((3400 * window) / searchRateHz)
/** How much of the average stays at each search. */
const memory = 0.75
/** The peak stands out so far above the mean magnitude of the others; noise alone gives 4 to 5. */
const clearPeak = 10
/** Searches agree within 2 ms. */
const sameWithin = 16
const agreeing = 4
/** Quieter than this (mean square, 16 bits) nothing can be told: -60 dBov. */
const leastPower = 32_768 ** 2 * 1e-6

/** One for all searches of a thread: nothing stays in it from one to the next. Made at the first, for it is large. */
let scratch: ReturnType<typeof makeScratch> | undefined

const makeScratch = () => ({
  fft: new RealFft(window),
  far: createSpectrum(window),
  near: createSpectrum(window),
  correlation: new Float64Array(window),
})

export class DelaySearch {
  readonly #scratch = (scratch ??= makeScratch())
  /** The last second of each, the newest last. */
  readonly #far = new Float64Array(window)
  readonly #near = new Float64Array(window)
  readonly #average = createSpectrum(window)
  #sinceSearch = 0
  #candidate = -1
  #agreed = 0
  #found: number | undefined

  /** Samples at 8 kHz; undefined until it is known. */
  get delaySamples(): number | undefined {
    return this.#found
  }

  /** Take what was sent and what came back in the same moment. */
  process(far: Int16Array, near: Int16Array, count: number): void {
    append(this.#far, 0, far, count)
    append(this.#near, nearWindow, near, count)
    this.#sinceSearch += count
    if (this.#sinceSearch < (this.#found === undefined ? samplesBetweenFirst : samplesBetween)) return
    this.#sinceSearch = 0
    if (power(this.#far, 0) > leastPower && power(this.#near, nearWindow) > leastPower) this.#search()
  }

  #search(): void {
    const { fft, far, near, correlation } = this.#scratch
    fft.forward(this.#far, far)
    fft.forward(this.#near, near)
    const { re: fr, im: fi } = far
    const { re: nr, im: ni } = near
    const { re, im } = this.#average
    for (let k = lowestBin; k < highestBin; k++) {
      const farRe = fr[k] ?? 0
      const farIm = fi[k] ?? 0
      const nearRe = nr[k] ?? 0
      const nearIm = ni[k] ?? 0
      const crossRe = nearRe * farRe + nearIm * farIm
      const crossIm = nearIm * farRe - nearRe * farIm
      const weight = (1 - memory) / (Math.sqrt(crossRe * crossRe + crossIm * crossIm) + 1)
      re[k] = memory * (re[k] ?? 0) + weight * crossRe
      im[k] = memory * (im[k] ?? 0) + weight * crossIm
    }
    fft.inverse(this.#average, correlation)
    this.#judge(correlation)
  }

  #judge(correlation: Float64Array): void {
    let at = 0
    let highest = 0
    let total = 0
    for (let lag = 0; lag < longestDelay; lag++) {
      const magnitude = Math.abs(correlation[lag] ?? 0)
      total += magnitude
      if (magnitude > highest) {
        highest = magnitude
        at = lag
      }
    }
    if (highest < (clearPeak * total) / longestDelay) {
      this.#agreed = 0
      return
    }
    this.#agreed = Math.abs(at - this.#candidate) <= sameWithin ? this.#agreed + 1 : 1
    this.#candidate = at
    if (this.#agreed >= agreeing) this.#found = at
  }
}

/** Move what lies from `first` on to the left and put the new samples at the end. */
function append(ring: Float64Array, first: number, samples: Int16Array, count: number): void {
  ring.copyWithin(first, first + count)
  for (let i = 0; i < count; i++) ring[ring.length - count + i] = samples[i] ?? 0
}

function power(samples: Float64Array, first: number): number {
  let sum = 0
  for (let i = first; i < samples.length; i++) sum += (samples[i] ?? 0) ** 2
  return sum / (samples.length - first)
}
