import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import * as sdk from '@google-cloud/storage'
import { describeFile } from '../local-file.ts'
import { all, hasCode, putOptions, someFile, storeContract } from '../test-support.ts'
import { type GcsSettings, GcsStore, gcsError } from './store.ts'
import { type FakeGcs, startFakeGcs } from './test-support.ts'

const open = (fake: FakeGcs, changes: Partial<GcsSettings> = {}): GcsStore =>
  new GcsStore(sdk, { bucket: fake.bucket, endpoint: fake.endpoint, ...changes }, () => 0)

async function start(t: TestContext) {
  const fake = await startFakeGcs(t)
  return { fake, store: open(fake) }
}

storeContract('gcs', 'calls/', async (t) => (await start(t)).store)

test('gcs: a broken upload goes on where the store says, and sends little twice', async (t) => {
  const { fake, store } = await start(t)
  const { path, content } = someFile(t, 12 << 20)
  const file = await describeFile(path)
  const first = putOptions(file)
  fake.breakAfter(5 << 20)
  const sending = store.put('broken.wav', file, first)
  await assert.rejects(sending)
  assert.equal(await store.head('broken.wav'), undefined)
  await store.put('broken.wav', file, putOptions(file, { resume: first.kept() }))
  assert.ok(fake.objects.get('broken.wav')?.content.equals(content))
  assert.ok(fake.bytesReceived() < file.bytes + (1 << 20), `${fake.bytesReceived()} of ${file.bytes}`)
})

test('gcs: a store that is killed during an upload and comes back has the file once and whole', async (t) => {
  const { fake, store } = await start(t)
  const { path, content } = someFile(t, 12 << 20)
  const file = await describeFile(path)
  const first = putOptions(file)
  const sending = store.put('killed.wav', file, first)
  const refused = assert.rejects(sending)
  while (fake.bytesReceived() < 2 << 20) await new Promise((resolve) => setImmediate(resolve))
  await fake.kill()
  await refused
  await fake.start()
  await store.put('killed.wav', file, putOptions(file, { resume: first.kept() }))
  assert.ok(fake.objects.get('killed.wav')?.content.equals(content))
  assert.deepEqual(
    (await all(store.list(''))).map(({ key }) => key),
    ['killed.wav'],
  )
})

test('gcs: an upload that came whole, and was not heard of, is not sent again', async (t) => {
  const { fake, store } = await start(t)
  const { path, content } = someFile(t, 12 << 20)
  const file = await describeFile(path)
  const first = putOptions(file)
  await store.put('whole.wav', file, first)
  await store.put('whole.wav', file, putOptions(file, { resume: first.kept() }))
  assert.equal(fake.bytesReceived(), file.bytes)
  assert.ok(fake.objects.get('whole.wav')?.content.equals(content))
})

test('gcs: a session that the store forgot is begun anew', async (t) => {
  const { fake, store } = await start(t)
  const file = await describeFile(someFile(t, 1_000).path)
  const resume = { session: `${fake.endpoint}/session/forgotten`, sha256: file.sha256 }
  await store.put('anew.wav', file, putOptions(file, { resume }))
  assert.equal(fake.objects.size, 1)
})

test('gcs: what comes out other than it went in is refused by the store', async (t) => {
  const { fake, store } = await start(t)
  const file = await describeFile(someFile(t, 1_000).path)
  const damaged = { ...file, md5: file.md5.replace(/^./, (digit) => (digit === '0' ? '1' : '0')) }
  await assert.rejects(store.put('damaged.wav', damaged, putOptions(file)), hasCode('archive.damaged'))
  assert.equal(fake.objects.size, 0)
})

/** Of what the token service says. */
const ofToken = (words: string) => gcsError(new Error(`invalid_grant: ${words}`), 'a.wav').code

test('gcs: what is wrong with the credentials or the bucket is said so', async (t) => {
  const { fake, store } = await start(t)
  const file = await describeFile(someFile(t, 10).path)
  fake.failNext(403, 'forbidden', 1)
  await assert.rejects(store.put('a.wav', file, putOptions(file)), hasCode('archive.refused'))
  await assert.rejects(open(fake, { bucket: 'not-there' }).head('a.wav'), hasCode('archive.no-bucket'))
  await fake.kill()
  await assert.rejects(store.head('a.wav'), hasCode('archive.unreachable'))
  assert.equal(ofToken('Invalid JWT Signature.'), 'archive.refused')
  assert.equal(
    ofToken(
      'Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values',
    ),
    'archive.clock-skew',
  )
})

test('gcs: a store that wants to be left alone is told apart from one that is broken', async (t) => {
  const { fake, store } = await start(t)
  fake.failNext(429, 'rateLimitExceeded', 100)
  await assert.rejects(store.head('a.wav'), hasCode('archive.busy'))
})

test('gcs: an object is locked as the settings say, and a locked one is not removed', async (t) => {
  const { fake } = await start(t)
  const store = open(fake, { lock: { mode: 'Locked', days: 30 }, coldClass: 'ARCHIVE' })
  const file = await describeFile(someFile(t, 10).path)
  await store.put('locked.wav', file, putOptions(file))
  assert.deepEqual(fake.objects.get('locked.wav')?.resource['retention'], {
    mode: 'Locked',
    retainUntilTime: '1970-01-31T00:00:00.000Z',
  })
  await assert.rejects(store.remove('locked.wav'), hasCode('archive.locked'))
  await store.cool('locked.wav')
  assert.equal(fake.objects.get('locked.wav')?.resource.storageClass, 'ARCHIVE')
})
