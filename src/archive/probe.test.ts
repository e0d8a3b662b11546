import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ArchiveError } from './failures.ts'
import { probe } from './probe.ts'
import { hasCode, MemoryStore } from './test-support.ts'

test('a probe goes where the prefix is the same for all recordings, and nothing of it stays', async () => {
  const store = new MemoryStore('s3')
  assert.match(await probe({ store, prefix: 'calls/x{yyyy}/{mm}' }), /^s3:\/\/store\/calls\/patchbay-probe-\w{16}$/)
  assert.match(await probe({ store, prefix: '{yyyy}' }), /^s3:\/\/store\/patchbay-probe-\w{16}$/)
  assert.deepEqual([store.puts, store.objects.size], [2, 0])
})

test('a store that may not be written, or gives back something else, is found out', async () => {
  const store = new MemoryStore('s3')
  store.keep = () => Buffer.from('else')
  await assert.rejects(probe({ store, prefix: '' }), hasCode('archive.damaged'))
  store.fault = new ArchiveError('archive.refused')
  await assert.rejects(probe({ store, prefix: '' }), hasCode('archive.refused'))
})
