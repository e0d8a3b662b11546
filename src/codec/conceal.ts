/**
 * Loss concealment: sound for packets that did not come, made of the sound before them.
 *
 *   received ─▶ remembered (48.75 ms) ── loss ─▶ pitch found ─▶ last periods repeated, fading ─▶ joined to what comes next
 *
 * After ITU-T G.711 Appendix I, for any rate. Departs from it in two ways: it adds no delay (Appendix I holds back
 * 3.75 ms to blend the start of a gap; here the step at the start is faded out instead), and it searches the pitch at
 * a quarter of a millisecond first. Silence after 60 ms. Nothing allocates after construction.
 */

/** Pitch periods looked for, ms (I.2.3: 66 to 200 Hz), and the stretch compared, ms. */
const shortestPitchMs = 5
const longestPitchMs = 15
const comparedMs = 20
/** Three longest periods and a quarter of one to blend with. */
const rememberedMs = 48.75
/** After each of these the sound repeats one period more, up to three, and from the first on it fades by a fifth (I.2.7). */
const stageMs = 10
const fadePerStage = 0.2
/** Overlap with the first sound after a gap: 4 ms, and 4 more for each 10 ms of gap, to 10 (I.2.8). */
const joinMs = 4
const longestJoinMs = 10
/** The pitch search skips this much at first. */
const coarseMs = 0.25

export class Concealer {
  readonly #samplesPerMs: number
  readonly #history: Float32Array
  /** One, two and three last periods, their ends blended so that they can be repeated. */
  readonly #loops: readonly Float32Array[]
  #pitch = 0
  /** Step from the last sample to the first made one, faded out over a quarter of a period. */
  #step = 0
  /** Samples made in this gap; 0 outside of one. */
  #made = 0

  constructor(sampleRateHz: number) {
    this.#samplesPerMs = sampleRateHz / 1000
    this.#history = new Float32Array(this.#samples(rememberedMs) + 1)
    const longest = this.#samples(longestPitchMs)
    this.#loops = [1, 2, 3].map((periods) => new Float32Array(periods * longest))
  }

  #samples(ms: number): number {
    return Math.round(ms * this.#samplesPerMs)
  }

  /** Take note of samples that came. After a gap their beginning is changed: blended with what was made. */
  received(samples: Int16Array, from: number, count: number): void {
    if (this.#made > 0) this.#join(samples, from, count)
    this.#remember(samples, from, count)
  }

  /** Make `count` samples. */
  conceal(samples: Int16Array, to: number, count: number): void {
    if (this.#made === 0) this.#begin()
    for (let i = 0; i < count; i++) samples[to + i] = this.#make(this.#made + i)
    this.#made += count
    this.#remember(samples, to, count)
  }

  #join(samples: Int16Array, from: number, count: number): void {
    const gapMs = this.#made / this.#samplesPerMs
    const wanted = Math.min(longestJoinMs, joinMs + joinMs * Math.floor(gapMs / stageMs))
    const length = Math.min(count, this.#samples(wanted))
    for (let i = 0; i < length; i++) {
      const share = (i + 1) / (length + 1)
      samples[from + i] = Math.round(share * (samples[from + i] ?? 0) + (1 - share) * this.#make(this.#made + i))
    }
    this.#made = 0
  }

  #remember(samples: Int16Array, from: number, count: number): void {
    const history = this.#history
    const kept = Math.min(count, history.length)
    history.copyWithin(0, kept)
    const start = history.length - kept
    const first = from + count - kept
    for (let i = 0; i < kept; i++) history[start + i] = samples[first + i] ?? 0
  }

  #begin(): void {
    const history = this.#history
    this.#pitch = this.#findPitch()
    const pitch = this.#pitch
    const blend = pitch >> 2
    const end = history.length
    this.#step = (history[end - 1] ?? 0) - (history[end - 1 - pitch] ?? 0)
    for (const [index, loop] of this.#loops.entries()) {
      const length = (index + 1) * pitch
      for (let i = 0; i < length; i++) loop[i] = history[end - length + i] ?? 0
      // The end of the loop turns into what came before its beginning
      for (let i = 0; i < blend; i++) {
        const share = (i + 1) / (blend + 1)
        const before = history[end - length - blend + i] ?? 0
        loop[length - blend + i] = (1 - share) * (loop[length - blend + i] ?? 0) + share * before
      }
    }
  }

  /** The n-th sample of the gap. */
  #make(n: number): number {
    const stage = this.#samples(stageMs)
    const stages = n / stage
    const gain = stages < 1 ? 1 : 1 - fadePerStage * (stages - 1)
    if (gain <= 0) return 0
    const blend = this.#pitch >> 2
    const index = Math.min(2, Math.floor(stages))
    let value = this.#looped(index, n)
    const since = n - index * stage
    if (since < blend) {
      const share = since / blend
      const before = index === 0 ? value + this.#step : this.#looped(index - 1, n)
      value = share * value + (1 - share) * before
    }
    value = Math.round(value * gain)
    return value > 32_767 ? 32_767 : value < -32_768 ? -32_768 : value
  }

  #looped(index: number, n: number): number {
    return this.#loops[index]?.[n % ((index + 1) * this.#pitch)] ?? 0
  }

  /** The lag at which the last 20 ms are most like what was before: coarsely, then around the best to the sample. */
  #findPitch(): number {
    const shortest = this.#samples(shortestPitchMs)
    const longest = this.#samples(longestPitchMs)
    const coarse = this.#samples(coarseMs)
    let best = shortest
    let bestLikeness = Number.NEGATIVE_INFINITY
    for (let lag = shortest; lag <= longest; lag += coarse) {
      const likeness = this.#likeness(lag, coarse)
      if (likeness > bestLikeness) [best, bestLikeness] = [lag, likeness]
    }
    const around = best
    bestLikeness = Number.NEGATIVE_INFINITY
    const last = Math.min(longest, around + coarse - 1)
    for (let lag = Math.max(shortest, around - coarse + 1); lag <= last; lag++) {
      const likeness = this.#likeness(lag, 1)
      if (likeness > bestLikeness) [best, bestLikeness] = [lag, likeness]
    }
    return best
  }

  /** Correlation with the sound `lag` samples earlier, normalized by the energy of that. */
  #likeness(lag: number, step: number): number {
    const history = this.#history
    let product = 0
    let energy = 0
    for (let i = history.length - this.#samples(comparedMs); i < history.length; i += step) {
      const earlier = history[i - lag] ?? 0
      product += (history[i] ?? 0) * earlier
      energy += earlier * earlier
    }
    return energy === 0 ? 0 : product / Math.sqrt(energy)
  }
}
