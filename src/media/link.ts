/**
 * One media worker as the main thread sees it: requests answered, notices handed on, its death noticed.
 *
 *   plane.ts  ── ask, order ─▶  here  ── postMessage ─▶  worker/main.ts
 *             ◀─ answer, event, death ──
 */
import { MessagePort, type Transferable, Worker } from 'node:worker_threads'
import { MediaError } from './failures.ts'
import type { Answer, Command, FromWorker, Notice, Order, RequestName, Requests, WorkerStart } from './protocol.ts'

/** Room for short-lived packets before the garbage collector comes: fewer, shorter pauses. */
const youngGenerationMb = 64

export interface WorkerLinkOptions {
  readonly number: number
  readonly start: WorkerStart
  /** Arguments of node; those of this process when left out. */
  readonly nodeArgs?: readonly string[] | undefined
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
  readonly #died: WorkerLinkOptions['died']
  readonly #waiting = new Map<number, Waiting>()
  /** Waits to be posted: a message between threads costs the same however much is in it. */
  #outbox: Command[] = []
  /** What goes over to the worker with it. */
  #transfers: Transferable[] = []
  #held = false
  #nextRequest = 1
  /** Open on it; its sessions count them. */
  ports = 0
  #alive = true
  #error: Error | undefined

  constructor(options: WorkerLinkOptions) {
    this.number = options.number
    this.#died = options.died
    this.#worker = new Worker(new URL('./worker/main.ts', import.meta.url), {
      workerData: options.start,
      name: `media ${options.number}`,
      resourceLimits: { maxYoungGenerationSizeMb: youngGenerationMb },
      ...(options.nodeArgs && { execArgv: [...options.nodeArgs] }),
    })
    this.#worker.on('message', (messages: readonly FromWorker[]) => {
      for (const message of messages) {
        if (message.type === 'answer') this.#answered(message)
        else options.notice(message)
      }
    })
    this.#worker.on('error', (error) => {
      this.#error = error
    })
    this.#worker.on('exit', () => this.#end())
  }

  get alive(): boolean {
    return this.#alive
  }

  /** Posted before this returns: what is sent to a peer next must not overtake it. */
  order(order: Order, transfer?: Transferable): void {
    this.#outbox.push(order)
    if (transfer) this.#transfers.push(transfer)
    if (!this.#held) this.#flush()
  }

  /** What `work` orders goes in one message, when it returns. */
  together<Result>(work: () => Result): Result {
    this.#held = true
    try {
      return work()
    } finally {
      this.#held = false
      this.#flush()
    }
  }

  /** @throws {MediaError} `media.worker-lost` when the worker died before it answered. */
  ask<Name extends RequestName>(type: Name, what: Requests[Name]['ask']): Promise<Requests[Name]['answer']> {
    if (!this.#alive) return Promise.reject(new MediaError('media.worker-lost'))
    const request = this.#nextRequest++
    return new Promise((resolve, reject) => {
      this.#waiting.set(request, { resolve, reject })
      // With what else is asked in this turn of the loop, by other calls too.
      if (this.#outbox.push({ type, request, ...what } as Command) === 1) setImmediate(() => this.#flush())
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

  /**
   * End it, and do as if it had died by itself, at once: a thread that waits inside the kernel may take its time to go,
   * and holds its sockets until then.
   */
  giveUp(): void {
    void this.#worker.terminate()
    this.#end()
  }

  #end(): void {
    if (!this.#alive) return
    this.#alive = false
    this.#refuseAll()
    this.#died(this.#error)
  }

  #flush(): void {
    if (this.#outbox.length === 0 || this.#held) return
    const commands = this.#outbox
    this.#outbox = []
    const transfers = this.#transfers
    this.#transfers = []
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    if (this.#alive) this.#worker.postMessage(commands, transfers)
    else for (const transfer of transfers) if (transfer instanceof MessagePort) transfer.close()
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
