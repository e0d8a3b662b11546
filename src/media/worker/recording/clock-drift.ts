/**
 * How fast a sender's clock runs beside ours, from when its packets come.
 *
 *   timeline.ts  ── position, arrival of each newest packet ─▶  the quickest of each window  ─▶  line: start, drift
 *
 * What a packet took is its way plus what it waited; the quickest of ten seconds waited hardly. The line through those is
 * its way, and how it rises is the difference of the clocks: a crystal may be 50 ppm off, 180 ms an hour. By Theil and
 * Sen: the median of all slopes between two windows, which a few bad windows do not move. All in ticks of the RTP clock.
 */

/** At first; doubled whenever there are too many. */
const windowSeconds = 10
const mostWindows = 64
/** Less time than this tells nothing about a clock, windows. */
const fewestWindows = 6
/** No crystal is that bad: it is something else. */
const mostDrift = 500e-6

interface Quickest {
  position: number
  transit: number
}

export interface ClockLine {
  /** How much earlier than by its own arrival the first packet would have come, had it not waited; 0 at least. */
  readonly waited: number
  /** Our ticks for one of the sender, minus 1: above 0 its clock is slow. Undefined while too little is known. */
  readonly drift: number | undefined
}

export class ClockDrift {
  #windowTicks: number
  readonly #windows: Quickest[] = []
  #firstTransit: number | undefined
  #firstPosition = 0

  constructor(clockRateHz: number) {
    this.#windowTicks = windowSeconds * clockRateHz
  }

  /** A packet came in its order. @param position What is said in it, from the first packet on. */
  see(position: number, arrival: number): void {
    const transit = arrival - position
    const last = this.#windows.at(-1)
    if (this.#firstTransit === undefined) {
      this.#firstTransit = transit
      this.#firstPosition = position
    }
    if (!last || this.#windowOf(position) > this.#windowOf(last.position)) {
      if (this.#windows.length >= mostWindows) this.#halve()
      this.#windows.push({ position, transit })
    } else if (transit < last.transit) {
      last.position = position
      last.transit = transit
    }
  }

  read(): ClockLine {
    const [first] = this.#windows
    if (!first || this.#firstTransit === undefined) return { waited: 0, drift: undefined }
    const drift = this.#slope()
    const quickest = first.transit - (drift ?? 0) * (first.position - this.#firstPosition)
    return { waited: Math.max(0, this.#firstTransit - quickest), drift }
  }

  #windowOf(position: number): number {
    return Math.floor(position / this.#windowTicks)
  }

  #halve(): void {
    this.#windowTicks *= 2
    const merged: Quickest[] = []
    for (const one of this.#windows) {
      const last = merged.at(-1)
      if (!last || this.#windowOf(one.position) > this.#windowOf(last.position)) merged.push(one)
      else if (one.transit < last.transit) merged[merged.length - 1] = one
    }
    this.#windows.splice(0, this.#windows.length, ...merged)
  }

  #slope(): number | undefined {
    const windows = this.#windows
    if (windows.length < fewestWindows) return undefined
    const slopes: number[] = []
    for (const [i, from] of windows.entries())
      for (const to of windows.slice(i + 1)) slopes.push((to.transit - from.transit) / (to.position - from.position))
    const median = slopes.toSorted((a, b) => a - b)[slopes.length >> 1] ?? 0
    return Math.abs(median) <= mostDrift ? median : undefined
  }
}
