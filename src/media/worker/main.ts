/** Entry of the media worker thread: joins the message port, the sockets and the clock. Started by plane.ts. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { parentPort } from 'node:worker_threads'
import { systemClock } from '../../core/clock.ts'
import type { Command, FromWorker } from '../protocol.ts'
import { dgramIo } from './io-dgram.ts'
import { MediaWorker } from './media-worker.ts'

/** The histogram measures how late a timer of this period fires, its own period included. */
const resolutionMs = 10

if (!parentPort) throw new Error('a media worker is started by the media plane, not by hand')
const toMain = parentPort

const loopDelay = monitorEventLoopDelay({ resolution: resolutionMs })
loopDelay.enable()

/** What this turn of the loop has to tell: one message between threads carries it all. */
let outbox: FromWorker[] = []

function post(message: FromWorker): void {
  if (outbox.push(message) === 1) setImmediate(flush)
}

function flush(): void {
  const messages = outbox
  outbox = []
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  toMain.postMessage(messages)
}

const worker = new MediaWorker({
  clock: systemClock,
  io: dgramIo,
  post,
  load() {
    const { user, system } = process.threadCpuUsage()
    const loopDelayP99Ms = Math.max(0, loopDelay.percentile(99) / 1e6 - resolutionMs)
    loopDelay.reset()
    return { cpuMs: (user + system) / 1000, loopDelayP99Ms }
  },
})
toMain.on('message', (commands: readonly Command[]) => {
  for (const command of commands) worker.command(command)
})
