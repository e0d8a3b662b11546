/**
 * A source of sound at the rate that its reader works at.
 *
 *   source at any rate ─▶ here (one resampler for all readers of a rate) ─▶ mixer, encoder, tap at theirs
 */
import { Resampler } from '../../../codec/resample.ts'
import { frameSamples, type SoundSource } from '../sound.ts'

/** Views go when their source goes; a source has as many as there are rates among its readers. */
const views = new WeakMap<SoundSource, Map<number, AtRate>>()

/** The same sound at a rate that does not change, for all readers of that rate the same object. */
export function atRate(source: SoundSource, sampleRateHz: number): SoundSource {
  if (source instanceof AtRate && source.sampleRateHz === sampleRateHz) return source
  let ofSource = views.get(source)
  if (!ofSource) views.set(source, (ofSource = new Map()))
  let view = ofSource.get(sampleRateHz)
  if (!view) ofSource.set(sampleRateHz, (view = new AtRate(source, sampleRateHz)))
  return view
}

class AtRate implements SoundSource {
  readonly sampleRateHz: number
  readonly shared: boolean
  readonly #source: SoundSource
  readonly #output: Int16Array
  /** Of it what is handed out. */
  readonly #whole: Int16Array
  #tick = Number.NaN
  #frame: Int16Array | undefined
  #fromHz = 0
  #resampler: Resampler | undefined
  /** What is fed when nothing comes. */
  #silence = new Int16Array(0)
  /** The filter still holds the end of a sound. */
  #rings = false

  constructor(source: SoundSource, sampleRateHz: number) {
    this.#source = source
    this.sampleRateHz = sampleRateHz
    this.shared = source.shared ?? false
    // The resampler may ask for one sample more than comes out.
    this.#output = new Int16Array(frameSamples(sampleRateHz) + 1)
    this.#whole = this.#output.subarray(0, frameSamples(sampleRateHz))
  }

  read(tick: number): Int16Array | undefined {
    if (tick !== this.#tick) {
      if (tick !== this.#tick + 1) this.#begin()
      this.#tick = tick
      this.#frame = this.#next(tick)
    }
    return this.#frame
  }

  #next(tick: number): Int16Array | undefined {
    const frame = this.#source.read(tick)
    const fromHz = this.#source.sampleRateHz
    if (fromHz !== this.#fromHz) this.#rest()
    this.#fromHz = fromHz
    if (fromHz === this.sampleRateHz) return frame
    if (!frame && !this.#rings) return undefined
    this.#rings = frame !== undefined
    const input = frame ?? this.#silence
    if (!this.#resampler) {
      this.#resampler = new Resampler(fromHz, this.sampleRateHz, frameSamples(fromHz))
      this.#silence = new Int16Array(frameSamples(fromHz))
    }
    this.#resampler.process(input, 0, input.length, this.#output, 0)
    return this.#whole
  }

  /** After a pause, of which no trace is left in the filter. */
  #begin(): void {
    this.#source.wants?.(this.sampleRateHz)
    this.#rest()
  }

  #rest(): void {
    this.#resampler = undefined
    this.#rings = false
  }
}
