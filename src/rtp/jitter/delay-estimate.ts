/**
 * How long packets should wait before they are played: from how late they come, compared with the fastest.
 *
 *   JitterBuffer ── transit of each packet ─▶  here  ── base, target, drift ─▶  VoiceDecoder
 *
 * The base is the least transit of the last ten seconds. A histogram of how much later packets come is forgotten with a
 * half life of 350 packets (7 s); what 99 in 100 stay below is waited for, and what spikes reach that come again and
 * again. How the least transit of each second moves over a minute is the drift of the sender's clock against ours.
 * After the design of NetEQ (relative delay, quantile, peaks). Nothing allocates after construction.
 */

/** A histogram of 2 ms steps to 1022 ms. */
const stepMs = 2
const steps = 512
const forget = 0.998
const quantile = 0.99
/** Weights grow instead of all others being made smaller; before they get too large all are. */
const mostWeight = 1e9
/** Before the first packets: as if a few had come so late. */
const supposedMs = 16
const supposedWeight = 5
/** The graph takes 20 ms at a time: the last of them must be here when the first is played, and a filter looks 2 ms ahead. */
const pulledMs = 22

/** A spike is so much later than the target, and is waited for when so many came within so long. */
const spikeMs = 20
const spikesRemembered = 8
const spikesNeeded = 3
const spikesWithinMs = 30_000

const baseSeconds = 10
const driftSeconds = 60
const leastDriftSeconds = 15
/** Clocks of phones are within 100 ppm; beyond this it is something else (a sender that makes packets in bursts). */
const mostDriftPpm = 500
/** When the least transit of a second is so far from that of the second before, the path is another, ms. */
const otherPathMs = 30

export class DelayEstimate {
  /** The transit that counts as no delay, ms on the clocks of both sides. */
  baseMs = 0
  /** How much later than at `baseMs` sound should be played, within the bounds. */
  targetMs: number
  /** The sender's clock is slower than ours by so many millionths, -500..500. */
  driftPpm = 0
  readonly #minMs: number
  readonly #maxMs: number
  readonly #histogram = new Float64Array(steps)
  #total = 0
  #weight = 1
  #untilTarget = 0
  readonly #spikesAtMs = new Float64Array(spikesRemembered).fill(Number.NEGATIVE_INFINITY)
  readonly #spikesMs = new Float64Array(spikesRemembered)
  #spikes = 0
  #spikeEndsMs = Number.NEGATIVE_INFINITY
  /** The least transit of each second: `#seconds` of them, the newest the one before `#second`. */
  readonly #minima = new Float64Array(driftSeconds)
  readonly #minimaAt = new Float64Array(driftSeconds)
  #seconds = 0
  /** The drift is measured from this one on. */
  #driftFrom = 0
  #second = Number.NEGATIVE_INFINITY
  #least = Number.POSITIVE_INFINITY
  /** Of the closed seconds that the base comes from. */
  #leastBefore = Number.POSITIVE_INFINITY

  /** @param minMs, maxMs Bounds of the target, 0..1000. */
  constructor(minMs: number, maxMs: number) {
    this.#minMs = minMs
    this.#maxMs = maxMs
    this.#count(supposedMs, supposedWeight)
    this.targetMs = this.#bounded(supposedMs + stepMs)
  }

