/**
 * Writes to files at positions: by node:fs one by one, or, where the addon is, many together.
 *
 *   positional-file.ts  ── writeAt ─▶  here  ── fs.write, or one piece of work for all of this turn ─▶  disk
 *
 * A thousand recordings write two thousand times a second, and to wake a thread of libuv for each costs several times what the
 * write does (docs/performance.md). Each file has one write here at most.
 */
import { write } from 'node:fs'
import { getSystemErrorMessage, getSystemErrorName } from 'node:util'
import type { Native } from '../../native-addon.ts'

/** @param written Bytes: may be fewer than were given. */
export type Written = (error: Error | null, written: number) => void

type WriteAt = (fd: number, bytes: Uint8Array, from: number, position: number, done: Written) => void

/** Batches at once: as many as libuv has threads, so that a slow disk is asked for as much as without the addon. */
const mostBatches = 4

const oneByOne: WriteAt = (fd, bytes, from, position, done) =>
  write(fd, bytes, from, bytes.length - from, position, done)

let chosen = oneByOne

/** Write `bytes`, from number `from` on, to `position` of a file; they stay as they are until `done` is told. */
export const writeAt: WriteAt = (fd, bytes, from, position, done) => chosen(fd, bytes, from, position, done)

/** Write by the addon from now on, in this thread. */
export function writeTogether(native: Pick<Native, 'write'>): void {
  const batches = new Batches(native)
  chosen = (fd, bytes, from, position, done) =>
    batches.add(fd, from === 0 ? bytes : bytes.subarray(from), position, done)
}

class Batches {
  readonly #native: Pick<Native, 'write'>
  #places: number[] = []
  #bytes: Uint8Array[] = []
  #done: Written[] = []
  #running = 0
  #scheduled = false

  constructor(native: Pick<Native, 'write'>) {
    this.#native = native
  }

  add(fd: number, bytes: Uint8Array, position: number, done: Written): void {
    this.#places.push(fd, position)
    this.#bytes.push(bytes)
    this.#done.push(done)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled || this.#bytes.length === 0 || this.#running === mostBatches) return
    this.#scheduled = true
    setImmediate(this.#start)
  }

  readonly #start = (): void => {
    this.#scheduled = false
    const bytes = this.#bytes
    const done = this.#done
    const places = Float64Array.from(this.#places)
    this.#places = []
    this.#bytes = []
    this.#done = []
    this.#running++
    this.#native.write(places, bytes, (errors) => {
      this.#running--
      for (const [i, told] of done.entries()) {
        const errno = errors[i] ?? 0
        if (errno === 0) told(null, bytes[i]?.length ?? 0)
        else told(systemError(errno), 0)
      }
      this.#schedule()
    })
  }
}

/** As node:fs words it. */
function systemError(errno: number): Error {
  const code = getSystemErrorName(-errno)
  return Object.assign(new Error(`${code}: ${getSystemErrorMessage(-errno)}, write`), {
    code,
    errno: -errno,
    syscall: 'write',
  })
}
