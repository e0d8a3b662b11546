/** Entry of the thread that writes the log back. Started by checkpoints.ts with the path of the database. */
import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import type { ToCheckpointThread } from './checkpoints.ts'

if (!parentPort) throw new Error('this thread is started by the database, not by hand')
const port = parentPort

const database = new DatabaseSync(workerData as string)
// PASSIVE: writes as much as it can without making anybody wait; the rest is for the next time.
const checkpoint = database.prepare('pragma wal_checkpoint(passive)')

port.on('message', (word: ToCheckpointThread) => {
  if (word === 'close') {
    database.close()
    port.close()
    return
  }
  try {
    checkpoint.get()
  } catch {
    // Tried again in five seconds; of a full or broken disk the one who commits tells.
  }
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  port.postMessage('done')
})
