/** Blocks of samples, used again: the recorders of a worker fill and write thousands a second. */

/** Half a second at 8 kHz: what a kill of the process may cost, with the write behind it. */
export const blockSamples = 4000

/** Blocks kept for later; more are left to the garbage collector. */
const maxKept = 1024

export class BlockPool {
  readonly #free: Int16Array[] = []

  /** A block with anything in it. */
  take(): Int16Array {
    return this.#free.pop() ?? new Int16Array(blockSamples)
  }

  giveBack(block: Int16Array): void {
    if (this.#free.length < maxKept) this.#free.push(block)
  }
}
