/** One thread of the simulation: takes batches of seeds, gives back those that failed. */
import { parentPort } from 'node:worker_threads'
import type { Batch, Failure } from './runner.ts'
import { simulate } from './world.ts'

parentPort?.on('message', ({ first, count }: Batch) => {
  void run(first, count).then((failures) => {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    parentPort?.postMessage(failures)
  })
})

async function run(first: number, count: number): Promise<readonly Failure[]> {
  const failures: Failure[] = []
  for (let seed = first; seed < first + count; seed++) {
    try {
      const { problems } = await simulate(seed)
      if (problems.length > 0) failures.push({ seed, problems })
    } catch (error) {
      failures.push({ seed, problems: [error instanceof Error ? (error.stack ?? error.message) : String(error)] })
    }
  }
  return failures
}
