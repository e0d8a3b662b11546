/** Runs many worlds on worker threads: each takes the next hundred seeds when it is done with its last. */
import { Worker } from 'node:worker_threads'

export interface Failure {
  readonly seed: number
  readonly problems: readonly string[]
}

export interface RunOptions {
  readonly first: number
  readonly count: number
  readonly threads: number
  /** After each hundred seeds or so. */
  readonly onProgress?: (done: number, failed: number) => void
  readonly onFailure?: (failure: Failure) => void
}

/** What a thread is given, and what it gives back. */
export interface Batch {
  readonly first: number
  readonly count: number
}

const batchSize = 100

/** Resolves with the seeds that failed. */
export async function runSeeds({
  first,
  count,
  threads,
  onProgress,
  onFailure,
}: RunOptions): Promise<readonly Failure[]> {
  const failures: Failure[] = []
  let next = first
  let done = 0
  const end = first + count
  const work = (worker: Worker, resolve: () => void): void => {
    if (next >= end) return void worker.terminate().then(resolve)
    const batch: Batch = { first: next, count: Math.min(batchSize, end - next) }
    next += batch.count
    worker.once('message', (failed: readonly Failure[]) => {
      for (const failure of failed) onFailure?.(failure)
      failures.push(...failed)
      done += batch.count
      onProgress?.(done, failures.length)
      work(worker, resolve)
    })
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    worker.postMessage(batch)
  }
  const thread = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL('worker.ts', import.meta.url))
      worker.once('error', reject)
      work(worker, resolve)
    })
  await Promise.all(Array.from({ length: Math.min(threads, Math.ceil(count / batchSize)) }, thread))
  return failures
}
