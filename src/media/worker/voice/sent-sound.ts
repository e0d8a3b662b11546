/**
 * What a party was last let hear, kept for the echo of it: one frame.
 *
 *   Speaker ── put, each tick ─▶ here ── take, each tick ─▶ echo canceller
 *
 * The two happen in the same tick in any order, so that what is taken may be a tick old: as any echo is.
 */
import { Resampler } from '../../../codec/resample.ts'
import { frameSamples } from '../sound.ts'

export class SentSound {
  #frame = new Int16Array(0)
  /** Nothing was put since it was taken. */
  #taken = true
  #resampler: Resampler | undefined
  #from = 0
  #output = new Int16Array(0)
  /** Of it what is handed out. */
  #whole = this.#output

  /** @param frame 20 ms, undefined for silence; copied. */
  put(frame: Int16Array | undefined): void {
    this.#taken = frame === undefined
    if (!frame) return
    if (frame.length !== this.#frame.length) this.#frame = new Int16Array(frame.length)
    this.#frame.set(frame)
  }

  /** The frame at this rate, once; undefined when nothing was sent. Valid until the next call. */
  take(sampleRateHz: number): Int16Array | undefined {
    if (this.#taken) return undefined
    this.#taken = true
    const samples = frameSamples(sampleRateHz)
    if (this.#frame.length === samples) return this.#frame
    if (this.#frame.length !== this.#from || samples !== this.#whole.length) {
      this.#from = this.#frame.length
      this.#resampler = new Resampler(this.#frame.length * 50, sampleRateHz, this.#frame.length)
      // The resampler may ask for one sample more than comes out.
      this.#output = new Int16Array(samples + 1)
      this.#whole = this.#output.subarray(0, samples)
    }
    this.#resampler?.process(this.#frame, 0, this.#frame.length, this.#output, 0)
    return this.#whole
  }
}
