/** The archive in Azure Blob Storage against azurite, Microsoft's emulator. */
import assert from 'node:assert/strict'
import { buffer } from 'node:stream/consumers'
import { before, type TestContext, test } from 'node:test'
import * as sdk from '@azure/storage-blob'
import { type AzureSettings, AzureStore } from '../../src/archive/azure/store.ts'
import { describeFile } from '../../src/archive/local-file.ts'
import { all, hasCode, putOptions, someFile, storeContract } from '../../src/archive/test-support.ts'
import { needs } from '../support/program.ts'
import { until } from '../support/until.ts'
import { type Azurite, startAzurite } from './stores/azurite.ts'

const container = 'recordings'
let azurite: Azurite

const options = needs('azurite-blob')

before(async (t) => {
  if (options.skip !== false) return
  azurite = await startAzurite(t as TestContext)
  await service().createContainer(container)
})

const service = () =>
  new sdk.BlobServiceClient(azurite.endpoint, new sdk.StorageSharedKeyCredential(azurite.account, azurite.accessKey))

const open = (changes: Partial<AzureSettings> = {}): AzureStore => {
  const { account, accessKey, endpoint } = azurite
  return new AzureStore(sdk, { account, container, accessKey, endpoint, ...changes }, Date.now)
}

storeContract('azure', 'calls/', () => Promise.resolve(open()), options)

test(
  'azure: a SAS token of the container alone is enough, with read, create, write, delete and list',
  options,
  async (t) => {
    const credential = new sdk.StorageSharedKeyCredential(azurite.account, azurite.accessKey)
    const sasToken = sdk
      .generateBlobSASQueryParameters(
        {
          containerName: container,
          permissions: sdk.ContainerSASPermissions.parse('rcwdl'),
          expiresOn: new Date(Date.now() + 60_000),
        },
        credential,
      )
      .toString()
    const store = open({ accessKey: undefined, sasToken: `?${sasToken}` })
    const file = await describeFile(someFile(t, 1_000).path)
    await store.put('by sas.wav', file, putOptions(file))
    assert.equal((await store.head('by sas.wav'))?.sha256, file.sha256)
    assert.equal((await all(store.list('by'))).length, 1)
    await store.remove('by sas.wav')
    const old = open({ accessKey: undefined, sasToken: sasToken.replace(/sig=[^&]+/, 'sig=AAAA') })
    await assert.rejects(old.put('by sas.wav', file, putOptions(file)), (error: unknown) => {
      assert.doesNotMatch(String(error), /AAAA/)
      return hasCode('archive.refused')(error)
    })
  },
)

test('azure: what is wrong with the credentials or the container is said so', options, async (t) => {
  const file = await describeFile(someFile(t, 10).path)
  const put = (store: AzureStore) => store.put('wrong.wav', file, putOptions(file))
  const guess = open({ accessKey: Buffer.from('a guess').toString('base64') })
  await assert.rejects(put(guess), hasCode('archive.refused'))
  await assert.rejects(guess.head('wrong.wav'), hasCode('archive.refused'))
  await assert.rejects(put(open({ container: 'not-there' })), hasCode('archive.no-bucket'))
  await assert.rejects(open({ container: 'not-there' }).head('wrong.wav'), hasCode('archive.no-bucket'))
  await assert.rejects(put(open({ endpoint: 'http://127.0.0.1:9/patchbay' })), hasCode('archive.unreachable'))
})

/** Sent, and not yet put together. */
async function blocksOf(name: string): Promise<number> {
  const blob = service().getContainerClient(container).getBlockBlobClient(name)
  const list = await blob.getBlockList('uncommitted').catch(() => undefined)
  return list?.uncommittedBlocks?.length ?? 0
}

test(
  'azure: a store that is killed during an upload and comes back has the file once and whole',
  options,
  async (t) => {
    const store = open()
    const { path, content } = someFile(t, 80 << 20)
    const file = await describeFile(path)
    const sending = store.put('killed.wav', file, putOptions(file))
    await until('a first block to be there', 20_000, async () => (await blocksOf('killed.wav')) > 0)
    await azurite.kill()
    await assert.rejects(sending, hasCode('archive.unreachable', 'archive.busy'))
    await azurite.start()
    assert.equal(await store.head('killed.wav'), undefined)
    await store.put('killed.wav', file, putOptions(file))
    assert.ok((await buffer(await store.open('killed.wav'))).equals(content))
    assert.equal((await all(store.list('killed.wav'))).length, 1)
  },
)

test('azure: an object is moved to the colder tier', options, async (t) => {
  const store = open({ coldTier: 'Cool' })
  const file = await describeFile(someFile(t, 10).path)
  await store.put('cold.wav', file, putOptions(file))
  await store.cool('cold.wav')
  const blob = service().getContainerClient(container).getBlobClient('cold.wav')
  assert.equal((await blob.getProperties()).accessTier, 'Cool')
})
