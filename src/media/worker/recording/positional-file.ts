/**
 * A file written at given positions, one write after the other, without ever blocking the thread.
 *
 *   recorder  ── bytes, position ─▶  here  ── disk.ts ─▶  disk
 *
 * Order is kept: what was written later stands over what was written earlier. The first failure (disk full, folder
 * gone, disk too slow) ends the writing and is told once; what was written until then stays.
 */
import { close, constants, open } from 'node:fs'
import { writeAt } from './disk.ts'

/** What may wait for a slow disk, unless more is said: 32 s of one channel at 8 kHz. */
const usualWaitingBytes = 512 * 1024

interface Job {
  readonly bytes: Uint8Array
  readonly position: number
  readonly done: () => void
}

const nothing = (): void => {}

export class PositionalFile {
  readonly #failed: (text: string) => void
  readonly #maxWaitingBytes: number
  readonly #waiting: Job[] = []
  #waitingBytes = 0
  #fd: number | undefined
  #busy = true
  #broken = false
  #closing = false
  readonly #closed = Promise.withResolvers<boolean>()

  /**
   * Make the file.
   * @param path A file that is there already is a failure: no recording is written over.
   * @param failed Told once, with the reason.
   * @param maxWaitingBytes What may wait for a slow disk.
   */
  constructor(path: string, failed: (text: string) => void, maxWaitingBytes = usualWaitingBytes) {
    this.#failed = failed
    this.#maxWaitingBytes = maxWaitingBytes
    open(path, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o640, (error, fd) => {
      this.#busy = false
      if (error) this.#fail(error.message)
      else this.#fd = fd
      this.#next()
    })
  }

  /** @param done Called when `bytes` are no longer needed, written or not. */
  write(bytes: Uint8Array, position: number, done: () => void = nothing): void {
    if (this.#broken || this.#closing) return done()
    this.#waiting.push({ bytes, position, done })
    this.#waitingBytes += bytes.length
    if (this.#waitingBytes > this.#maxWaitingBytes) this.#fail('the disk is too slow')
    this.#next()
  }

  /** Write what waits and close. Resolves with whether the file exists. */
  close(): Promise<boolean> {
    this.#closing = true
    this.#next()
    return this.#closed.promise
  }

  #next(): void {
    if (this.#busy) return
    const job = this.#waiting.shift()
    if (job && this.#fd !== undefined) {
      this.#busy = true
      this.#waitingBytes -= job.bytes.length
      this.#write(this.#fd, job, 0)
    } else if (this.#closing) this.#end()
  }

  #write(fd: number, job: Job, from: number): void {
    writeAt(fd, job.bytes, from, job.position + from, (error, written) => {
      // A full disk may first take a part.
      if (!error && from + written < job.bytes.length) return this.#write(fd, job, from + written)
      job.done()
      this.#busy = false
      if (error) this.#fail(error.message)
      this.#next()
    })
  }

  #fail(text: string): void {
    if (this.#broken) return
    this.#broken = true
    for (const job of this.#waiting.splice(0)) job.done()
    this.#waitingBytes = 0
    this.#failed(text)
  }

  #end(): void {
    this.#busy = true
    const fd = this.#fd
    this.#fd = undefined
    if (fd === undefined) return this.#closed.resolve(false)
    close(fd, (error) => {
      if (error) this.#fail(error.message)
      this.#closed.resolve(true)
    })
  }
}
