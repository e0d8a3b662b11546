/**
 * How loud a port is, now and then.
 *
 *   voice, heard ── read ─▶ Meter ── dBov each `everyMs` ─▶ notice
 */
import { levelDbov, silenceDbov } from '../../../codec/level.ts'
import type { FrameSink } from '../frame-clock.ts'
import { frameMs, type SoundSource } from '../sound.ts'

export class Meter implements FrameSink {
  readonly #sources: readonly SoundSource[]
  readonly #everyTicks: number
  readonly #tell: (levels: readonly number[]) => void
  readonly #most: number[]
  #ticks = 0

  /** @param tell Told the loudest frame of each source, dBov, -127 to 0. */
  constructor(sources: readonly SoundSource[], everyMs: number, tell: (levels: readonly number[]) => void) {
    this.#sources = sources
    this.#everyTicks = Math.ceil(everyMs / frameMs)
    this.#tell = tell
    this.#most = sources.map(() => silenceDbov)
  }

  tick(tick: number): void {
    for (let i = 0; i < this.#sources.length; i++) {
      const frame = this.#sources[i]?.read(tick)
      if (frame) this.#most[i] = Math.max(this.#most[i] ?? silenceDbov, levelDbov(frame))
    }
    if (++this.#ticks < this.#everyTicks) return
    this.#ticks = 0
    this.#tell(this.#most.map((level) => Math.round(level)))
    this.#most.fill(silenceDbov)
  }
}
