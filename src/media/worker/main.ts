/** Entry of the media worker thread: joins the message port, the sockets and the clock. Started by plane.ts. */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { systemClock } from '../../core/clock.ts'
import { loadRnnoise } from '../../dsp/rnnoise.ts'
import { loadNative } from '../native-addon.ts'
import type { Command, FromWorker, WorkerStart } from '../protocol.ts'
import { Pulse } from '../pulse.ts'
import type { MediaIo } from './io/io.ts'
import { dgramIo } from './io/io-dgram.ts'
import { NativeIo } from './io/io-native.ts'
import { MediaWorker } from './media-worker.ts'
import { writeTogether } from './recording/disk.ts'

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

/** The main thread has looked before whether the addon can be used. */
function openIo({ io, pollMs }: WorkerStart): MediaIo {
  if (io === 'dgram') return dgramIo
  const loaded = loadNative()
  if ('missing' in loaded) throw new Error(`the addon for packets cannot be used: ${loaded.missing}`)
  writeTogether(loaded.native)
  return new NativeIo(loaded.native, { clock: systemClock, pollMs, before: takeOrders })
}

const start = workerData as WorkerStart
if (start.denoise) loadRnnoise()

const io = openIo(start)
const pulse = new Pulse(start.pulse)

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

const worker = new MediaWorker({
  clock: systemClock,
  io,
  jitter: start.jitter,
  post,
  cpuMs,
  beat: () => pulse.beat(cpuMs()),
})
toMain.on('message', obey)

/** What came before an end belongs to what ends. */
const ends: ReadonlySet<Command['type']> = new Set(['stop-recording', 'close-port', 'shutdown'])

function obey(commands: readonly Command[]): void {
  let drained = false
  for (const command of commands) {
    if (!drained && ends.has(command.type)) {
      io.drain()
      drained = true
    }
    worker.command(command)
  }
}

/** A thread that is late finds orders and packets waiting together: orders are older than the packets they let in. */
function takeOrders(): void {
  for (let next = receiveMessageOnPort(toMain); next; next = receiveMessageOnPort(toMain)) {
    obey(next.message as readonly Command[])
  }
}