  /** @param transitMs When the packet came minus when it was made, on clocks that need not agree. */
  packet(transitMs: number, nowMs: number): void {
    const second = Math.floor(nowMs / 1000)
    if (second !== this.#second) this.#closeSecond(second)
    if (transitMs < this.#least) this.#least = transitMs
    const before = this.baseMs
    this.baseMs = Math.min(this.#least, this.#leastBefore)
    if (this.baseMs - before > otherPathMs && this.#seconds > 0) this.#slower(this.baseMs - before)
    const lateMs = transitMs - this.baseMs
    this.#weight /= forget
    this.#count(lateMs, this.#weight)
    if (this.#weight > mostWeight) this.#shrink()
    if (lateMs > this.targetMs - pulledMs + spikeMs) this.#spike(lateMs, nowMs)
    // More at once, less now and then: to look costs more than to count
    if (lateMs > this.targetMs || this.#untilTarget-- <= 0) this.#aim(nowMs)
  }

  #count(lateMs: number, weight: number): void {
    const step = Math.min(steps - 1, Math.floor(lateMs / stepMs))
    this.#histogram[step] = (this.#histogram[step] ?? 0) + weight
    this.#total += weight
  }

  /** The path is longer now: what came late by the old base was not, or not so much. */
  #slower(byMs: number): void {
    const moved = Math.min(steps, Math.round(byMs / stepMs))
    let onTime = 0
    for (let step = 0; step < moved; step++) onTime += this.#histogram[step] ?? 0
    this.#histogram.copyWithin(0, moved)
    this.#histogram.fill(0, steps - moved)
    this.#histogram[0] = (this.#histogram[0] ?? 0) + onTime
    for (let i = 0; i < spikesRemembered; i++) this.#spikesMs[i] = Math.max(0, (this.#spikesMs[i] ?? 0) - byMs)
    this.#untilTarget = 0
  }

  #shrink(): void {
    for (let i = 0; i < steps; i++) this.#histogram[i] = (this.#histogram[i] ?? 0) / mostWeight
    this.#total /= mostWeight
    this.#weight /= mostWeight
  }

  #aim(nowMs: number): void {
    this.#untilTarget = 10
    let later = this.#total * (1 - quantile)
    let step = steps - 1
    while (step > 0 && later >= (this.#histogram[step] ?? 0)) later -= this.#histogram[step--] ?? 0
    let wantedMs = (step + 1) * stepMs
    let recent = 0
    let highestMs = 0
    for (let i = 0; i < spikesRemembered; i++) {
      if (nowMs - (this.#spikesAtMs[i] ?? 0) > spikesWithinMs) continue
      recent++
      highestMs = Math.max(highestMs, this.#spikesMs[i] ?? 0)
    }
    if (recent >= spikesNeeded) wantedMs = Math.max(wantedMs, highestMs)
    this.targetMs = this.#bounded(wantedMs)
  }

  #bounded(lateMs: number): number {
    return Math.max(this.#minMs, Math.min(this.#maxMs, lateMs + pulledMs))
  }

  /** The packets of one spike come in a row, the first the latest. */
  #spike(lateMs: number, nowMs: number): void {
    const isAnother = nowMs > this.#spikeEndsMs
    this.#spikeEndsMs = nowMs + lateMs
    const index = isAnother ? this.#spikes++ % spikesRemembered : (this.#spikes - 1) % spikesRemembered
    this.#spikesMs[index] = isAnother ? lateMs : Math.max(lateMs, this.#spikesMs[index] ?? 0)
    this.#spikesAtMs[index] = nowMs
  }

  #closeSecond(second: number): void {
    if (second - this.#second > baseSeconds) {
      // What was before a long pause is not what is
      this.#seconds = 0
      this.#driftFrom = 0
      this.#leastBefore = Number.POSITIVE_INFINITY
    } else this.#keepLeast()
    this.#second = second
    this.#least = Number.POSITIVE_INFINITY
  }

  #keepLeast(): void {
    const before = this.#minima[(this.#seconds - 1) % driftSeconds] ?? this.#least
    if (Math.abs(this.#least - before) > otherPathMs) this.#driftFrom = this.#seconds
    this.#minima[this.#seconds % driftSeconds] = this.#least
    this.#minimaAt[this.#seconds % driftSeconds] = this.#second
    this.#seconds++
    this.#leastBefore = Number.POSITIVE_INFINITY
    for (let i = Math.max(0, this.#seconds - baseSeconds + 1); i < this.#seconds; i++)
      this.#leastBefore = Math.min(this.#leastBefore, this.#minima[i % driftSeconds] ?? 0)
    this.#measureDrift()
  }

  /** Slope of the least transits, by least squares. */
  #measureDrift(): void {
    const from = Math.max(this.#driftFrom, this.#seconds - driftSeconds)
    const count = this.#seconds - from
    if (count < leastDriftSeconds) return
    let meanAt = 0
    let mean = 0
    for (let i = from; i < this.#seconds; i++) {
      meanAt += (this.#minimaAt[i % driftSeconds] ?? 0) / count
      mean += (this.#minima[i % driftSeconds] ?? 0) / count
    }
    let product = 0
    let square = 0
    for (let i = from; i < this.#seconds; i++) {
      const at = (this.#minimaAt[i % driftSeconds] ?? 0) - meanAt
      product += at * ((this.#minima[i % driftSeconds] ?? 0) - mean)
      square += at * at
    }
    const ppm = (1000 * product) / square
    this.driftPpm = Math.max(-mostDriftPpm, Math.min(mostDriftPpm, ppm))
  }
}
