/**
 * The echo path learned: a filter in partitions of one frame, adapted in the frequency domain (PBFDAF).
 *
 *   what was sent ─▶ spectra of the last frames × weights ─▶ the echo as expected
 *   what came back − expected = error ─▶ weights
 *
 * Two filters (K. Ochiai, 1977): one always learns, the other is heard and takes over what was learned when that is better
 * for a while, so that somebody who speaks into the echo spoils nothing that is heard. How fast it learns is told for each
 * frequency by how much of the error is still echo (J.-M. Valin, On Adjusting the Learning Rate in Frequency Domain Echo
 * Cancellation With Double-Talk, 2007): 0 while somebody else speaks.
 * Overlap-save: a transform of at least two frames; of its output the last frame is valid. Nothing allocates after construction.
 */
import { createSpectrum, RealFft, type Spectrum } from '../fft.ts'

/** Smoothing of the spectra whose changes are compared, and of the comparison itself, for each frame. */
const spectrumMemory = 0.9
const leakMemory = 0.98
const fastestStep = 0.3
/** While nothing is known yet the filter learns at this rate, until it has heard so many frames of sound. */
const firstStep = 0.3
const firstFrames = 50
/** Never less leak than this is believed. */
const leastLeak = 0.005
/** As if so much leaked at least: the path may change, and clocks that differ change it all the time. */
const leastLearned = 0.3
/** Mean square of a frame, 16 bits, under which nothing is learned from it: -65 dBov. */
const leastPower = 32_768 ** 2 * 10 ** -6.5
/** Share of a partition without echo, beside that of the one with the most. */
const leastShare = 0.1
/** The learning filter takes over when it leaves so much less, over some frames. */
const betterBy = 0.8
const comparisonMemory = 0.8
/** It has lost its way when it leaves so much more than the heard one; it starts again from that. */
const worseBy = 4

export class AdaptiveFilter {
  /** What the heard filter expects, and what it leaves. */
  readonly echo: Float64Array
  readonly error: Float64Array
  /** Share of the expected echo that is still in the error, 0 to 1. */
  leak = 1
  readonly #frame: number
  readonly #size: number
  readonly #partitions: number
  readonly #fft: RealFft
  readonly #window: Float64Array
  readonly #time: Float64Array
  /** Ring of what was sent: `#newest` is the last frame's. */
  readonly #sent: readonly Spectrum[]
  #newest = 0
  readonly #learning: readonly Spectrum[]
  readonly #heard: readonly Spectrum[]
  readonly #product: Spectrum
  readonly #learnedEcho: Float64Array
  readonly #learnedError: Float64Array
  readonly #errorSpectrum: Spectrum
  readonly #echoSpectrum: Spectrum
  /** Power of what was sent, in all partitions, by bin. */
  readonly #power: Float64Array
  /** How much of the learning is each partition's; they add up to 1. */
  readonly #shares: Float64Array
  readonly #echoPower: Float64Array
  readonly #errorPower: Float64Array
  #crossChange = 1
  #echoChange = 1
  readonly #leastRatio = new Least()
  #learnedFrames = 0
  #nextConstrained = 0
  /** Smoothed energies of the two errors, and of what came back. */
  #learnedEnergy = 0
  #heardEnergy = 0
  #nearEnergy = 0

