/**
 * How loud a finished recording is heard, and the gain that makes it as loud as others.
 *
 *   samples ─▶ K-weighting ─▶ blocks of 400 ms ─▶ gates ─▶ integrated loudness, LUFS ─▶ gain, bound by the peak
 *
 * ITU-R BS.1770-5 and EBU R 128: blocks below -70 LUFS, and those 10 LU below the mean of the rest, do not count, so
 * that pauses make nobody quiet. One channel; the filters are made for each rate. Nothing allocates after construction.
 */

/** Two poles, two zeros; the memory is the caller's. */
interface Biquad {
  readonly b0: number
  readonly b1: number
  readonly b2: number
  readonly a1: number
  readonly a2: number
}

/** BS.1770 annex 1, the head as a shelf: the analogue filter behind the tables for 48 kHz, brought to any rate. */
function shelf(sampleRateHz: number): Biquad {
  const k = Math.tan((Math.PI * 1681.974450955533) / sampleRateHz)
  const q = 0.7071752369554196
  const high = 10 ** (3.999843853973347 / 20)
  const band = high ** 0.4996667741545416
  const a0 = 1 + k / q + k * k
  return {
    b0: (high + (band * k) / q + k * k) / a0,
    b1: (2 * (k * k - high)) / a0,
    b2: (high - (band * k) / q + k * k) / a0,
    a1: (2 * (k * k - 1)) / a0,
    a2: (1 - k / q + k * k) / a0,
  }
}

/** The second filter: what is low is heard less. */
function highPass(sampleRateHz: number): Biquad {
  const k = Math.tan((Math.PI * 38.13547087602444) / sampleRateHz)
  const q = 0.5003270373238773
  const a0 = 1 + k / q + k * k
  return { b0: 1, b1: -2, b2: 1, a1: (2 * (k * k - 1)) / a0, a2: (1 - k / q + k * k) / a0 }
}

/** Loudness of a mean square of 1, full scale. */
const offset = -0.691
const absoluteGate = -70
const relativeGate = -10
/** A block is four steps long: 400 ms, a new one each 100 ms. */
const stepsPerSecond = 10
/** Blocks are counted in classes of 0.1 LU from the absolute gate to +5 LUFS: a day takes no more room than a minute. */
const classWidth = 0.1
const classes = 750

export class LoudnessMeter {
  readonly #shelf: Biquad
  readonly #highPass: Biquad
  /** The last two inputs and outputs of both filters. */
  readonly #memory = new Float64Array(8)
  readonly #stepSamples: number
  #inStep = 0
  #stepEnergy = 0
  /** Energies of the last four steps. */
  readonly #steps = new Float64Array(4)
  #stepCount = 0
  readonly #blocks = new Uint32Array(classes)
  #peak = 0

  constructor(sampleRateHz: number) {
    this.#shelf = shelf(sampleRateHz)
    this.#highPass = highPass(sampleRateHz)
    this.#stepSamples = Math.round(sampleRateHz / stepsPerSecond)
  }

  /** Largest magnitude so far, dBov; -Infinity before any sound. */
  get peakDbov(): number {
    return 20 * Math.log10(this.#peak / 32_768)
  }

  process(samples: Int16Array, from = 0, count = samples.length - from): void {
    for (let i = from; i < from + count; i++) {
      const sample = samples[i] ?? 0
      const magnitude = Math.abs(sample)
      if (magnitude > this.#peak) this.#peak = magnitude
      const heard = this.#filter(sample / 32_768)
      this.#stepEnergy += heard * heard
      if (++this.#inStep === this.#stepSamples) this.#endStep()
    }
  }

  #filter(input: number): number {
    const m = this.#memory
    const s = this.#shelf
    const middle = s.b0 * input + s.b1 * (m[0] ?? 0) + s.b2 * (m[1] ?? 0) - s.a1 * (m[2] ?? 0) - s.a2 * (m[3] ?? 0)
    m[1] = m[0] ?? 0
    m[0] = input
    m[3] = m[2] ?? 0
    m[2] = middle
    const h = this.#highPass
    const output = h.b0 * middle + h.b1 * (m[4] ?? 0) + h.b2 * (m[5] ?? 0) - h.a1 * (m[6] ?? 0) - h.a2 * (m[7] ?? 0)
    m[5] = m[4] ?? 0
    m[4] = middle
    m[7] = m[6] ?? 0
    m[6] = output
    return output
  }

  #endStep(): void {
    this.#steps[this.#stepCount++ % 4] = this.#stepEnergy / this.#stepSamples
    this.#stepEnergy = 0
    this.#inStep = 0
    if (this.#stepCount < 4) return
    const mean = this.#steps.reduce((sum, energy) => sum + energy, 0) / 4
    const at = Math.floor((loudnessOf(mean) - absoluteGate) / classWidth)
    if (at >= 0) this.#blocks[Math.min(classes - 1, at)] = (this.#blocks[Math.min(classes - 1, at)] ?? 0) + 1
  }

  /** Integrated loudness of all so far, LUFS, to 0.05 LU; undefined when less than 400 ms of it was loud enough. */
  integrated(): number | undefined {
    const ungated = this.#meanFrom(0)
    if (ungated === undefined) return undefined
    const gate = loudnessOf(ungated) + relativeGate
    const energy = this.#meanFrom(Math.max(0, Math.ceil((gate - absoluteGate) / classWidth)))
    return energy === undefined ? undefined : loudnessOf(energy)
  }

  /** Mean energy of the blocks of this class and louder ones. */
  #meanFrom(first: number): number | undefined {
    let energy = 0
    let count = 0
    for (let at = first; at < classes; at++) {
      const blocks = this.#blocks[at] ?? 0
      energy += blocks * 10 ** ((absoluteGate + (at + 0.5) * classWidth - offset) / 10)
      count += blocks
    }
    return count === 0 ? undefined : energy / count
  }
}

const loudnessOf = (meanSquare: number): number => offset + 10 * Math.log10(meanSquare)

export interface NormaliseOptions {
  /** EBU R 128 takes -23 for programmes; -16 is usual for speech heard on telephones and the web. */
  readonly targetLufs: number
  /** No sample goes beyond it: EBU R 128 asks for -1 dB. */
  readonly peakDbov?: number
  readonly mostGainDb?: number
}

/** The gain that brings what was measured to the target, no more than its peak bears; 0 dB for silence. */
export function normalisingGainDb(meter: LoudnessMeter, options: NormaliseOptions): number {
  const { targetLufs, peakDbov = -1, mostGainDb = 30 } = options
  const loudness = meter.integrated()
  if (loudness === undefined) return 0
  return Math.min(targetLufs - loudness, peakDbov - meter.peakDbov, mostGainDb)
}

/** Normalise one whole sound in place; the gain that was used. */
export function normalise(samples: Int16Array, sampleRateHz: number, options: NormaliseOptions): number {
  const meter = new LoudnessMeter(sampleRateHz)
  meter.process(samples)
  const gainDb = normalisingGainDb(meter, options)
  const gain = 10 ** (gainDb / 20)
  for (let i = 0; i < samples.length; i++) samples[i] = Math.round((samples[i] ?? 0) * gain)
  return gainDb
}
