/**
 * Several sounds one after the other as one: read on, or from anywhere, without a gap between them.
 *
 *   SoundStore ── pieces of a second ─▶ here ── samples ─▶ Player
 */
import type { SoundError } from '../sounds/recorded.ts'
import type { StoredSound } from '../sounds/store.ts'

/** Pieces of so many short sounds are asked for at once. */
const mostAhead = 50

export class Reel {
  readonly sampleRateHz: number
  /** Of all sounds together. */
  readonly samples: number
  readonly #sounds: readonly StoredSound[]
  /** Where each sound begins. */
  readonly #starts: readonly number[]
  /** Of the next sample. */
  #position = 0
  /** The sound and second that were read last, kept here though the store may have given them up. */
  #at = -1
  #index = -1
  #piece: Int16Array | undefined

  /** @param sounds At least one, all of one rate; `close` releases them. */
  constructor(sounds: readonly StoredSound[], sampleRateHz: number) {
    this.sampleRateHz = sampleRateHz
    this.#sounds = sounds
    let end = 0
    this.#starts = sounds.map(({ samples }) => {
      const start = end
      end += samples
      return start
    })
    this.samples = end
  }

  get position(): number {
    return this.#position
  }

  get ended(): boolean {
    return this.#position >= this.samples
  }

  /** Why it does not go on. */
  get failure(): SoundError | undefined {
    return this.#sounds[this.#soundAt(this.#position)]?.failure
  }

  /** Go on from there; what lies there is fetched. */
  seek(position: number): void {
    this.#position = Math.max(0, Math.min(position, this.samples))
    for (const [sound, index] of this.#ahead()) sound.piece(index)
  }

  /** Resolves when a second of it can be read from where it is, or never can. */
  async ready(): Promise<void> {
    await Promise.all(Array.from(this.#ahead(), ([sound, index]) => sound.ready(index)))
  }

  /** @returns Samples written: fewer than `count` at the end, and where what comes next is not there yet. */
  take(output: Int16Array, to: number, count: number): number {
    let taken = 0
    while (taken < count && !this.ended) {
      const at = this.#soundAt(this.#position)
      const offset = this.#position - (this.#starts[at] ?? 0)
      const index = Math.floor(offset / this.sampleRateHz)
      if ((at !== this.#at || index !== this.#index) && !this.#turnTo(at, index)) break
      const piece = this.#piece
      const from = offset - index * this.sampleRateHz
      const some = Math.min(count - taken, (piece?.length ?? 0) - from)
      if (!piece || some <= 0) break
      for (let i = 0; i < some; i++) output[to + taken + i] = piece[from + i] ?? 0
      taken += some
      this.#position += some
    }
    return taken
  }

  #turnTo(at: number, index: number): boolean {
    const piece = this.#sounds[at]?.piece(index)
    if (!piece) return false
    if (this.#index >= 0) this.#sounds[this.#at]?.passed(this.#index)
    this.#at = at
    this.#index = index
    this.#piece = piece
    for (const [sound, second] of this.#ahead()) sound.piece(second)
    return true
  }

  /** What is read within the next second; after the end what is at the beginning, for it may be played in rounds. */
  *#ahead(): Generator<readonly [StoredSound, number]> {
    const end = this.#position + this.sampleRateHz
    let position = this.#position
    for (let pieces = 0; position <= end && pieces < mostAhead; pieces++) {
      const at = this.#soundAt(position)
      const sound = this.#sounds[at]
      if (!sound) return
      const start = position >= this.samples ? position : (this.#starts[at] ?? 0)
      const index = Math.floor((position - start) / this.sampleRateHz)
      yield [sound, index]
      position = start + Math.min(sound.samples, (index + 1) * this.sampleRateHz)
    }
  }

  /** Which sound a position lies in; the first one again at the end, for what is played in rounds. */
  #soundAt(position: number): number {
    if (position >= this.samples) return this.#soundAt(0)
    for (let at = this.#sounds.length - 1; at > 0; at--) {
      // A sound may be empty: the one after it begins at the same place.
      if (position >= (this.#starts[at] ?? 0) && (this.#sounds[at]?.samples ?? 0) > 0) return at
    }
    return this.#sounds.findIndex(({ samples }) => samples > 0)
  }

  close(): void {
    for (const sound of this.#sounds) sound.release()
  }
}
