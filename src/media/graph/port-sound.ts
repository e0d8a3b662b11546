/**
 * The sound of one port, as the main thread asks for it.
 *
 *   call/, pbx/ ── MediaPort.sound ─▶ here ── GraphOrder ─▶ worker/graph/desk.ts
 */
import type { MessagePort } from 'node:worker_threads'
import { checkMeter, checkSounds } from './checks.ts'
import type { GraphLink } from './graph-link.ts'
import { type TakeFrame, TapHandle, windowOf } from './listening.ts'
import { PlaybackHandle } from './playback.ts'
import type { Tapped } from './protocol.ts'
import { InjectionHandle, readInject } from './speaking.ts'
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
    return new TapHandle(this.#graph, this.#sides(what), format, take)
  }

  #sides(what: NonNullable<TapOptions['what']>): Tapped[] {
    const sides = what === 'both' ? (['said', 'heard'] as const) : [what]
    return sides.map((side) => ({ port: this.#port, side }))
  }

  tapTo({ what = 'said', sampleRateHz, encoding, frameMs }: TapOptions, to: MessagePort): Tap {
    const format = { sampleRateHz, encoding, frameMs }
    const from = this.#sides(what)
    const id = this.#graph.begin(
      (id) => ({ do: 'tap', id, from, format, credit: windowOf(frameMs), to }),
      undefined,
      to,
    )
    return { stop: () => this.#graph.stop(id) }
  }

  injectFrom(options: InjectOptions, from: MessagePort): () => void {
    const wishes = readInject(options)
    const id = this.#graph.begin((id) => ({ do: 'inject', id, port: this.#port, wishes, from }), undefined, from)
    return () => this.#graph.stop(id)
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
