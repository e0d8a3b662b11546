/**
 * The sounds of a worker, in pieces of a second: read ahead, kept for the next who plays them, bounded.
 *
 *   Reel ── piece(n) ─▶ here: there, or on its way ── read ─▶ Recorded
 *
 * A file that a thousand callers hear is read and resampled once. Files are open only as long as somebody plays them;
 * one that was changed is another. Least recently asked pieces go first when there is no room.
 */
import { stat } from 'node:fs/promises'
import type { Sound } from '../../graph/types.ts'
import { openSound } from './open.ts'
import { type Recorded, SoundError } from './recorded.ts'

/** Samples kept for all players of a worker: 32 MB. */
const mostKept = 16 * 1024 * 1024

interface Kept {
  readonly owner: StoredSound
  readonly index: number
  readonly samples: number
}

export class SoundStore {
  /** Files by what they are; others are not shared. */
  readonly #shared = new Map<string, StoredSound>()
  /** From the one least recently asked for. */
  readonly #kept = new Map<Int16Array, Kept>()
  readonly #most: number
  #samples = 0

  constructor(most = mostKept) {
    this.#most = most
  }

  get keptSamples(): number {
    return this.#samples
  }

  /**
   * To be released by whoever opened it.
   * @throws {SoundError}
   */
  async open(sound: Sound, sampleRateHz: number): Promise<StoredSound> {
    const key = await keyOf(sound, sampleRateHz)
    const known = key === undefined ? undefined : this.#shared.get(key)
    if (known) return known.again()
    const recorded = await openSound(sound, sampleRateHz)
    const meanwhile = key === undefined ? undefined : this.#shared.get(key)
    if (meanwhile) {
      await recorded.close()
      return meanwhile.again()
    }
    const stored = new StoredSound(recorded, {
      store: this,
      shared: key !== undefined,
      reopen: () => openSound(sound, sampleRateHz),
      gone: () => {
        if (key !== undefined && this.#shared.get(key) === stored) this.#shared.delete(key)
      },
    })
    if (key !== undefined) this.#shared.set(key, stored)
    return stored.again()
  }

  /** For stored sounds: a piece came, or was asked for again. */
  keep(owner: StoredSound, index: number, piece: Int16Array): void {
    if (!this.#kept.delete(piece)) this.#samples += piece.length
    this.#kept.set(piece, { owner, index, samples: piece.length })
    for (const [oldest, { owner: from, index: at, samples }] of this.#kept) {
      if (this.#samples <= this.#most || oldest === piece) return
      this.#kept.delete(oldest)
      this.#samples -= samples
      from.forget(at)
    }
  }

  /** For stored sounds: nobody can ask for it again. */
  drop(piece: Int16Array): void {
    if (this.#kept.delete(piece)) this.#samples -= piece.length
  }
}

async function keyOf(sound: Sound, sampleRateHz: number): Promise<string | undefined> {
  if (!('file' in sound)) return undefined
  try {
    const { mtimeMs, size, ino } = await stat(sound.file)
    return JSON.stringify([sound.file, sound.raw ?? null, ino, mtimeMs, size, sampleRateHz])
  } catch (cause) {
    throw new SoundError('media.sound-missing', { cause })
  }
}

/** Where a stored sound belongs. */
interface Place {
  readonly store: SoundStore
  /** Others may ask for it later. */
  readonly shared: boolean
  readonly reopen: () => Promise<Recorded>
  /** Nothing of it is left. */
  readonly gone: () => void
}

export class StoredSound {
  readonly sampleRateHz: number
  readonly samples: number
  /** It could not be read any further. */
  failure: SoundError | undefined
  readonly #place: Place
  readonly #pieces = new Map<number, Int16Array>()
  readonly #coming = new Set<number>()
  /** One read at a time. */
  #reading: Promise<Recorded | undefined>
  #users = 0

  constructor(recorded: Recorded, place: Place) {
    this.#place = place
    this.sampleRateHz = recorded.sampleRateHz
    this.samples = recorded.samples
    this.#reading = Promise.resolve(recorded)
  }

  again(): this {
    this.#users++
    return this
  }

  /** Second `index` of it; undefined when it is on its way, or there is none. */
  piece(index: number): Int16Array | undefined {
    const piece = this.#pieces.get(index)
    if (piece) this.#place.store.keep(this, index, piece)
    else if (index * this.sampleRateHz < this.samples) this.#fetch(index)
    return piece
  }

  /** Resolves when second `index` is there, or cannot be read. */
  async ready(index: number): Promise<void> {
    if (!this.piece(index)) await this.#reading
  }

  #fetch(index: number): void {
    if (this.#coming.has(index) || this.failure) return
    this.#coming.add(index)
    const before = this.#reading
    this.#reading = this.#read(before, index)
  }

  async #read(before: Promise<Recorded | undefined>, index: number): Promise<Recorded | undefined> {
    let recorded = await before
    try {
      recorded ??= await this.#place.reopen()
      const from = index * this.sampleRateHz
      const piece = await recorded.read(from, this.sampleRateHz)
      // A file was cut while it was played: its players are not to wait for the rest
      if (piece.length < Math.min(this.sampleRateHz, this.samples - from)) throw new SoundError('media.sound-broken')
      this.#pieces.set(index, piece)
      this.#place.store.keep(this, index, piece)
    } catch (cause) {
      this.failure = cause instanceof SoundError ? cause : new SoundError('media.sound-broken', { cause })
      this.#place.gone()
    }
    this.#coming.delete(index)
    return recorded
  }

  /** For the store: there was no room. Who plays it just now has it still. */
  forget(index: number): void {
    this.#pieces.delete(index)
    if (this.#users === 0 && this.#pieces.size === 0) this.#place.gone()
  }

  /** A player has gone on from second `index`. */
  passed(index: number): void {
    if (!this.#place.shared) this.#drop(index)
  }

  #drop(index: number): void {
    const piece = this.#pieces.get(index)
    this.#pieces.delete(index)
    if (piece) this.#place.store.drop(piece)
  }

  /** Once for each opening. */
  release(): void {
    if (--this.#users > 0) return
    if (!this.#place.shared) for (const index of this.#pieces.keys()) this.#drop(index)
    const before = this.#reading
    this.#reading = before.then(async (recorded) => {
      if (this.#users > 0) return recorded
      await recorded?.close()
      return undefined
    })
    if (this.#pieces.size === 0) this.#place.gone()
  }
}
