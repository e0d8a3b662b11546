/**
 * Loaded into a server before it starts: at SIGUSR2 each of its threads collects garbage, and what they hold then is written into
 * a file. Needs `--expose-gc`, and the file's name in SOAK_FILE.
 */
import { renameSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { BroadcastChannel, isMainThread } from 'node:worker_threads'

/** Heaps and the buffers outside them. */
export interface Inside {
  readonly mainBytes: number
  /** Of all other threads together. */
  readonly workerBytes: number
  /** How often files were synced to the disk, by the main thread: the others sync none. */
  readonly fsyncs: number
}

const file = process.env['SOAK_FILE']
/** How long the other threads have to answer. */
const answerMs = 2_000

const held = (): number => {
  // What the first frees outside the heap is counted after the second.
  globalThis.gc?.()
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

const threads = new BroadcastChannel('soak')
threads.unref()
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- threads, not windows
const tell = (what: string | number): void => threads.postMessage(what)

let fsyncs = 0

/** Files opened by promises have one class, which Node does not export. */
async function countSyncs(): Promise<void> {
  const any = await open(process.execPath)
  const files = Object.getPrototypeOf(any) as { sync(): Promise<void> }
  const sync = Reflect.get(files, 'sync')
  files.sync = function counted() {
    fsyncs++
    return Reflect.apply(sync, this, [])
  }
  await any.close()
}

if (isMainThread && file !== undefined) {
  void countSyncs()
  let workerBytes = 0
  threads.addEventListener('message', (event) => {
    const { data } = event as Event & { readonly data: unknown }
    if (typeof data === 'number') workerBytes += data
  })
  process.on('SIGUSR2', () => {
    workerBytes = 0
    tell('how much do you hold?')
    setTimeout(() => {
      const inside: Inside = { mainBytes: held(), workerBytes, fsyncs }
      writeFileSync(`${file}.new`, JSON.stringify(inside))
      renameSync(`${file}.new`, file)
    }, answerMs)
  })
} else if (!isMainThread) {
  threads.addEventListener('message', (event) => {
    const { data } = event as Event & { readonly data: unknown }
    if (typeof data === 'string') tell(held())
  })
}
