/** Blocks of samples, used again: the recorders of a worker fill and write thousands a second. */

/** Half a second at 8 kHz: what a kill of the process may cost, with the write behind it. */
export const blockSamples = 4000

/** Blocks of 8 kHz kept for later, or what takes as much room; more are left to the garbage collector. */
const maxKept = 1024

export class BlockPool {
  /** By their length; recordings have few rates. */
  readonly #free = new Map<number, Int16Array[]>()

  /** A block with anything in it. @param samples Half a second of what is recorded. */
  take(samples = blockSamples): Int16Array {
    return this.#free.get(samples)?.pop() ?? new Int16Array(samples)
  }

  giveBack(block: Int16Array): void {
    const free = this.#free.get(block.length) ?? []
    this.#free.set(block.length, free)
    if (free.length * block.length < maxKept * blockSamples) free.push(block)
  }
}
