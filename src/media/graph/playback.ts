/** Sounds that are being played, as the main thread holds them. */
import { checkLaid, checkPosition, checkSounds, checkTimes, checkVolume } from './checks.ts'
import type { GraphLink } from './graph-link.ts'
import type { GraphOrder, PlaybackChange, PlayOrder } from './protocol.ts'
import type { Playback, PlaybackEnd, PlayOptions, Sound } from './types.ts'

export class PlaybackHandle implements Playback {
  readonly ended: Promise<PlaybackEnd>
  readonly #graph: GraphLink
  readonly #id: number

  /** @throws {RangeError} */
  constructor(
    graph: GraphLink,
    sounds: readonly Sound[],
    options: PlayOptions,
    order: (id: number, wishes: PlayOrder) => GraphOrder,
  ) {
    checkSounds(sounds)
    checkOptions(options)
    const { how = 'instead', times = 1, volumeDb = 0, fromMs = 0, stopOn = '' } = options
    const end = Promise.withResolvers<PlaybackEnd>()
    this.ended = end.promise
    this.#graph = graph
    this.#id = graph.begin(
      (id) => order(id, { how, times, volumeDb, fromMs, stopOn: stopOn.toUpperCase() }),
      (told) => {
        if (told.name === 'playback-ended') end.resolve(told.end)
        else if (told.name === 'gone') end.resolve({ reason: 'closed', positionMs: fromMs })
      },
    )
  }

  pause(): void {
    this.#change({ paused: true })
  }

  resume(): void {
    this.#change({ paused: false })
  }

  seek(ms: number): void {
    checkPosition(ms)
    this.#change({ seekMs: ms })
  }

  setVolume(volumeDb: number): void {
    checkVolume(volumeDb)
    this.#change({ volumeDb })
  }

  stop(): void {
    this.#graph.stop(this.#id, true)
  }

  #change(change: PlaybackChange): void {
    this.#graph.order({ do: 'change-playback', id: this.#id, change })
  }
}

function checkOptions({ how, times, volumeDb, fromMs }: PlayOptions): void {
  checkLaid(how)
  checkTimes(times)
  checkVolume(volumeDb)
  checkPosition(fromMs)
}
