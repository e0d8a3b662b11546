/**
 * An archive in Azure Blob Storage, through Microsoft's client.
 *
 * A file goes up in blocks, each with its MD5, which the store compares; the list of blocks makes them a blob at once.
 * A block's id holds its number and the beginning of its hash: after a crash those that are there are not sent again.
 * https://learn.microsoft.com/rest/api/storageservices/put-block-list
 */
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type * as Client from '@azure/storage-blob'
import type { BlockBlobClient, ContainerClient } from '@azure/storage-blob'
import { ArchiveError, type ArchiveFailure, failureOf, wordsOf } from '../failures.ts'
import { type FilePart, partBytesOf, partsOf } from '../local-file.ts'
import type { ArchiveStore, ByteRange, LocalFile, PutOptions, StoredObject } from '../types.ts'
import { ManagedIdentity } from './managed-identity.ts'

export interface AzureSettings {
  readonly account: string
  readonly container: string
  /** One of these, or the identity of the machine. */
  readonly accessKey?: string | undefined
  readonly sasToken?: string | undefined
  /** Instead of `https://<account>.blob.core.windows.net`. */
  readonly endpoint?: string | undefined
  readonly encryptionScope?: string | undefined
  readonly tier?: string | undefined
  readonly coldTier?: string | undefined
  readonly lock?: { readonly mode: 'Unlocked' | 'Locked'; readonly days: number } | undefined
}

type Sdk = typeof Client

const tryMs = 60_000
const dayMs = 86_400_000

export class AzureStore implements ArchiveStore {
  readonly name = 'azure'
  readonly #settings: AzureSettings
  readonly #container: ContainerClient
  readonly #wallMs: () => number

  constructor(
    sdk: Sdk,
    settings: AzureSettings,
    wallMs: () => number,
    env: Readonly<Record<string, string | undefined>> = process.env,
  ) {
    const { account, container, accessKey, sasToken } = settings
    this.#settings = settings
    this.#wallMs = wallMs
    const sas = sasToken === undefined ? '' : `?${sasToken.replace(/^\?/, '')}`
    const credential =
      accessKey !== undefined
        ? new sdk.StorageSharedKeyCredential(account, accessKey)
        : sasToken !== undefined
          ? new sdk.AnonymousCredential()
          : new ManagedIdentity(env)
    const service = new sdk.BlobServiceClient(`${this.#host()}${sas}`, credential, {
      retryOptions: { maxTries: 3, tryTimeoutInMs: tryMs },
    })
    this.#container = service.getContainerClient(container)
  }

  uri(key: string): string {
    return `azure://${this.#host().replace(/^https?:\/\//, '')}/${this.#settings.container}/${key}`
  }

  async put(key: string, file: LocalFile, { contentType, metadata, signal }: PutOptions): Promise<void> {
    const { encryptionScope, tier, lock } = this.#settings
    const scope = encryptionScope === undefined ? {} : { encryptionScope }
    await this.#tell(key, async () => {
      const blob = this.#blob(key)
      const there = await uncommitted(blob)
      const ids: string[] = []
      for await (const part of partsOf(file, partBytesOf(file.bytes))) {
        const id = blockId(part)
        ids.push(id)
        if (there.get(id) === part.data.length) continue
        const transactionalContentMD5 = Buffer.from(part.md5, 'hex')
        await blob.stageBlock(id, part.data, part.data.length, {
          transactionalContentMD5,
          abortSignal: signal,
          ...scope,
        })
      }
      await blob.commitBlockList(ids, {
        blobHTTPHeaders: { blobContentType: contentType, blobContentMD5: Buffer.from(file.md5, 'hex') },
        metadata: { ...metadata },
        abortSignal: signal,
        ...scope,
        ...(tier !== undefined && { tier }),
        ...(lock && {
          immutabilityPolicy: { policyMode: lock.mode, expiriesOn: new Date(this.#wallMs() + lock.days * dayMs) },
        }),
      })
      const stored = await this.head(key)
      if (stored?.bytes !== file.bytes || stored.sha256 !== file.sha256) throw new ArchiveError('archive.damaged', key)
    })
  }

