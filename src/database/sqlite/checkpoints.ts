/**
 * Writes what is in the log back into the database file, in a thread of its own: that waits for the disk, 10 ms and
 * more, and the thread that commits is the one that answers SIP (sqlite.org/wal.html#ckpt).
 *
 *   open.ts  ── every five seconds ─▶  here  ─▶  checkpoint-thread.ts, with a connection of its own
 */
import { Worker } from 'node:worker_threads'
import type { Clock, Timer } from '../../core/clock.ts'
import type { Logger } from '../../core/logger.ts'

/** The first commit after one waits for the disk itself, to begin the log anew: seldom, not to be felt by one call of a hundred. */
const everyMs = 5_000

export type ToCheckpointThread = 'checkpoint' | 'close'

export class Checkpoints {
  readonly #clock: Clock
  readonly #thread: Worker
  readonly #exited: Promise<void>
  #timer: Timer

  /** @param path A database file in WAL mode. */
  constructor(path: string, clock: Clock, log: Logger) {
    this.#clock = clock
    this.#thread = new Worker(new URL('./checkpoint-thread.ts', import.meta.url), {
      name: 'checkpoints',
      workerData: path,
    })
    this.#exited = new Promise((resolve) => this.#thread.once('exit', () => resolve()))
    this.#thread.on('error', (error) => {
      log.error('The thread that writes the log of the database back has ended; commits do it from now on', { error })
    })
    this.#thread.on('message', () => {
      this.#timer = this.#next()
    })
    this.#thread.unref() // after the listeners: to listen for messages undoes it
    this.#timer = this.#next()
  }

  /** Resolves when the file is closed. Twice is fine. */
  async close(): Promise<void> {
    this.#thread.removeAllListeners('message')
    this.#timer.cancel()
    this.#thread.ref()
    this.#tell('close')
    await this.#exited
  }

  /** Counted from the answer: a slow disk is not asked again before it is done. */
  #next(): Timer {
    return this.#clock.after(everyMs, () => this.#tell('checkpoint'))
  }

  #tell(word: ToCheckpointThread): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    this.#thread.postMessage(word)
  }
}
