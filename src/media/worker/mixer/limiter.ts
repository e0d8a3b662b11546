/**
 * Keeps a sum of voices within 16 bits: softly, so that neither clipping nor pumping is heard.
 *
 *   mixer ── sum, 32 bits ─▶ here ─▶ frame
 *
 * What stays below the ceiling passes unchanged. Above it the gain falls as far as needed: the frame is looked at before
 * it is scaled, in steps of 2.5 ms, and the gain runs in straight lines between them. It is held for a while and then
 * comes back slowly. What a frame brings at its very start, before the gain can have fallen, is bent instead of cut.
 * Nothing allocates after construction.
 */

/** -1 dB of full scale. */
const ceiling = 29_205
const full = 32_767
/** Of a frame. */
const steps = 8
const stepMs = 2.5
const holdSteps = 100 / stepMs
/** The gain comes back with this time constant, ms: slower than syllables. */
const releaseMs = 200

/** At most `full`, and the same slope as the straight line where it begins. */
function bend(value: number): number {
  const size = value < 0 ? -value : value
  if (size <= ceiling) return value
  const over = size - ceiling
  const room = full - ceiling
  const bent = ceiling + (room * over) / (room + over)
  return value < 0 ? -bent : bent
}

export class Limiter {
  readonly #targets = new Float64Array(steps)
  /** At the end of what was made last. */
  #gain = 1
  /** Steps for which the gain stays, should nothing louder come. */
  #held = 0

  /** 1 when nothing is turned down. */
  get gain(): number {
    return this.#gain
  }

  /** Go on where another limiter is: who changes from one to the other hears no step. */
  follow(other: Limiter): void {
    this.#gain = other.#gain
    this.#held = other.#held
  }

  /** Make a frame of `count` samples, a multiple of 8. */
  process(sum: Int32Array, count: number, output: Int16Array): void {
    const length = count / steps
    const targets = this.#targets
    let quiet = true
    for (let step = 0; step < steps; step++) {
      let peak = 0
      for (let i = step * length; i < (step + 1) * length; i++) {
        const value = sum[i] ?? 0
        if (value > peak) peak = value
        else if (-value > peak) peak = -value
      }
      targets[step] = peak > ceiling ? ceiling / peak : 1
      if (peak > ceiling) quiet = false
    }
    if (quiet && this.#gain === 1) for (let i = 0; i < count; i++) output[i] = sum[i] ?? 0
    else for (let step = 0; step < steps; step++) this.#scale(sum, output, step, length)
  }

  #scale(sum: Int32Array, output: Int16Array, step: number, length: number): void {
    const from = this.#gain
    const target = Math.min(this.#targets[step] ?? 1, this.#targets[step + 1] ?? 1)
    const to = this.#gainAfter(from, target)
    for (let i = 0; i < length; i++) {
      const gain = from + ((to - from) * (i + 1)) / length
      output[step * length + i] = Math.round(bend(gain * (sum[step * length + i] ?? 0)))
    }
    this.#gain = to
  }

  #gainAfter(from: number, target: number): number {
    if (target <= from) {
      if (target < 1) this.#held = holdSteps
      return target
    }
    if (this.#held > 0) {
      this.#held--
      return from
    }
    const back = from + (1 - from) * (stepMs / releaseMs)
    return Math.min(target, back > 0.999 ? 1 : back)
  }
}
