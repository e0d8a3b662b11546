/**
 * Music for a party that the other one has put on hold.
 *
 *   Call ── described, replaced ─▶ here ── holdMusic ─▶ MediaPort.sound
 *
 * Hold stays on its leg (docs/decisions/0007): who is held is told nothing by SIP, and hears music in place of who holds.
 * A trunk that says `sendonly` goes on sending, which may be music of its own (RFC 7088 §2): that is heard instead.
 */
import type { Logger } from '../core/logger.ts'
import type { Music } from '../media/graph/types.ts'
import type { Leg } from './leg.ts'

export class HoldMusic {
  readonly #music: readonly Music[]
  readonly #log: Logger
  /** By the leg that hears it. */
  readonly #playing = new Map<Leg, () => void>()

  /** @param music None for silence. */
  constructor(music: readonly Music[], log: Logger) {
    this.#music = music
    this.#log = log
  }

  /** `leg` speaks with `other`, and may have held it or come back. */
  update(leg: Leg, other: Leg | undefined): void {
    if (!other?.media || this.#music.length === 0) return
    const holds = leg.media !== undefined && (leg.party.extension === undefined ? leg.media.isInactive : leg.media.held)
    if (!holds) this.stop(other)
    else if (!this.#playing.has(other)) {
      const failed = (): void => this.#log.warn('the music on hold cannot be played', { music: this.#music })
      this.#playing.set(other, other.media.port.sound.holdMusic(this.#music, failed))
    }
  }

  /** It left, or hears somebody else. */
  stop(hearing: Leg): void {
    this.#playing.get(hearing)?.()
    this.#playing.delete(hearing)
  }
}
