/** A thousand short calls, answered, busy and given up: the server then holds what it held before. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { soak } from '../../bench/soak/soak.ts'

const mib = 2 ** 20

test('a thousand short calls leave no file, socket, thread or memory behind', { timeout: 400_000 }, async () => {
  const { before, after, failed } = await soak({ calls: 1_000, together: 10, warmUp: 300 })

  assert.equal(failed, 0)
  assert.equal(after.liveCalls, 0)
  assert.ok(after.openFiles <= before.openFiles, `open files: ${before.openFiles}, then ${after.openFiles}`)
  assert.equal(after.threads, before.threads)
  // 50 KB a call, left by each, would be more.
  const held = after.mainBytes + after.workerBytes - before.mainBytes - before.workerBytes
  assert.ok(held < 48 * mib, `${(held / mib).toFixed(1)} MiB more are held than before`)
})
