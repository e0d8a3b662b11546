/**
 * Makes tones: some sines at once, on and off by a cadence, of any rate.
 *
 *   player, port ── make ─▶ here ─▶ samples
 *
 * Edges rise and fall over 2 ms, so that nothing clicks. Nothing allocates after construction. Tones by name: tones.ts.
 */

export interface Tone {
  readonly parts: readonly {
    readonly frequencyHz: number
    /** Of this sine alone; 3.14 dBm0 is the loudest that G.711 mu-law carries. */
    readonly levelDbm0: number
  }[]
  /** On, off, on, ...: an even number of times, repeated. Absent: on all the time. */
  readonly cadenceMs?: readonly number[]
}

/** ITU-T G.711 table 5: a sine of this peak, out of 32768, is 0 dBm0 (3.17 dB under mu-law's largest, as 14 bits). */
const peakOf0Dbm0 = 32_124 / 10 ** (3.17 / 20)
const edgeMs = 2

/** Peak of a sine of a level in dBm0, in 16-bit samples. */
export const tonePeak = (levelDbm0: number): number => peakOf0Dbm0 * 10 ** (levelDbm0 / 20)

export class ToneSource {
  readonly #peaks: Float64Array
  /** Turns for each sample, and where each sine is, 0 to 1. */
  readonly #turns: Float64Array
  readonly #phases: Float64Array
  /** Ends of the on and off times within one round, in samples; none for a steady tone. */
  readonly #ends: readonly number[]
  readonly #edge: number
  /** Samples from the start of the round, made so far. */
  #at = 0

  constructor(tone: Tone, sampleRateHz: number) {
    this.#peaks = Float64Array.from(tone.parts, ({ levelDbm0 }) => tonePeak(levelDbm0))
    this.#turns = Float64Array.from(tone.parts, ({ frequencyHz }) => frequencyHz / sampleRateHz)
    this.#phases = new Float64Array(tone.parts.length)
    let end = 0
    this.#ends = (tone.cadenceMs ?? []).map((ms) => (end += Math.round((ms * sampleRateHz) / 1000)))
    this.#edge = Math.round((edgeMs * sampleRateHz) / 1000)
  }

  /** Make the next `count` samples. */
  make(samples: Int16Array, to: number, count: number): void {
    for (let i = 0; i < count; i++) {
      const gain = this.#gain()
      let sum = 0
      for (let part = 0; part < this.#peaks.length; part++) {
        const phase = this.#phases[part] ?? 0
        if (gain > 0) sum += (this.#peaks[part] ?? 0) * Math.sin(2 * Math.PI * phase)
        const next = phase + (this.#turns[part] ?? 0)
        this.#phases[part] = next >= 1 ? next - 1 : next
      }
      const sample = Math.round(gain * sum)
      samples[to + i] = sample > 32_767 ? 32_767 : sample < -32_768 ? -32_768 : sample
      this.#at++
    }
  }

  /** 0 when off, 1 when on, between them at the edges. */
  #gain(): number {
    const ends = this.#ends
    const round = ends.at(-1)
    if (round === undefined) return Math.min(1, this.#at / this.#edge)
    if (this.#at >= round) this.#at = 0
    let index = 0
    while (this.#at >= (ends[index] ?? round)) index++
    if (index % 2 === 1) return 0
    const start = ends[index - 1] ?? 0
    return Math.min(1, (this.#at - start) / this.#edge, ((ends[index] ?? 0) - this.#at) / this.#edge)
  }
}