  async head(key: string): Promise<StoredObject | undefined> {
    return this.#tell(key, async () => {
      try {
        const { contentLength = 0, metadata } = await this.#blob(key).getProperties()
        const sha256 = metadata?.['sha256']
        return { key, bytes: contentLength, ...(sha256 !== undefined && { sha256 }) }
      } catch (error) {
        if (statusOf(error) === 404 && codeOf(error) !== 'ContainerNotFound') return undefined
        throw error
      }
    })
  }

  async open(key: string, { from, until }: ByteRange = { from: 0 }): Promise<Readable> {
    return this.#tell(key, async () => {
      const answer = await this.#blob(key).download(from, until === undefined ? undefined : until - from)
      return Readable.from(answer.readableStreamBody ?? [], { objectMode: false })
    })
  }

  async remove(key: string): Promise<void> {
    await this.#tell(key, async () => {
      const blob = this.#blob(key)
      const { succeeded } = await blob.deleteIfExists({ deleteSnapshots: 'include' })
      if (!succeeded && (await uncommitted(blob)).size > 0) {
        // Blocks alone cannot be deleted: a blob without them takes their place.
        await blob.upload('', 0)
        await blob.delete()
      }
      for await (const { name, versionId } of this.#container.listBlobsFlat({ prefix: key, includeVersions: true }))
        if (name === key && versionId !== undefined) await blob.withVersion(versionId).deleteIfExists()
    })
  }

  async *list(prefix: string): AsyncGenerator<StoredObject> {
    const pages = this.#container.listBlobsFlat({ prefix, includeMetadata: true }).byPage()
    for (;;) {
      const { value, done } = await this.#tell(prefix, () => pages.next())
      if (done) return
      for (const { name, properties, metadata } of value.segment.blobItems) {
        const sha256 = metadata?.['sha256']
        yield { key: name, bytes: properties.contentLength ?? 0, ...(sha256 !== undefined && { sha256 }) }
      }
    }
  }

  async cool(key: string): Promise<void> {
    const { coldTier } = this.#settings
    if (coldTier !== undefined) await this.#tell(key, () => this.#blob(key).setAccessTier(coldTier))
  }

  #host(): string {
    const { account, endpoint } = this.#settings
    return endpoint?.replace(/\/$/, '') ?? `https://${account}.blob.core.windows.net`
  }

  #blob(key: string): BlockBlobClient {
    return this.#container.getBlockBlobClient(key)
  }

  async #tell<Result>(key: string, run: () => Promise<Result>): Promise<Result> {
    try {
      return await run()
    } catch (error) {
      throw azureError(error, key)
    }
  }
}

/** All ids of a blob are of one length. */
function blockId({ number, data }: FilePart): string {
  const hash = createHash('sha256').update(data).digest('hex').slice(0, 24)
  return Buffer.from(`${String(number).padStart(6, '0')}-${hash}`).toString('base64')
}

/** Bytes by id of what an upload left; nothing when the blob is not there at all. */
async function uncommitted(blob: BlockBlobClient): Promise<ReadonlyMap<string, number>> {
  try {
    const { uncommittedBlocks = [] } = await blob.getBlockList('uncommitted')
    return new Map(uncommittedBlocks.map(({ name, size }) => [name, size]))
  } catch (error) {
    if (statusOf(error) === 404 && codeOf(error) !== 'ContainerNotFound') return new Map()
    throw error
  }
}

interface AzureFault {
  readonly code?: string
  readonly statusCode?: number
  readonly details?: { readonly errorCode?: string }
}

const statusOf = (error: unknown): number | undefined => (error as AzureFault).statusCode
const codeOf = (error: unknown): string => (error as AzureFault).details?.errorCode ?? (error as AzureFault).code ?? ''

/** https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes */
const byCode: Readonly<Record<string, ArchiveFailure>> = {
  ContainerNotFound: 'archive.no-bucket',
  ContainerBeingDeleted: 'archive.no-bucket',
  BlobNotFound: 'archive.object-gone',
  AuthenticationFailed: 'archive.refused',
  AuthorizationFailure: 'archive.refused',
  AuthorizationPermissionMismatch: 'archive.refused',
  InsufficientAccountPermissions: 'archive.refused',
  AccountIsDisabled: 'archive.refused',
  ServerBusy: 'archive.busy',
  OperationTimedOut: 'archive.busy',
  Md5Mismatch: 'archive.damaged',
  BlobImmutableDueToPolicy: 'archive.locked',
  BlobImmutableDueToLegalHold: 'archive.locked',
}

function azureError(error: unknown, key: string): ArchiveError {
  if (error instanceof ArchiveError) return error
  const code = codeOf(error)
  const words = wordsOf(error)
  // It says so in its words: "Request date header not specified or not within 15 minutes of the server".
  const skewed =
    code === 'AuthenticationFailed' && /date header|not within|signed expiry time/i.test(JSON.stringify(error))
  const failure = skewed ? 'archive.clock-skew' : (byCode[code] ?? failureOf(code, statusOf(error)))
  return new ArchiveError(failure, `${key}: ${[code, words].filter(Boolean).join(': ')}`, { cause: error })
}
