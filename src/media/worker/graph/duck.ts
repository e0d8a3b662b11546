/**
 * One sound over another, which becomes quiet as long as the first is heard.
 *
 *   agent, prompt ─▶ Duck ─▶ Heard
 *   who else is heard ─▶
 *
 * Quiet within 40 ms; loud again half a second after the last sound, softly: pauses between words do not let it up.
 */
import { gainFactor } from '../../../codec/mix.ts'
import { frameMs, frameSamples, type SoundSource } from '../sound.ts'
import { atRate } from '../voice/at-rate.ts'

const fallTicks = 2
const holdTicks = 500 / frameMs
const riseTicks = 400 / frameMs

export class Duck implements SoundSource {
  readonly sampleRateHz: number
  readonly #over: SoundSource
  readonly #under: () => SoundSource | undefined
  readonly #low: number
  #gain = 1
  #held = 0
  #ended: (() => void) | undefined
  readonly #output: Int16Array
  #tick = Number.NaN
  #frame: Int16Array | undefined

  /**
   * @param under What is heard beneath at the time.
   * @param byDb How much quieter that becomes, above 0.
   * @param sampleRateHz As rich as the richer of the two, as far as it can be heard.
   */
  constructor(over: SoundSource, under: () => SoundSource | undefined, byDb: number, sampleRateHz = over.sampleRateHz) {
    this.sampleRateHz = sampleRateHz
    this.#over = atRate(over, sampleRateHz)
    this.#under = under
    this.#low = gainFactor(-byDb)
    this.#output = new Int16Array(frameSamples(sampleRateHz))
  }

  /** The sound over the other is over: `done` is told when the other is as loud as before. */
  end(done: () => void): void {
    this.#held = 0
    this.#ended = done
  }

  read(tick: number): Int16Array | undefined {
    if (tick !== this.#tick) {
      this.#tick = tick
      this.#frame = this.#next(tick)
    }
    return this.#frame
  }

  #next(tick: number): Int16Array | undefined {
    const over = this.#over.read(tick)
    const from = this.#gain
    const to = this.#nextGain(over !== undefined)
    this.#gain = to
    if (to === 1) this.#ended?.()
    const source = this.#under()
    const under = source && atRate(source, this.sampleRateHz).read(tick)
    if (!under) return over
    const output = this.#output
    const step = (to - from) / output.length
    for (let i = 0; i < output.length; i++) {
      const value = Math.round((under[i] ?? 0) * (from + step * (i + 1))) + (over?.[i] ?? 0)
      output[i] = value > 32_767 ? 32_767 : value < -32_768 ? -32_768 : value
    }
    return output
  }

  #nextGain(sounds: boolean): number {
    if (sounds) {
      this.#held = holdTicks
      return Math.max(this.#low, this.#gain - (1 - this.#low) / fallTicks)
    }
    if (this.#held > 0) {
      this.#held--
      return this.#gain
    }
    return Math.min(1, this.#gain + (1 - this.#low) / riseTicks)
  }
}
