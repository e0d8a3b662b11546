/**
 * A limiter: no sample leaves above the ceiling, and nothing is cut off to get there.
 *
 *   samples × gain ─▶ blocks of 2.5 ms, one kept back ─▶ gain bent to fit the loudest ─▶ 16 bits
 *
 * The gain goes in a straight line from block to block, down before the peak comes, up again by 40 dB a second.
 * Nothing allocates after construction.
 */

/** 10 dB from the overload of a telephone's A-law to what headphones like: -1 dBov leaves room for codecs that overshoot. */
const ceiling = 32_767 * 10 ** (-1 / 20)
const blockMs = 2.5
/** Factor of 40 dB a second in one block. */
const release = 10 ** ((40 * blockMs) / 1000 / 20)

export class Limiter {
  readonly delayMs = blockMs
  readonly #block: number
  /** The block that is kept back, with the gain of the stage before already on it. */
  readonly #held: Float32Array
  /** Gain at the end of what left last, and what the held block allows. */
  #gain = 1
  #allowed = 1

  constructor(sampleRateHz: number) {
    this.#block = (sampleRateHz * blockMs) / 1000
    this.#held = new Float32Array(this.#block)
  }

  /** dB by which the last sample was lowered; 0 when nothing was too loud. */
  get reductionDb(): number {
    return -20 * Math.log10(this.#gain)
  }

  /** Limit in place what has been amplified: `samples` in, 16 bits out, 2.5 ms later. Both a multiple of 2.5 ms long. */
  process(samples: Float32Array, output: Int16Array): void {
    const block = this.#block
    const held = this.#held
    for (let at = 0; at < output.length; at += block) {
      let peak = 0
      for (let i = at; i < at + block; i++) peak = Math.max(peak, Math.abs(samples[i] ?? 0))
      const next = peak > ceiling ? ceiling / peak : 1
      // At the end of the held block the gain must fit it, and the one that follows
      const target = Math.min(this.#allowed, next, this.#gain * release)
      const start = Math.min(this.#gain, this.#allowed)
      const step = (target - start) / block
      for (let i = 0; i < block; i++) {
        output[at + i] = Math.round((held[i] ?? 0) * (start + step * (i + 1)))
        held[i] = samples[at + i] ?? 0
      }
      this.#gain = target
      this.#allowed = next
    }
  }
}
