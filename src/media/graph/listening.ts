/** A tap as the main thread holds it: hands frames to the consumer one after the other, and gives credit for more. */
import type { GraphLink } from './graph-link.ts'
import type { Tapped } from './protocol.ts'
import type { Tap, TapFormat, TapFrame } from './types.ts'

export type TakeFrame = (frame: TapFrame) => void | Promise<void>

/** Frames on their way to the consumer, ms; what is more waits in the worker. */
const windowMs = 400

export const windowOf = (frameMs: number): number => Math.max(2, Math.floor(windowMs / frameMs))

export class TapHandle implements Tap {
  readonly #graph: GraphLink
  readonly #id: number
  readonly #take: TakeFrame
  readonly #waiting: TapFrame[] = []
  readonly #window: number
  #busy = false
  #taken = 0
  #stopped = false

  constructor(
    graph: GraphLink,
    from: readonly Tapped[],
    { sampleRateHz, encoding, frameMs }: TapFormat,
    take: TakeFrame,
  ) {
    this.#graph = graph
    this.#take = take
    this.#window = windowOf(frameMs)
    const format = { sampleRateHz, encoding, frameMs }
    this.#id = graph.begin(
      (id) => ({ do: 'tap', id, from, format, credit: this.#window }),
      (told) => {
        if (told.name !== 'frame' || this.#stopped) return
        this.#waiting.push(told.frame)
        if (!this.#busy) void this.#hand()
      },
    )
  }

  /** A consumer that fails hears no more. */
  async #hand(): Promise<void> {
    this.#busy = true
    try {
      for (let frame = this.#waiting.shift(); frame && !this.#stopped; frame = this.#waiting.shift()) {
        const taken = this.#take(frame)
        if (taken) await taken
        this.#credit()
      }
    } catch {
      this.stop()
    } finally {
      this.#busy = false
    }
  }

  /** In lumps: a message between threads costs the same however much it says. */
  #credit(): void {
    if (++this.#taken < this.#window / 2) return
    this.#graph.order({ do: 'credit', id: this.#id, frames: this.#taken })
    this.#taken = 0
  }

  stop(): void {
    if (this.#stopped) return
    this.#stopped = true
    this.#waiting.length = 0
    this.#graph.stop(this.#id)
  }
}
