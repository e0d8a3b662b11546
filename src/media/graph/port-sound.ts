/**
 * The sound of one port, as the main thread asks for it.
 *
 *   call/, pbx/ ── MediaPort.sound ─▶ here ── GraphOrder ─▶ worker/graph/desk.ts
 */
import { checkMeter, checkSounds } from './checks.ts'
import type { GraphLink } from './graph-link.ts'
import { type TakeFrame, TapHandle } from './listening.ts'
import { PlaybackHandle } from './playback.ts'
import { InjectionHandle } from './speaking.ts'
import type {
  Injection,
  InjectOptions,
  Levels,
  Music,
  Playback,
  PlayOptions,
  PortSound,
  Sound,
  Tap,
  TapOptions,
} from './types.ts'

export class PortSoundHandle implements PortSound {
  readonly #graph: GraphLink
  readonly #port: number

  constructor(graph: GraphLink, port: number) {
    this.#graph = graph
    this.#port = port
  }

  play(sounds: readonly Sound[], options: PlayOptions = {}): Playback {
    return new PlaybackHandle(this.#graph, sounds, options, (id, wishes) => ({
      do: 'play',
      id,
      port: this.#port,
      sounds,
      wishes,
    }))
  }

  holdMusic(sounds: readonly Music[], failed: () => void = () => {}): () => void {
    checkSounds(sounds)
    const id = this.#graph.begin(
      (id) => ({ do: 'hold-music', id, port: this.#port, sounds }),
      (told) => {
        if (told.name === 'playback-ended') failed()
      },
    )
    return () => this.#graph.stop(id)
  }

  echo(): () => void {
    const id = this.#graph.begin((id) => ({ do: 'echo', id, port: this.#port }))
    return () => this.#graph.stop(id)
  }

  tap({ what = 'said', ...format }: TapOptions, take: TakeFrame): Tap {
    const sides = what === 'both' ? (['said', 'heard'] as const) : [what]
    const from = sides.map((side) => ({ port: this.#port, side }))
    return new TapHandle(this.#graph, from, format, take)
  }

  inject(options: InjectOptions): Injection {
    return new InjectionHandle(this.#graph, this.#port, options)
  }

  meter(everyMs: number, take: (levels: Levels) => void): () => void {
    checkMeter(everyMs)
    const id = this.#graph.begin(
      (id) => ({ do: 'meter', id, port: this.#port, everyMs }),
      (told) => {
        if (told.name === 'levels') take({ said: told.levels[0] ?? -127, heard: told.levels[1] ?? -127 })
      },
    )
    return () => this.#graph.stop(id)
  }
}
