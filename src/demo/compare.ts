/**
 * Is this recording what was said? Two answers, for two kinds of proof.
 *
 *   correlate   how alike two signals are at the best lag: for clients that resample, buffer or drop
 *   findRun     where one run of samples stands in another, exactly: for clients whose samples we know
 *
 * Signals are 16-bit samples of one rate. Knows no files and no calls.
 */

export interface Correlation {
  /** Normalised correlation at the best lag, -1..1; 0 when one of the two is silent. */
  readonly score: number
  /** Sample of `heard` at which the first sample of `reference` stands; negative when its beginning is missing. */
  readonly lagSamples: number
  /** Samples the two have in common at that lag. */
  readonly overlapSamples: number
}

/** An overlap shorter than this part of the shorter signal is no evidence: a few samples correlate by chance. */
const minOverlap = 0.5

/**
 * Best lag and normalised correlation of two signals, over all lags at which they overlap by half of the shorter.
 *
 * For each lag: sum(r[i] h[i+lag]) / sqrt(sum r[i]^2 * sum h[i+lag]^2), sums over the overlap. The numerators of all
 * lags come from one product of spectra (correlation theorem); the energies from running sums.
 */
export function correlate(reference: Int16Array, heard: Int16Array): Correlation {
  const nothing = { score: 0, lagSamples: 0, overlapSamples: 0 }
  const needed = Math.ceil(Math.min(reference.length, heard.length) * minOverlap)
  if (needed === 0) return nothing
  const products = crossProducts(reference, heard)
  const referenceEnergy = runningEnergy(reference)
  const heardEnergy = runningEnergy(heard)
  let best: Correlation = nothing
  for (let lag = needed - reference.length; lag <= heard.length - needed; lag++) {
    const from = Math.max(0, -lag)
    const until = Math.min(reference.length, heard.length - lag)
    const energy = between(referenceEnergy, from, until) * between(heardEnergy, from + lag, until + lag)
    if (energy === 0) continue
    const score = products(lag) / Math.sqrt(energy)
    if (score > best.score) best = { score, lagSamples: lag, overlapSamples: until - from }
  }
  return best
}

/**
 * Where `run` stands in `samples`, sample for sample.
 * @returns The first such position, or undefined. An empty run stands nowhere.
 */
export function findRun(run: Int16Array, samples: Int16Array): number | undefined {
  if (run.length === 0) return undefined
  const needle = Buffer.from(run.buffer, run.byteOffset, run.byteLength)
  const hay = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength)
  for (let at = hay.indexOf(needle); at >= 0; at = hay.indexOf(needle, at + 1)) if (at % 2 === 0) return at / 2
  return undefined
}

/** How a recorded channel differs from what was sent into it. */
export interface ChannelProof {
  /** Every sample sent is there, in one run, and nothing but silence around it. */
  readonly exact: boolean
  /** Where the sent samples start in the channel: the silence before the party's first packet. */
  readonly offsetSamples?: number
  readonly sentSamples: number
  readonly channelSamples: number
  readonly correlation: Correlation
}

/** Compare a recorded channel with the samples that were sent into it, silence included. */
export function proveChannel(sent: Int16Array, channel: Int16Array): ChannelProof {
  const offsetSamples = findRun(sent, channel)
  const exact =
    offsetSamples !== undefined &&
    channel.subarray(0, offsetSamples).every((sample) => sample === 0) &&
    channel.subarray(offsetSamples + sent.length).every((sample) => sample === 0)
  return {
    exact,
    ...(offsetSamples === undefined ? {} : { offsetSamples }),
    sentSamples: sent.length,
    channelSamples: channel.length,
    correlation: correlate(sent, channel),
  }
}

function runningEnergy(samples: Int16Array): Float64Array {
  const sums = new Float64Array(samples.length + 1)
  for (let i = 0; i < samples.length; i++) sums[i + 1] = at(sums, i) + at(samples, i) ** 2
  return sums
}

const between = (sums: Float64Array, from: number, until: number): number => at(sums, until) - at(sums, from)

/** sum(r[i] h[i+lag]) for every lag, read by lag. */
function crossProducts(reference: Int16Array, heard: Int16Array): (lag: number) => number {
  const size = 2 ** Math.ceil(Math.log2(reference.length + heard.length))
  const a = spectrum(reference, size)
  const b = spectrum(heard, size)
  // conj(A) * B, then the inverse transform as a forward one of the conjugate.
  const re = new Float64Array(size)
  const im = new Float64Array(size)
  for (let k = 0; k < size; k++) {
    re[k] = at(a.re, k) * at(b.re, k) + at(a.im, k) * at(b.im, k)
    im[k] = -(at(a.re, k) * at(b.im, k) - at(a.im, k) * at(b.re, k))
  }
  fft(re, im)
  return (lag) => at(re, lag < 0 ? lag + size : lag) / size
}

function spectrum(samples: Int16Array, size: number): { re: Float64Array; im: Float64Array } {
  const re = new Float64Array(size)
  const im = new Float64Array(size)
  re.set(samples)
  fft(re, im)
  return { re, im }
}

/** Discrete Fourier transform in place, radix 2 (Cooley and Tukey, 1965); the length is a power of two. */
export function fft(re: Float64Array, im: Float64Array): void {
  const size = re.length
  for (let i = 1, j = 0; i < size; i++) {
    let bit = size >> 1
    for (; j & bit; bit >>= 1) j ^= bit
    j ^= bit
    if (i < j) {
      swap(re, i, j)
      swap(im, i, j)
    }
  }
  for (let length = 2; length <= size; length *= 2) {
    const half = length / 2
    for (let k = 0; k < half; k++) {
      const angle = (-2 * Math.PI * k) / length
      const cos = Math.cos(angle)
      const sin = Math.sin(angle)
      for (let top = k; top < size; top += length) {
        const bottom = top + half
        const x = at(re, bottom) * cos - at(im, bottom) * sin
        const y = at(re, bottom) * sin + at(im, bottom) * cos
        re[bottom] = at(re, top) - x
        im[bottom] = at(im, top) - y
        re[top] = at(re, top) + x
        im[top] = at(im, top) + y
      }
    }
  }
}

function swap(values: Float64Array, i: number, j: number): void {
  const kept = at(values, i)
  values[i] = at(values, j)
  values[j] = kept
}

/** An element that is known to exist. */
const at = (values: Float64Array | Int16Array, index: number): number => values[index] as number
