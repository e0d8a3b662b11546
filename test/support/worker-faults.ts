/**
 * Loaded into the threads of a process before they start: a media worker dies, or stands still, when it is told to.
 *
 *   test  ── BroadcastChannel, or SIGUSR2 and a file ─▶  here, in each thread named `media N`
 *
 * In a server process (`withFaults`) the main thread reads what is wanted from the file that WORKER_FAULT_FILE names.
 */
import { readFileSync } from 'node:fs'
import { BroadcastChannel, isMainThread, threadName } from 'node:worker_threads'

export interface Fault {
  readonly worker: number
  /** `stand`: its loop does not turn for `forMs`. */
  readonly fault: 'die' | 'stand'
  readonly forMs?: number
}

/** Arguments of node that load this. */
export const faultArgs: readonly string[] = ['--disable-warning=ExperimentalWarning', `--import=${import.meta.url}`]

/** Between the threads of a process. */
const channel = new BroadcastChannel('worker-faults')
channel.unref()

/** Have it happen in this process. */
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- threads, not windows
export const cause = (fault: Fault): void => channel.postMessage(fault)

function suffer({ fault, forMs = 0 }: Fault): void {
  if (fault === 'die') throw new Error('a test wants this media worker to die')
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, forMs)
}

const file = process.env['WORKER_FAULT_FILE']
if (!isMainThread) {
  channel.addEventListener('message', (event) => {
    const { data } = event as Event & { readonly data: Fault }
    if (threadName === `media ${data.worker}`) suffer(data)
  })
} else if (file !== undefined) process.on('SIGUSR2', () => cause(JSON.parse(readFileSync(file, 'utf8')) as Fault))
