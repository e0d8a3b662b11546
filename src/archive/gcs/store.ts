/**
 * An archive in Google Cloud Storage, through Google's client.
 *
 * A file goes up in one resumable session that is told its MD5: the store refuses to finish it when what came does not
 * have that. After a crash the session is asked how far it got, and goes on from there.
 * https://cloud.google.com/storage/docs/resumable-uploads
 */
import { createReadStream } from 'node:fs'
import { PassThrough, type Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type * as Client from '@google-cloud/storage'
import type { Bucket, File, Storage } from '@google-cloud/storage'
import { ArchiveError, type ArchiveFailure, failureOf, wordsOf } from '../failures.ts'
import { base64OfHex } from '../local-file.ts'
import type { ArchiveStore, ByteRange, LocalFile, PutOptions, StoredObject } from '../types.ts'

export interface GcsSettings {
  readonly bucket: string
  /** The content of a service account's key file; without it the environment and the instance are asked. */
  readonly account?: { readonly client_email: string; readonly private_key: string } | undefined
  readonly projectId?: string | undefined
  /** Another place that speaks the protocol: a private endpoint, or by plain HTTP an emulator, which is shown no token. */
  readonly endpoint?: string | undefined
  readonly kmsKey?: string | undefined
  readonly storageClass?: string | undefined
  readonly coldClass?: string | undefined
  readonly lock?: { readonly mode: 'Locked' | 'Unlocked'; readonly days: number } | undefined
}

type Sdk = typeof Client

const dayMs = 86_400_000
/** Of one request with all its retries; jobs try again. */
const totalSeconds = 60

export class GcsStore implements ArchiveStore {
  readonly name = 'gcs'
  readonly #settings: GcsSettings
  readonly #storage: Storage
  readonly #bucket: Bucket
  readonly #wallMs: () => number

  constructor(sdk: Sdk, settings: GcsSettings, wallMs: () => number) {
    const { account, projectId, endpoint, bucket } = settings
    this.#settings = settings
    this.#wallMs = wallMs
    this.#storage = new sdk.Storage({
      ...(account && { credentials: account }),
      ...(projectId !== undefined && { projectId }),
      ...(endpoint !== undefined && {
        apiEndpoint: endpoint,
        useAuthWithCustomEndpoint: endpoint.startsWith('https:'),
      }),
      retryOptions: { autoRetry: true, maxRetries: 2, totalTimeout: totalSeconds },
    })
    this.#bucket = this.#storage.bucket(bucket)
  }

  uri(key: string): string {
    return `gs://${this.#settings.bucket}/${key}`
  }

  async put(key: string, file: LocalFile, options: PutOptions): Promise<void> {
    await this.#tell(key, async () => {
      const object = this.#object(key)
      // All of it came, and only the answer did not: the client would send it once more.
      if (options.resume !== undefined && isThere(await this.head(key), file)) return await this.#lock(object)
      try {
        await this.#send(object, file, options, await this.#session(object, file, options, true))
      } catch (error) {
        // A session lives for a week, and is of no use once the store has refused it.
        if (options.resume === undefined || !isSessionGone(error)) throw error
        await this.#send(object, file, options, await this.#session(object, file, options, false))
      }
      if (!isThere(await this.head(key), file)) throw new ArchiveError('archive.damaged', key)
      await this.#lock(object)
    })
  }

  async head(key: string): Promise<StoredObject | undefined> {
    return this.#tell(key, async () => {
      try {
        const [{ size, metadata }] = await this.#object(key).getMetadata()
        const sha256 = metadata?.['sha256']
        return { key, bytes: Number(size), ...(typeof sha256 === 'string' && { sha256 }) }
      } catch (error) {
        if (statusOf(error) !== 404) throw error
        if (!/bucket does not exist/i.test(wordsOf(error))) return undefined
        throw new ArchiveError('archive.no-bucket', this.#settings.bucket, { cause: error })
      }
    })
  }

  async open(key: string, range?: ByteRange): Promise<Readable> {
    const object = this.#object(key)
    const stream = object.createReadStream({
      // Of a part there is no checksum to compare.
      validation: range === undefined,
      ...(range && { start: range.from, ...(range.until !== undefined && { end: range.until - 1 }) }),
    })
    return this.#tell(key, () => answered(stream))
  }

  async remove(key: string): Promise<void> {
    await this.#tell(key, async () => {
      const [versions] = await this.#bucket.getFiles({ prefix: key, versions: true })
      for (const version of versions) if (version.name === key) await version.delete({ ignoreNotFound: true })
    })
  }

  async *list(prefix: string): AsyncGenerator<StoredObject> {
    for (let pageToken: string | undefined; ; ) {
      const [files, next] = await this.#tell(prefix, () =>
        this.#bucket.getFiles({ prefix, autoPaginate: false, ...(pageToken !== undefined && { pageToken }) }),
      )
      for (const { name, metadata } of files) {
        const sha256 = metadata.metadata?.['sha256']
        yield { key: name, bytes: Number(metadata.size), ...(typeof sha256 === 'string' && { sha256 }) }
      }
      pageToken = (next as { pageToken?: string } | null)?.pageToken
      if (pageToken === undefined) return
    }
  }

  async cool(key: string): Promise<void> {
    const { coldClass } = this.#settings
    if (coldClass !== undefined) await this.#tell(key, () => this.#object(key).setStorageClass(coldClass))
  }

  /** The session of the attempt before, or a new one. */
  async #session(object: File, file: LocalFile, options: PutOptions, mayResume: boolean): Promise<string> {
    const { resume, contentType, metadata, remember } = options
    const before = resume?.['session']
    if (mayResume && typeof before === 'string' && resume?.['sha256'] === file.sha256) return before
    const { storageClass } = this.#settings
    const [session] = await object.createResumableUpload({
      metadata: {
        contentLength: file.bytes,
        contentType,
        md5Hash: base64OfHex(file.md5),
        metadata: { ...metadata },
        ...(storageClass !== undefined && { storageClass }),
      },
    })
    await remember({ session, sha256: file.sha256 })
    return session
  }

  async #send(object: File, file: LocalFile, { signal, contentType }: PutOptions, uri: string): Promise<void> {
    const sending = object.createWriteStream({
      uri,
      resumable: true,
      // The store compares the MD5 that the session was told.
      validation: false,
      metadata: { contentLength: file.bytes, contentType },
    })
    await pipeline(createReadStream(file.path), sending, { signal })
  }

  async #lock(object: File): Promise<void> {
    const { lock } = this.#settings
    if (!lock) return
    const retainUntilTime = new Date(this.#wallMs() + lock.days * dayMs).toISOString()
    await object.setMetadata({ retention: { mode: lock.mode, retainUntilTime } })
  }

  #object(key: string): File {
    const { kmsKey } = this.#settings
    return this.#bucket.file(key, kmsKey === undefined ? {} : { kmsKeyName: kmsKey })
  }

  async #tell<Result>(key: string, run: () => Promise<Result>): Promise<Result> {
    try {
      return await run()
    } catch (error) {
      throw gcsError(error, key)
    }
  }
}

