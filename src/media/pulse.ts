/**
 * What a media worker says of itself in shared memory: it can be read while the worker answers nothing.
 *
 *   worker/main.ts  ── beat, each 50 ms at least ─▶  here  ◀── read ──  vitals.ts
 */

/** Words of the memory. */
const beatsAt = 0
const cpuAt = 1
const words = 2

/** One end of it; each thread makes its own over the same memory. */
export class Pulse {
  readonly memory: SharedArrayBuffer
  readonly #words: Int32Array

  /** @param memory That of the other end; new when left out. */
  constructor(memory = new SharedArrayBuffer(words * Int32Array.BYTES_PER_ELEMENT)) {
    this.memory = memory
    this.#words = new Int32Array(memory)
  }

  /** @param cpuMs Processor time of the worker since it began. */
  beat(cpuMs: number): void {
    Atomics.store(this.#words, cpuAt, cpuMs)
    Atomics.add(this.#words, beatsAt, 1)
  }

  /** Goes up while the worker's loop turns; 0 until it has loaded. Wraps, after six years. */
  get beats(): number {
    return Atomics.load(this.#words, beatsAt)
  }

  /** Wraps after 24 days of work: only differences, `| 0`, mean something. */
  get cpuMs(): number {
    return Atomics.load(this.#words, cpuAt)
  }
}
