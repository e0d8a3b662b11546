/**
 * Loss concealment: sound for packets that did not come, made of the sound before them.
 *
 *   received ─▶ remembered (50 ms) ── loss ─▶ spectrum, pitch, what excites it ─▶ excited on, fading ─▶ joined to what comes
 *
 * The spectrum of the last 30 ms is taken as an all-pole filter (linear prediction); what went into it during the last
 * pitch period goes in again and again, the less alike the periods were the more of it in a random order, so that noise
 * stays noise. The filter goes on from the last samples: there is no step to hide, and no delay. Fades from 10 ms on,
 * silent after 100 ms. For any rate. Nothing allocates after construction. Measured in docs/media.md.
 */

/** Pitch periods looked for, ms (62 to 400 Hz), and the stretch compared, ms. */
const shortestPitchMs = 2.5
const longestPitchMs = 16
const comparedMs = 8
/** The pitch search skips this much at first. */
const coarseMs = 0.25
const rememberedMs = 50
/** The spectrum is that of so much sound, of which this share is faded in and the rest out. */
const spectrumMs = 30
const fadeInShare = 0.8
/** What excites noise is drawn from so much. */
const excitationMs = 20
/** Periods that correlate less are noise, those that do more are voice; in between is some of each. */
const noiseCorrelation = 0.3
const voiceCorrelation = 0.8
/** A little less than there was: what is guessed wrong is not as wrong then. */
const excitationGain = 0.9
/** Keeps resonances from ringing. */
const bandwidth = 0.995
/** Full level until here, none from there. */
const fadeFromMs = 10
const fadeUntilMs = 100
/** Overlap with the first sound after a gap: 4 ms, and 4 more for each 10 ms of gap, to 10 (after G.711 appendix I.2.8). */
const joinMs = 4
const longestJoinMs = 10
const joinStepMs = 10

/** Coefficients of the filter: enough for formants below half the rate. */
const orderFor = (sampleRateHz: number): number => (sampleRateHz <= 8000 ? 16 : sampleRateHz <= 16_000 ? 24 : 32)

export class Concealer {
  readonly #samplesPerMs: number
  readonly #history: Float32Array
  /** The sound behind the spectrum, faded in and out. */
  readonly #windowed: Float32Array
  readonly #window: Float32Array
  readonly #correlation: Float64Array
  /** The filter: a[1] to a[order], and the samples it made last, the newest first. */
  readonly #predictor: Float64Array
  readonly #before: Float64Array
  readonly #made: Float64Array
  /** What went into the filter during the last 20 ms; of its end the last period is repeated. */
  readonly #excitation: Float32Array
  #pitch = 0
  /** Shares of what is repeated and of what is drawn at random, by amplitude. */
  #voice = 0
  #noise = 0
  /** Noise, not a secret: a 32-bit xorshift generator does (Marsaglia, 2003). */
  #random = 1
  /** Samples made in this gap; 0 outside of one. */
  #count = 0

  constructor(sampleRateHz: number) {
    this.#samplesPerMs = sampleRateHz / 1000
    const order = orderFor(sampleRateHz)
    this.#history = new Float32Array(this.#samples(rememberedMs))
    this.#windowed = new Float32Array(this.#samples(spectrumMs))
    this.#window = this.#windowed.map((_, i) => fade((i + 0.5) / this.#windowed.length))
    this.#correlation = new Float64Array(order + 1)
    this.#predictor = new Float64Array(order + 1)
    this.#before = new Float64Array(order + 1)
    this.#made = new Float64Array(order)
    this.#excitation = new Float32Array(this.#samples(excitationMs))
  }

  #samples(ms: number): number {
    return Math.round(ms * this.#samplesPerMs)
  }

