/**
 * Hears DTMF digits in sound, for lines whose equipment sends no telephone-events (RFC 4733).
 *
 *   samples at 8 kHz ─▶ windows of 12.75 ms, every 6.4 ms ─▶ two tones? right pitch? level? ─▶ long enough? ─▶ digit
 *
 * Takes what ITU-T Q.24 (table A-1) asks receivers to take: tones within 1.5 % (refused beyond 3.5 %), of 40 ms or more
 * with pauses of 40 ms (23 ms are no digit, breaks of 10 ms join), 4 dB of twist one way and 8 dB the other, with noise
 * 15 dB below. Speech is refused by pitch: the phase of each tone must turn from window to window as that tone's does.
 * Nothing allocates after construction. Other rates: resample first.
 */
import { tonePeak } from './tone.ts'
import { digitAt, highGroupHz, lowGroupHz } from './tones.ts'

const sampleRateHz = 8000
/** Goertzel's filters tell neighbours of 73 Hz apart with windows of 8000 / 78 samples. */
const windowSamples = 102
const hopSamples = 51
/** Of both tones together in the window; the rest is noise, speech, or a tone off its pitch (0.72 of it is left at 1.5 %). */
const leastShare = 0.6
/** Between the 1.5 % that must be taken and the 3.5 % that must not. */
const mostDetune = 0.025
/** Q.24 with 2 dB for what windows at an edge do to a tone. */
const highAboveLowDb = 4 + 2
const lowAboveHighDb = 8 + 2
/** Each tone; Q.24 wants -25 dBm taken, and off-pitch ones lose 1.5 dB. */
const leastDbm0 = -28
/** Windows that lie in the tone by two thirds, but for the first, whose phase has none to be compared with: 4 or 5 of 40 ms, at most 3 of 23. */
const hopsForDigit = 4
/** A break of 10 ms spoils 3 windows, a pause of 40 ms at least 6. */
const hopsForPause = 4

/** What a window holds that is no digit: too little for one, or something else. */
const none = -1
const unclear = -2

const tonesHz = [...lowGroupHz, ...highGroupHz]

const power = (db: number): number => 10 ** (db / 10)
/** Power of a tone's Goertzel bin: (peak * N / 2)^2. */
const leastPower = ((tonePeak(leastDbm0) * windowSamples) / 2) ** 2

/** How each tone turns in one hop, 0 to 1; and a filter's factor and last step. */
const turnsPerHop = tonesHz.map((hz) => (hz * hopSamples) / sampleRateHz)
const factors = Float64Array.from(tonesHz, (hz) => 2 * Math.cos((2 * Math.PI * hz) / sampleRateHz))
const cosines = Float64Array.from(tonesHz, (hz) => Math.cos((2 * Math.PI * hz) / sampleRateHz))
const sines = Float64Array.from(tonesHz, (hz) => Math.sin((2 * Math.PI * hz) / sampleRateHz))
/** Turns in one hop that a tone at the edge of what is taken differs by. */
const mostTurns = tonesHz.map((hz) => (mostDetune * hz * hopSamples) / sampleRateHz)

export class DtmfDetector {
  readonly #onDigit: (digit: string) => void
  readonly #window = new Float64Array(windowSamples)
  /** Samples of the window that are new. */
  #fresh = 0
  readonly #powers = new Float64Array(tonesHz.length)
  /** In turns, of this window and the one before. */
  readonly #phases = new Float64Array(tonesHz.length)
  readonly #phasesBefore = new Float64Array(tonesHz.length)
  /** What is heard, and in how many windows; how many in a row did not have it. */
  #heard = none
  #hops = 0
  #missed = 0

  /** @param onDigit Told each digit once, about 45 ms after it began. */
  constructor(onDigit: (digit: string) => void) {
    this.#onDigit = onDigit
  }

  /**
   * Listen to the next `count` samples.
   * @param madeUp Not all of it came: a digit that is not heard in it may go on.
   */
  listen(samples: Int16Array, from: number, count: number, madeUp = false): void {
    const window = this.#window
    for (let i = 0; i < count; i++) {
      window[windowSamples - hopSamples + this.#fresh++] = samples[from + i] ?? 0
      if (this.#fresh < hopSamples) continue
      this.#fresh = 0
      this.#count(this.#judge(), madeUp)
      window.copyWithin(0, hopSamples)
    }
  }

  /** A digit counts once: when heard for long enough, until there was a pause or another one. */
  #count(judged: number, madeUp: boolean): void {
    const found = judged === unclear ? none : judged
    if (found === this.#heard) {
      this.#missed = 0
      if (found >= 0 && ++this.#hops === hopsForDigit) this.#onDigit(digitAt(found >> 2, found & 3))
      return
    }
    const counted = this.#hops >= hopsForDigit
    if (counted && judged === unclear && madeUp) return
    if (++this.#missed < (counted ? hopsForPause : 2)) return
    this.#heard = found
    this.#hops = found >= 0 ? 1 : 0
    this.#missed = 0
  }

  /** Row and column of the digit in this window, as 4 * row + column; `none` or `unclear`. */
  #judge(): number {
    let energy = 0
    for (let i = 0; i < windowSamples; i++) energy += (this.#window[i] ?? 0) ** 2
    // Too quiet for two tones: nothing to analyse, which is nearly always
    if (energy * windowSamples < 4 * leastPower) return none
    this.#phasesBefore.set(this.#phases)
    for (let tone = 0; tone < tonesHz.length; tone++) this.#goertzel(tone)
    const low = this.#strongest(0)
    const high = this.#strongest(4)
    const lowPower = this.#powers[low] ?? 0
    const highPower = this.#powers[high] ?? 0
    if (Math.min(lowPower, highPower) < leastPower) return unclear
    if (highPower > lowPower * power(highAboveLowDb) || lowPower > highPower * power(lowAboveHighDb)) return unclear
    if ((2 / windowSamples) * (lowPower + highPower) < leastShare * energy) return unclear
    return this.#inTune(low) && this.#inTune(high) ? 4 * low + high - 4 : unclear
  }

  /** Goertzel's filter over the window, for power and phase. */
  #goertzel(tone: number): void {
    const window = this.#window
    const factor = factors[tone] ?? 0
    let last = 0
    let before = 0
    for (let i = 0; i < windowSamples; i++) {
      const next = (window[i] ?? 0) + factor * last - before
      before = last
      last = next
    }
    const real = last - (cosines[tone] ?? 0) * before
    const imaginary = (sines[tone] ?? 0) * before
    this.#powers[tone] = real * real + imaginary * imaginary
    this.#phases[tone] = Math.atan2(imaginary, real) / (2 * Math.PI)
  }

  #strongest(first: number): number {
    let best = first
    for (let tone = first + 1; tone < first + 4; tone++)
      if ((this.#powers[tone] ?? 0) > (this.#powers[best] ?? 0)) best = tone
    return best
  }

  /** The phase turned since the window before as this tone's does, but for what 2.5 % of its pitch make. */
  #inTune(tone: number): boolean {
    const turned = (this.#phases[tone] ?? 0) - (this.#phasesBefore[tone] ?? 0) - (turnsPerHop[tone] ?? 0)
    return Math.abs(turned - Math.round(turned)) <= (mostTurns[tone] ?? 0)
  }
}
