/**
 * Music that many hear: one player for each piece, however many wait.
 *
 *   desk.ts ── hold, release ─▶ here ─▶ Player (shared: encoded once a tick for each codec, voice/encoded.ts)
 */
import type { Music, PlaybackEnd } from '../../graph/types.ts'
import type { SoundStore } from '../sounds/store.ts'
import { Player } from './player.ts'

/** Most telephones hear no more of it, and those that do can bear it. */
const musicRateHz = 16_000

interface Playing {
  readonly player: Player
  listeners: number
}

export class MusicBox {
  readonly #store: SoundStore
  readonly #playing = new Map<string, Playing>()

  constructor(store: SoundStore) {
    this.#store = store
  }

  /** Pieces that are being played. */
  get size(): number {
    return this.#playing.size
  }

  /**
   * One more listener.
   * @param failed Told when it cannot be played (any longer).
   */
  listen(
    sounds: readonly Music[],
    failed: (end: PlaybackEnd) => void,
  ): { readonly player: Player; readonly leave: () => void } {
    const key = JSON.stringify(sounds)
    let playing = this.#playing.get(key)
    if (!playing || playing.player.isOver) {
      const player = new Player(this.#store, {
        sampleRateHz: musicRateHz,
        sounds,
        times: Number.POSITIVE_INFINITY,
        shared: true,
        ended: (end) => end.reason === 'failed' && failed(end),
      })
      playing = { player, listeners: 0 }
      this.#playing.set(key, playing)
    }
    const joined = playing
    joined.listeners++
    let here = true
    const leave = (): void => {
      if (!here) return
      here = false
      if (--joined.listeners > 0) return
      joined.player.stop()
      if (this.#playing.get(key) === joined) this.#playing.delete(key)
    }
    return { player: joined.player, leave }
  }
}