const isThere = (object: StoredObject | undefined, { bytes, sha256 }: LocalFile): boolean =>
  object?.bytes === bytes && object.sha256 === sha256

/** Resolves with the first byte, or the end, so that an object that is not there is told by the call itself. */
function answered(from: Readable): Promise<Readable> {
  return new Promise((resolve, reject) => {
    const to = new PassThrough()
    let given = false
    const give = (): void => {
      given = true
      resolve(to)
    }
    from.on('error', (error) => {
      if (given) to.destroy(error)
      else reject(error)
    })
    from.once('data', give)
    from.once('end', give)
    to.once('close', () => from.destroy())
    from.pipe(to)
  })
}

interface GcsFault {
  readonly code?: number | string
  readonly status?: number
  readonly response?: { readonly status?: number; readonly statusCode?: number }
  readonly errors?: readonly { readonly reason?: string }[]
}

/** https://cloud.google.com/storage/docs/json_api/v1/status-codes */
const byReason: Readonly<Record<string, ArchiveFailure>> = {
  retentionPolicyNotMet: 'archive.locked',
  objectUnderActiveHold: 'archive.locked',
  rateLimitExceeded: 'archive.busy',
  userRateLimitExceeded: 'archive.busy',
  quotaExceeded: 'archive.full',
}

function statusOf(error: unknown): number | undefined {
  const { code, status, response } = error as GcsFault
  return typeof code === 'number' ? code : (status ?? response?.status ?? response?.statusCode)
}

/** 404 or 410 of the session itself. */
const isSessionGone = (error: unknown): boolean => [404, 410].includes(statusOf(error) ?? 0)

/** What Google's client throws, in the words of archiveFailures. */
export function gcsError(error: unknown, key: string): ArchiveError {
  if (error instanceof ArchiveError) return error
  const { code, errors } = error as GcsFault
  const words = wordsOf(error)
  const reason = errors?.find((one) => one.reason !== undefined)?.reason ?? ''
  const failure =
    byReason[reason] ??
    (/invalid_grant|Invalid JWT|token must be a short-lived/i.test(words)
      ? clockOrCredentials(words)
      : /md5|crc32c|hash/i.test(words) && statusOf(error) === 400
        ? 'archive.damaged'
        : failureOf(typeof code === 'string' ? code : undefined, statusOf(error)))
  return new ArchiveError(failure, `${key}: ${words}`, { cause: error })
}

/** Google says so when `iat` and `exp` of the signed assertion lie outside its own time. */
const clockOrCredentials = (words: string): ArchiveFailure =>
  /short-lived|iat|exp/i.test(words) ? 'archive.clock-skew' : 'archive.refused'