  /**
   * @param frame Samples of each frame.
   * @param partitions Frames that the echo path is long.
   */
  constructor(frame: number, partitions: number) {
    this.#frame = frame
    this.#partitions = partitions
    this.#size = 2 ** Math.ceil(Math.log2(2 * frame))
    this.#fft = new RealFft(this.#size)
    const bins = this.#size / 2 + 1
    const spectra = (): Spectrum[] => Array.from({ length: partitions }, () => createSpectrum(this.#size))
    this.#sent = spectra()
    this.#learning = spectra()
    this.#heard = spectra()
    this.#product = createSpectrum(this.#size)
    this.#errorSpectrum = createSpectrum(this.#size)
    this.#echoSpectrum = createSpectrum(this.#size)
    this.#window = new Float64Array(this.#size)
    this.#time = new Float64Array(this.#size)
    this.#power = new Float64Array(bins)
    this.#shares = new Float64Array(partitions).fill(1 / partitions)
    this.#echoPower = new Float64Array(bins)
    this.#errorPower = new Float64Array(bins)
    this.echo = new Float64Array(frame)
    this.error = new Float64Array(frame)
    this.#learnedEcho = new Float64Array(frame)
    this.#learnedError = new Float64Array(frame)
  }

  /** Forget the path: it is another one now. */
  reset(): void {
    clearAll(this.#learning)
    clearAll(this.#heard)
    clearAll(this.#sent)
    this.#window.fill(0)
    this.#errorPower.fill(0)
    this.#echoPower.fill(0)
    this.#learnedFrames = 0
    this.#crossChange = 1
    this.#echoChange = 1
    this.#leastRatio.reset()
    this.leak = 1
  }

  /** One frame of each, the newest that was sent as it may first be heard in what came back. Results are in `echo` and `error`. */
  process(sent: Float64Array, near: Float64Array): void {
    this.#take(sent)
    this.#expect(this.#heard, near, this.echo, this.error)
    this.#expect(this.#learning, near, this.#learnedEcho, this.#learnedError)
    this.#compare(near)
    if (meanSquare(sent) < leastPower) return
    this.#learn()
  }

  #take(sent: Float64Array): void {
    const window = this.#window
    window.copyWithin(0, this.#frame)
    window.set(sent, this.#size - this.#frame)
    this.#newest = (this.#newest + this.#partitions - 1) % this.#partitions
    this.#fft.forward(window, this.#sentBefore(0))
    this.#power.fill(0)
    for (let p = 0; p < this.#partitions; p++) addPower(this.#power, this.#sentBefore(p), this.#shares[p] ?? 0)
  }

  #sentBefore(frames: number): Spectrum {
    return this.#sent[(this.#newest + frames) % this.#partitions] as Spectrum
  }

  #expect(weights: readonly Spectrum[], near: Float64Array, echo: Float64Array, error: Float64Array): void {
    const product = this.#product
    product.re.fill(0)
    product.im.fill(0)
    for (let p = 0; p < this.#partitions; p++) addProduct(product, this.#sentBefore(p), weights[p] as Spectrum)
    this.#fft.inverse(product, this.#time)
    const first = this.#size - this.#frame
    for (let i = 0; i < this.#frame; i++) {
      const expected = this.#time[first + i] ?? 0
      echo[i] = expected
      error[i] = (near[i] ?? 0) - expected
    }
  }

  /** Which filter leaves less; whoever is clearly better is taken by the other. */
  #compare(near: Float64Array): void {
    this.#learnedEnergy = smoothed(this.#learnedEnergy, meanSquare(this.#learnedError))
    this.#heardEnergy = smoothed(this.#heardEnergy, meanSquare(this.error))
    this.#nearEnergy = smoothed(this.#nearEnergy, meanSquare(near))
    if (this.#learnedEnergy < betterBy * this.#heardEnergy && this.#learnedEnergy < this.#nearEnergy) {
      copyAll(this.#learning, this.#heard)
      this.#heardEnergy = this.#learnedEnergy
      this.echo.set(this.#learnedEcho)
      this.error.set(this.#learnedError)
    } else if (this.#heardEnergy > 2 * this.#nearEnergy) {
      // It adds instead of taking away: the path has changed
      this.reset()
      this.echo.fill(0)
      this.error.set(near)
      this.#heardEnergy = this.#nearEnergy
      this.#learnedEnergy = this.#nearEnergy
    } else if (this.#learnedEnergy > worseBy * this.#heardEnergy) {
      copyAll(this.#heard, this.#learning)
      this.#learnedEnergy = this.#heardEnergy
    }
  }

  #learn(): void {
    this.#spectrumOf(this.#learnedError, this.#errorSpectrum)
    this.#spectrumOf(this.#learnedEcho, this.#echoSpectrum)
    this.#estimateLeak()
    const first = this.#learnedFrames < firstFrames
    if (first) this.#learnedFrames++
    const { re: er, im: ei } = this.#errorSpectrum
    const { re: yr, im: yi } = this.#echoSpectrum
    const step = this.#product.re
    const leak = Math.max(leastLearned, this.leak)
    for (let k = 0; k < er.length; k++) {
      const error = (er[k] ?? 0) ** 2 + (ei[k] ?? 0) ** 2
      const echo = (yr[k] ?? 0) ** 2 + (yi[k] ?? 0) ** 2
      const rate = first ? firstStep : Math.min(fastestStep, (leak * echo) / (error + 1))
      // Of a transform of `size` only a frame is error
      step[k] = ((this.#size / this.#frame) * rate) / ((this.#power[k] ?? 0) + leastPower * this.#frame)
    }
    for (let p = 0; p < this.#partitions; p++)
      addGradient(this.#learning[p] as Spectrum, this.#sentBefore(p), this.#errorSpectrum, step, this.#shares[p] ?? 0)
    this.#share()
    this.#constrain(this.#nextConstrained)
    this.#nextConstrained = (this.#nextConstrained + 1) % this.#partitions
  }

  /**
   * Partitions in which the echo is learn faster, those where nothing is hardly move (proportionate NLMS; D. Duttweiler,
   * 2000): few of them matter, and an echo that drifts with the clocks of two devices is followed.
   */
  #share(): void {
    const shares = this.#shares
    let sum = 0
    let most = 0
    for (let p = 0; p < this.#partitions; p++) {
      const { re, im } = this.#learning[p] as Spectrum
      let energy = 0
      for (let k = 0; k < re.length; k++) energy += (re[k] ?? 0) ** 2 + (im[k] ?? 0) ** 2
      shares[p] = Math.sqrt(energy)
      most = Math.max(most, shares[p] ?? 0)
    }
    for (let p = 0; p < this.#partitions; p++) {
      shares[p] = (shares[p] ?? 0) + leastShare * most + 1e-9
      sum += shares[p] ?? 0
    }
    for (let p = 0; p < this.#partitions; p++) shares[p] = (shares[p] ?? 0) / sum
  }

  #spectrumOf(samples: Float64Array, spectrum: Spectrum): void {
    this.#time.fill(0)
    this.#time.set(samples, this.#size - this.#frame)
    this.#fft.forward(this.#time, spectrum)
  }

  /** How far changes of the expected echo show in the error: as far as they do, the filter is wrong. */
  #estimateLeak(): void {
    const { re: er, im: ei } = this.#errorSpectrum
    const { re: yr, im: yi } = this.#echoSpectrum
    let cross = 0
    let own = 0
    let errorTotal = 1
    let echoTotal = 1
    for (let k = 0; k < er.length; k++) {
      const error = (er[k] ?? 0) ** 2 + (ei[k] ?? 0) ** 2
      const echo = (yr[k] ?? 0) ** 2 + (yi[k] ?? 0) ** 2
      const errorChange = error - (this.#errorPower[k] ?? 0)
      const echoChange = echo - (this.#echoPower[k] ?? 0)
      cross += errorChange * echoChange
      own += echoChange * echoChange
      errorTotal += error
      echoTotal += echo
      this.#errorPower[k] = spectrumMemory * (this.#errorPower[k] ?? 0) + (1 - spectrumMemory) * error
      this.#echoPower[k] = spectrumMemory * (this.#echoPower[k] ?? 0) + (1 - spectrumMemory) * echo
    }
    // While something else is louder than the echo, little can be told from it
    const change = (1 - leakMemory) * Math.min(1, echoTotal / errorTotal)
    this.#crossChange += change * (cross - this.#crossChange)
    this.#echoChange += change * (own - this.#echoChange)
    const least = this.#leastRatio.process(errorTotal / echoTotal)
    this.leak = Math.max(leastLeak, Math.min(1, Math.max(this.#crossChange / this.#echoChange, least)))
  }

  /** A partition is no longer than a frame: what the transform smeared beyond is cut off, one partition at a time. */
  #constrain(partition: number): void {
    const weights = this.#learning[partition] as Spectrum
    this.#fft.inverse(weights, this.#time)
    this.#time.fill(0, this.#frame)
    this.#fft.forward(this.#time, weights)
  }
}

/** Frames over which the least is looked for: between one and two seconds of sound that was sent. */
const leastFrames = 100
const ratioMemory = 0.8

/**
 * The least that error to echo came to lately. What somebody says into the echo makes the ratio larger for a while; what
 * remains when nobody does is what the filter leaves.
 */
class Least {
  #smooth = 1
  #before = 1
  #now = 1
  #frames = 0

  reset(): void {
    this.#smooth = 1
    this.#before = 1
    this.#now = 1
    this.#frames = 0
  }

  process(ratio: number): number {
    this.#smooth = ratioMemory * this.#smooth + (1 - ratioMemory) * Math.min(1, ratio)
    this.#now = Math.min(this.#now, this.#smooth)
    if (++this.#frames >= leastFrames) {
      this.#before = this.#now
      this.#now = this.#smooth
      this.#frames = 0
    }
    return Math.min(this.#before, this.#now)
  }
}

function meanSquare(samples: Float64Array): number {
  let sum = 0
  for (const sample of samples) sum += sample * sample
  return sum / samples.length
}

const smoothed = (before: number, now: number): number => comparisonMemory * before + (1 - comparisonMemory) * now

function addPower(sum: Float64Array, { re, im }: Spectrum, share: number): void {
  for (let k = 0; k < sum.length; k++) sum[k] = (sum[k] ?? 0) + share * ((re[k] ?? 0) ** 2 + (im[k] ?? 0) ** 2)
}

function addProduct(sum: Spectrum, a: Spectrum, b: Spectrum): void {
  const { re, im } = sum
  const { re: ar, im: ai } = a
  const { re: br, im: bi } = b
  for (let k = 0; k < re.length; k++) {
    const xr = ar[k] ?? 0
    const xi = ai[k] ?? 0
    const wr = br[k] ?? 0
    const wi = bi[k] ?? 0
    re[k] = (re[k] ?? 0) + xr * wr - xi * wi
    im[k] = (im[k] ?? 0) + xr * wi + xi * wr
  }
}

/** weights += share × step × conj(sent) × error */
function addGradient(weights: Spectrum, sent: Spectrum, error: Spectrum, step: Float64Array, share: number): void {
  const { re, im } = weights
  const { re: xr, im: xi } = sent
  const { re: er, im: ei } = error
  for (let k = 0; k < re.length; k++) {
    const rate = share * (step[k] ?? 0)
    const a = xr[k] ?? 0
    const b = xi[k] ?? 0
    const c = er[k] ?? 0
    const d = ei[k] ?? 0
    re[k] = (re[k] ?? 0) + rate * (a * c + b * d)
    im[k] = (im[k] ?? 0) + rate * (a * d - b * c)
  }
}

function copyAll(from: readonly Spectrum[], to: readonly Spectrum[]): void {
  for (let p = 0; p < from.length; p++) {
    to[p]?.re.set(from[p]?.re ?? [])
    to[p]?.im.set(from[p]?.im ?? [])
  }
}

function clearAll(spectra: readonly Spectrum[]): void {
  for (const { re, im } of spectra) {
    re.fill(0)
    im.fill(0)
  }
}
