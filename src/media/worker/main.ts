/** Entry of the media worker thread: joins the message port, the sockets and the clock. Started by plane.ts. */
import { parentPort } from 'node:worker_threads'
import { systemClock } from '../../core/clock.ts'
import type { Command, FromWorker } from '../protocol.ts'
import { dgramIo } from './io-dgram.ts'
import { MediaWorker } from './media-worker.ts'

if (!parentPort) throw new Error('a media worker is started by the media plane, not by hand')
const toMain = parentPort

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
  cpuMs() {
    const { user, system } = process.threadCpuUsage()
    return (user + system) / 1000
  },
})
toMain.on('message', (commands: readonly Command[]) => {
  for (const command of commands) worker.command(command)
})
