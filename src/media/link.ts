/**
 * One media worker as the main thread sees it: requests answered, notices handed on, its death noticed.
 *
 *   plane.ts  ── ask, order ─▶  here  ── postMessage ─▶  worker/main.ts
 *             ◀─ answer, event, death ──
 */
import { Worker } from 'node:worker_threads'
import { MediaError } from './failures.ts'
import type { Answer, Command, FromWorker, Notice, Order, RequestName, Requests } from './protocol.ts'

/** Room for short-lived packets before the garbage collector comes: fewer, shorter pauses. */
const youngGenerationMb = 64

export interface WorkerLinkOptions {
  readonly number: number
  readonly notice: (notice: Notice) => void
  /** The thread ended without being asked to. Told once, after all that waited was refused. */
  readonly died: (error: Error | undefined) => void
}

interface Waiting {
  readonly resolve: (value: Answer['value']) => void
  readonly reject: (error: MediaError) => void
}

export class WorkerLink {
  readonly number: number
  readonly #worker: Worker
  readonly #waiting = new Map<number, Waiting>()
  #nextRequest = 1
  #alive = true
  #error: Error | undefined

  constructor(options: WorkerLinkOptions) {
    this.number = options.number
    this.#worker = new Worker(new URL('./worker/main.ts', import.meta.url), {
      name: `media ${options.number}`,
      resourceLimits: { maxYoungGenerationSizeMb: youngGenerationMb },
    })
    this.#worker.on('message', (message: FromWorker) => {
      if (message.type === 'answer') this.#answered(message)
      else options.notice(message)
    })
    this.#worker.on('error', (error) => {
      this.#error = error
    })
    this.#worker.on('exit', () => {
      if (!this.#alive) return
      this.#alive = false
      this.#refuseAll()
      options.died(this.#error)
    })
  }

  get alive(): boolean {
    return this.#alive
  }

  order(order: Order): void {
    if (this.#alive) this.#post(order)
  }

  /** @throws {MediaError} `media.worker-lost` when the worker died before it answered. */
  ask<Name extends RequestName>(type: Name, what: Requests[Name]['ask']): Promise<Requests[Name]['answer']> {
    if (!this.#alive) return Promise.reject(new MediaError('media.worker-lost'))
    const request = this.#nextRequest++
    return new Promise((resolve, reject) => {
      this.#waiting.set(request, { resolve, reject })
      this.#post({ type, request, ...what } as Command)
    })
  }

  /** Let it finish its files and end. */
  async close(): Promise<void> {
    if (!this.#alive) return
    await this.ask('shutdown', {}).catch(() => {}) // it died: nothing is left to finish
    await this.kill()
  }

  /** End it at once. */
  async kill(): Promise<void> {
    this.#alive = false
    this.#refuseAll()
    await this.#worker.terminate()
  }

  #post(command: Command): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    this.#worker.postMessage(command)
  }

  #answered({ request, value }: Answer): void {
    this.#waiting.get(request)?.resolve(value)
    this.#waiting.delete(request)
  }

  #refuseAll(): void {
    for (const { reject } of this.#waiting.values()) reject(new MediaError('media.worker-lost'))
    this.#waiting.clear()
  }
}