  /** Take note of samples that came. After a gap their beginning is changed: blended with what was made. */
  received(samples: Int16Array, from: number, count: number): void {
    if (this.#count > 0) this.#join(samples, from, count)
    this.#remember(samples, from, count)
  }

  /** Make `count` samples. */
  conceal(samples: Int16Array, to: number, count: number): void {
    if (this.#count === 0) this.#begin()
    for (let i = 0; i < count; i++) samples[to + i] = this.#make()
    this.#remember(samples, to, count)
  }

  #join(samples: Int16Array, from: number, count: number): void {
    const gapMs = this.#count / this.#samplesPerMs
    const wanted = Math.min(longestJoinMs, joinMs + joinMs * Math.floor(gapMs / joinStepMs))
    const length = Math.min(count, this.#samples(wanted))
    for (let i = 0; i < length; i++) {
      const share = (i + 1) / (length + 1)
      samples[from + i] = Math.round(share * (samples[from + i] ?? 0) + (1 - share) * this.#make())
    }
    this.#count = 0
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
    const end = history.length
    this.#predict()
    this.#findPitch()
    for (let i = 0; i < this.#made.length; i++) this.#made[i] = history[end - 1 - i] ?? 0
    const excitation = this.#excitation
    const first = end - excitation.length
    for (let i = 0; i < excitation.length; i++) {
      let sum = 0
      for (let j = 0; j < this.#predictor.length; j++) sum += (this.#predictor[j] ?? 0) * (history[first + i - j] ?? 0)
      excitation[i] = excitationGain * sum
    }
  }

  /** The next sample of the gap. */
  #make(): number {
    const ms = this.#count / this.#samplesPerMs
    const gain = ms < fadeFromMs ? 1 : (fadeUntilMs - ms) / (fadeUntilMs - fadeFromMs)
    const excitation = this.#excitation
    const repeated = excitation[excitation.length - this.#pitch + (this.#count % this.#pitch)] ?? 0
    this.#count++
    if (gain <= 0) return 0
    let value = this.#voice * repeated
    if (this.#noise > 0) value += this.#noise * (excitation[this.#draw() % excitation.length] ?? 0)
    const made = this.#made
    for (let j = 0; j < made.length; j++) value -= (this.#predictor[j + 1] ?? 0) * (made[j] ?? 0)
    for (let j = made.length - 1; j > 0; j--) made[j] = made[j - 1] ?? 0
    made[0] = value
    const sample = Math.round(value * gain)
    return sample > 32_767 ? 32_767 : sample < -32_768 ? -32_768 : sample
  }

  #draw(): number {
    let x = this.#random
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    this.#random = x
    return x >>> 0
  }

  /** The all-pole filter of the last sound, by the autocorrelation method (Levinson and Durbin). */
  #predict(): void {
    const windowed = this.#windowed
    const first = this.#history.length - windowed.length
    for (let i = 0; i < windowed.length; i++) windowed[i] = (this.#history[first + i] ?? 0) * (this.#window[i] ?? 0)
    const correlation = this.#correlation
    for (let lag = 0; lag < correlation.length; lag++) {
      let sum = 0
      for (let i = lag; i < windowed.length; i++) sum += (windowed[i] ?? 0) * (windowed[i - lag] ?? 0)
      correlation[lag] = sum
    }
    const a = this.#predictor
    a.fill(0)
    a[0] = 1
    // A floor 40 dB below the sound, so that a tone alone has a filter, too
    let error = (correlation[0] ?? 0) * 1.0001 + 1
    for (let i = 1; i < a.length; i++) {
      let sum = correlation[i] ?? 0
      for (let j = 1; j < i; j++) sum += (a[j] ?? 0) * (correlation[i - j] ?? 0)
      const k = -sum / error
      this.#before.set(a)
      for (let j = 1; j <= i; j++) a[j] = (this.#before[j] ?? 0) + k * (this.#before[i - j] ?? 0)
      error *= 1 - k * k
    }
    for (let j = 1; j < a.length; j++) a[j] = (a[j] ?? 0) * bandwidth ** j
  }

  /** The lag at which the last 8 ms are most like what was before: coarsely, then around the best to the sample. */
  #findPitch(): void {
    const shortest = this.#samples(shortestPitchMs)
    const longest = this.#samples(longestPitchMs)
    const coarse = this.#samples(coarseMs)
    let best = shortest
    let most = Number.NEGATIVE_INFINITY
    for (let lag = shortest; lag <= longest; lag += coarse) {
      const likeness = this.#likeness(lag, coarse)
      if (likeness > most) [best, most] = [lag, likeness]
    }
    const from = Math.max(shortest, best - coarse + 1)
    const to = Math.min(longest, best + coarse - 1)
    most = Number.NEGATIVE_INFINITY
    for (let lag = from; lag <= to; lag++) {
      const likeness = this.#likeness(lag, 1)
      if (likeness > most) [best, most] = [lag, likeness]
    }
    this.#pitch = best
    const voiced = (most - noiseCorrelation) / (voiceCorrelation - noiseCorrelation)
    this.#voice = Math.max(0, Math.min(1, voiced))
    this.#noise = Math.sqrt(1 - this.#voice ** 2)
  }

  /** Normalized correlation with the sound `lag` samples earlier. */
  #likeness(lag: number, step: number): number {
    const history = this.#history
    let product = 0
    let own = 0
    let earlier = 0
    for (let i = history.length - this.#samples(comparedMs); i < history.length; i += step) {
      const a = history[i] ?? 0
      const b = history[i - lag] ?? 0
      product += a * b
      own += a * a
      earlier += b * b
    }
    return own === 0 || earlier === 0 ? 0 : product / Math.sqrt(own * earlier)
  }
}

/** A sine up to the share that fades in, and a shorter one down. */
const fade = (place: number): number =>
  place < fadeInShare
    ? Math.sin((Math.PI / 2) * (place / fadeInShare))
    : Math.cos(((Math.PI / 2) * (place - fadeInShare)) / (1 - fadeInShare))
