/**
 * What the peer of a port hears, as sound: a base, and what is laid over it.
 *
 *   the bridged party's voice, a mixer, music ── base ──▶  here ─▶ Encoded ─▶ packets; a tap of what goes out
 *   prompts, tones, a whisper, an agent ─────── over ─▶
 *
 * While there is no more than the voice of the bridged party, its packets go across undecoded and nobody reads here.
 */
import { addSaturated } from '../../../codec/mix.ts'
import { frameSamples, type SoundSource } from '../sound.ts'
import { atRate } from './at-rate.ts'

/** `instead`: the base is not heard meanwhile. `over`: both are. */
export type Laying = 'instead' | 'over'

interface Layer {
  readonly source: SoundSource
  readonly how: Laying
}

/** More at once is a mistake, and nobody could follow it. */
const mostLayers = 16

export class Heard implements SoundSource {
  /** Undefined: nothing but what is laid over it. */
  base: SoundSource | undefined
  /** Another array when one begins or ends: a sound may end while it is read. */
  #layers: readonly Layer[] = []
  /** Of the codec that goes out; undefined while no sound is made of it. */
  #encodedHz: number | undefined
  /** The highest that a reader works at. */
  #wantedHz = 8000
  /** Made when there is something to mix. */
  #mixed: Int16Array | undefined
  #tick = Number.NaN
  #frame: Int16Array | undefined

  get sampleRateHz(): number {
    return this.#encodedHz ?? this.#wantedHz
  }

  /** It is encoded at this rate from now on; undefined: not at all, for the peer hears packets as they come. */
  encodeAt(sampleRateHz: number | undefined): void {
    const before = this.sampleRateHz
    this.#encodedHz = sampleRateHz
    this.#changed(before)
  }

  wants(sampleRateHz: number): void {
    const before = this.sampleRateHz
    this.#wantedHz = Math.max(this.#wantedHz, sampleRateHz)
    this.#changed(before)
  }

  #changed(beforeHz: number): void {
    if (this.sampleRateHz === beforeHz) return
    this.#mixed = undefined
    this.#tick = Number.NaN
  }

  /** The highest rate of all that is heard. */
  get richestHz(): number {
    let most = this.base?.sampleRateHz ?? 0
    for (const { source } of this.#layers) most = Math.max(most, source.sampleRateHz)
    return most
  }

  /** Something is laid over the base. */
  get layered(): boolean {
    return this.#layers.length > 0
  }

  /** No more can be laid over it. */
  get full(): boolean {
    return this.#layers.length >= mostLayers
  }

  /** What alone is heard, when it is one thing. */
  get only(): SoundSource | undefined {
    const first = this.#layers[0]
    if (!first) return this.base
    return this.#layers.length === 1 && (first.how === 'instead' || !this.base) ? first.source : undefined
  }

  /**
   * Lay a sound over the base; of several all are heard.
   *
   * @returns Takes it away again; twice is fine.
   * @throws {RangeError} for the seventeenth at once.
   */
  lay(source: SoundSource, how: Laying): () => void {
    if (this.full) throw new RangeError(`more than ${mostLayers} sounds over each other`)
    const layer = { source, how }
    this.#layers = [...this.#layers, layer]
    return () => {
      this.#layers = this.#layers.filter((each) => each !== layer)
    }
  }

  read(tick: number): Int16Array | undefined {
    if (tick !== this.#tick) {
      this.#tick = tick
      this.#frame = this.#mix(tick)
    }
    return this.#frame
  }

  #mix(tick: number): Int16Array | undefined {
    let sum: Int16Array | undefined
    let hidden = false
    // Each is read at each tick, for reading is what makes it go on.
    for (const { source, how } of this.#layers) {
      hidden ||= how === 'instead'
      sum = this.#add(sum, atRate(source, this.sampleRateHz).read(tick))
    }
    return hidden || !this.base ? sum : this.#add(sum, atRate(this.base, this.sampleRateHz).read(tick))
  }

  #add(sum: Int16Array | undefined, frame: Int16Array | undefined): Int16Array | undefined {
    if (!sum || !frame) return sum ?? frame
    const mixed = (this.#mixed ??= new Int16Array(frameSamples(this.sampleRateHz)))
    // The first two are somebody else's frames.
    if (sum !== mixed) mixed.set(sum)
    addSaturated(mixed, 0, frame, 0, frame.length)
    return mixed
  }
}
