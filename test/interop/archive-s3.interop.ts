/** The archive in S3 against OpenStack Swift with s3api, which checks every signature. */
import assert from 'node:assert/strict'
import { buffer } from 'node:stream/consumers'
import { before, type TestContext, test } from 'node:test'
import * as sdk from '@aws-sdk/client-s3'
import { describeFile } from '../../src/archive/local-file.ts'
import { type S3Settings, S3Store } from '../../src/archive/s3/store.ts'
import { all, hasCode, putOptions, someFile, storeContract } from '../../src/archive/test-support.ts'
import { needs } from '../support/program.ts'
import { until } from '../support/until.ts'
import { type S3Server, startSwift } from './stores/swift.ts'

const bucket = 'recordings'
const region = 'eu-central-1'
let swift: S3Server

const options = needs('swift-proxy-server', 'swift-object-server', 'memcached')

before(async (t) => {
  if (options.skip !== false) return
  swift = await startSwift(t as TestContext)
  await client().send(new sdk.CreateBucketCommand({ Bucket: bucket }))
})

const client = () =>
  new sdk.S3Client({ endpoint: swift.endpoint, region, forcePathStyle: true, credentials: swift.credentials })

const open = (changes: Partial<S3Settings> = {}): S3Store =>
  new S3Store(
    sdk,
    { bucket, region, endpoint: swift.endpoint, pathStyle: true, credentials: swift.credentials, ...changes },
    Date.now,
  )

storeContract('s3', 'calls/', () => Promise.resolve(open()), options)

test('s3: what is wrong with the credentials or the bucket is said so', options, async (t) => {
  const file = await describeFile(someFile(t, 10).path)
  const put = (store: S3Store) => store.put('wrong.wav', file, putOptions(file))
  const { accessKeyId, secretAccessKey } = swift.credentials
  const guess = open({ credentials: { accessKeyId, secretAccessKey: 'a guess' } })
  await assert.rejects(put(guess), hasCode('archive.refused'))
  await assert.rejects(guess.head('wrong.wav'), hasCode('archive.refused'))
  await assert.rejects(
    put(open({ credentials: { accessKeyId: 'nobody', secretAccessKey } })),
    hasCode('archive.refused'),
  )
  await assert.rejects(put(open({ bucket: 'not-there' })), hasCode('archive.no-bucket'))
  await assert.rejects(open({ bucket: 'not-there' }).head('wrong.wav'), hasCode('archive.no-bucket'))
  await assert.rejects(put(open({ endpoint: 'http://127.0.0.1:9' })), hasCode('archive.unreachable'))
})

test('s3: in a bucket with versions an object is removed with all of them', options, async (t) => {
  const Bucket = 'versioned'
  await client().send(new sdk.CreateBucketCommand({ Bucket }))
  await client().send(new sdk.PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }))
  const store = open({ bucket: Bucket })
  for (const bytes of [10, 20]) {
    const file = await describeFile(someFile(t, bytes).path)
    await store.put('a.wav', file, putOptions(file))
  }
  await store.remove('a.wav')
  const { Versions, DeleteMarkers } = await client().send(new sdk.ListObjectVersionsCommand({ Bucket }))
  assert.deepEqual([Versions ?? [], DeleteMarkers ?? []], [[], []])
})

async function partsOf(uploadId: unknown): Promise<number> {
  if (typeof uploadId !== 'string') return 0
  const { Parts = [] } = await client().send(
    new sdk.ListPartsCommand({ Bucket: bucket, Key: 'killed.wav', UploadId: uploadId }),
  )
  return Parts.length
}

test('s3: a store that is killed during an upload and comes back has the file once and whole', options, async (t) => {
  const store = open()
  const { path, content } = someFile(t, 80 << 20)
  const file = await describeFile(path)
  const first = putOptions(file)
  const sending = store.put('killed.wav', file, first)
  await until('a first part to be there', 20_000, async () => (await partsOf(first.kept()?.['uploadId'])) > 0)
  await swift.kill()
  await assert.rejects(sending, hasCode('archive.unreachable', 'archive.busy'))
  await swift.start()
  assert.equal(await store.head('killed.wav'), undefined)
  await store.put('killed.wav', file, putOptions(file, { resume: first.kept() }))
  assert.ok((await buffer(await store.open('killed.wav'))).equals(content))
  assert.equal((await all(store.list('killed.wav'))).length, 1)
  const { Uploads = [] } = await client().send(
    new sdk.ListMultipartUploadsCommand({ Bucket: bucket, Prefix: 'killed' }),
  )
  assert.deepEqual(Uploads, [])
})
