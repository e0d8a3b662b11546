/**
 * An archive in S3 or what speaks its protocol (Ceph, MinIO, Swift, Wasabi, …), through Amazon's client.
 *
 * Each request is signed over the SHA-256 of its body and carries its MD5, so the store has checked every byte of every
 * part before it says yes. Longer files go in parts; after a crash those that the store has already (by their MD5) are not
 * sent again. https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
 */
import { readFile } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import type * as Client from '@aws-sdk/client-s3'
import type { S3Client, StorageClass } from '@aws-sdk/client-s3'
import { ArchiveError } from '../failures.ts'
import { base64OfHex, partBytesOf, partsOf } from '../local-file.ts'
import type { ArchiveStore, ByteRange, LocalFile, PutOptions, StoredObject } from '../types.ts'
import { hasName, isMissing, s3Error } from './errors.ts'

export interface S3Settings {
  readonly bucket: string
  readonly region: string
  /** `https://s3.example.com`; Amazon's unless given. */
  readonly endpoint?: string | undefined
  /** `https://host/bucket/key` instead of `https://bucket.host/key`. */
  readonly pathStyle?: boolean | undefined
  /** Without them the client looks in the environment, the profile, the instance. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined
  /** By the store, with its own key or one of KMS; as the bucket says unless given. */
  readonly encryption?: 'AES256' | 'aws:kms' | undefined
  readonly kmsKey?: string | undefined
  readonly storageClass?: string | undefined
  readonly coldClass?: string | undefined
  /** Nobody may delete an object before it is so old. */
  readonly lock?: { readonly mode: 'GOVERNANCE' | 'COMPLIANCE'; readonly days: number } | undefined
}

type Sdk = typeof Client

const connectMs = 5_000
/** Without a byte in either direction. */
const silentMs = 60_000
const dayMs = 86_400_000

export class S3Store implements ArchiveStore {
  readonly name = 's3'
  readonly #sdk: Sdk
  readonly #client: S3Client
  readonly #settings: S3Settings
  readonly #wallMs: () => number

  /** @param wallMs Wall time, for locks. */
  constructor(sdk: Sdk, settings: S3Settings, wallMs: () => number) {
    const { region, endpoint, pathStyle, credentials } = settings
    this.#sdk = sdk
    this.#settings = settings
    this.#wallMs = wallMs
    this.#client = new sdk.S3Client({
      region,
      ...(endpoint !== undefined && { endpoint }),
      ...(pathStyle && { forcePathStyle: true }),
      ...(credentials && { credentials }),
      // Other stores than Amazon's do not know its newer checksums; MD5 and the signature do the same.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      // Jobs try again; a part of a long file may be tried at once.
      maxAttempts: 3,
      requestHandler: { connectionTimeout: connectMs, requestTimeout: silentMs, throwOnRequestTimeout: true },
    })
  }

  uri(key: string): string {
    return `s3://${this.#settings.bucket}/${key}`
  }

  async put(key: string, file: LocalFile, options: PutOptions): Promise<void> {
    await this.#tell(key, async () => {
      const bytesAPart = partBytesOf(file.bytes)
      if (file.bytes <= bytesAPart) await this.#putAtOnce(key, file, options)
      else await this.#putInParts(key, file, bytesAPart, options)
      const there = await this.head(key)
      if (there?.bytes !== file.bytes || there.sha256 !== file.sha256) throw new ArchiveError('archive.damaged', key)
    })
  }

  async head(key: string): Promise<StoredObject | undefined> {
    return this.#tell(key, async () => {
      try {
        const found = await this.#client.send(new this.#sdk.HeadObjectCommand(this.#at(key)))
        const sha256 = found.Metadata?.['sha256']
        return { key, bytes: found.ContentLength ?? 0, ...(sha256 !== undefined && { sha256 }) }
      } catch (error) {
        if (!isMissing(error)) throw error
        // The answer to a HEAD does not say whether the bucket is missing, too.
        await this.#client
          .send(new this.#sdk.HeadBucketCommand({ Bucket: this.#settings.bucket }))
          .catch((fault: unknown) => {
            throw isMissing(fault)
              ? new ArchiveError('archive.no-bucket', this.#settings.bucket, { cause: fault })
              : fault
          })
        return undefined
      }
    })
  }

  async open(key: string, range?: ByteRange): Promise<Readable> {
    return this.#tell(key, async () => {
      const { Body } = await this.#client.send(
        new this.#sdk.GetObjectCommand({
          ...this.#at(key),
          ...(range && { Range: `bytes=${range.from}-${range.until === undefined ? '' : range.until - 1}` }),
        }),
      )
      // On Node the body is a stream; the type allows for browsers.
      return Body as Readable
    })
  }

  async remove(key: string): Promise<void> {
    await this.#tell(key, async () => {
      await this.#abortUploads(key)
      const gone = await this.#client.send(new this.#sdk.DeleteObjectCommand(this.#at(key)))
      // In a bucket with versions that only hid it.
      if (gone.DeleteMarker || gone.VersionId !== undefined) await this.#removeVersions(key)
    })
  }

  async *list(prefix: string): AsyncGenerator<StoredObject> {
    for (let token: string | undefined; ; ) {
      const page = await this.#tell(prefix, () =>
        this.#client.send(
          new this.#sdk.ListObjectsV2Command({
            Bucket: this.#settings.bucket,
            Prefix: prefix,
            ContinuationToken: token,
          }),
        ),
      )
      for (const { Key: key = '', Size: bytes = 0 } of page.Contents ?? []) yield { key, bytes }
      token = page.NextContinuationToken
      if (!page.IsTruncated || token === undefined) return
    }
  }

  async cool(key: string): Promise<void> {
    const { bucket, coldClass } = this.#settings
    if (coldClass === undefined) return
    await this.#tell(key, () =>
      this.#client.send(
        new this.#sdk.CopyObjectCommand({
          ...this.#at(key),
          CopySource: `${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`,
          MetadataDirective: 'COPY',
          ...this.#kept(),
          StorageClass: coldClass as StorageClass,
        }),
      ),
    )
  }

  async #putAtOnce(key: string, file: LocalFile, { contentType, metadata, signal }: PutOptions): Promise<void> {
    await this.#client.send(
      new this.#sdk.PutObjectCommand({
        ...this.#at(key),
        Body: await readFile(file.path),
        ContentMD5: base64OfHex(file.md5),
        ContentType: contentType,
        Metadata: { ...metadata },
        ...this.#kept(),
      }),
      { abortSignal: signal },
    )
  }

  async #putInParts(key: string, file: LocalFile, bytesAPart: number, options: PutOptions): Promise<void> {
    const { signal } = options
    const { uploadId, there } = await this.#upload(key, file, options)
    const parts: { ETag: string | undefined; PartNumber: number }[] = []
    for await (const { number, data, md5 } of partsOf(file, bytesAPart)) {
      const known = there.get(number)
      if (known === `"${md5}"`) {
        parts.push({ ETag: known, PartNumber: number })
        continue
      }
      const { ETag } = await this.#client.send(
        new this.#sdk.UploadPartCommand({
          ...this.#at(key),
          UploadId: uploadId,
          PartNumber: number,
          Body: data,
          ContentMD5: base64OfHex(md5),
        }),
        { abortSignal: signal },
      )
      parts.push({ ETag, PartNumber: number })
    }
    await this.#client.send(
      new this.#sdk.CompleteMultipartUploadCommand({
        ...this.#at(key),
        UploadId: uploadId,
        MultipartUpload: { Parts: parts },
      }),
      { abortSignal: signal },
    )
  }

  /** The upload of the attempt before, with the parts that are there; else a new one. */
  async #upload(
    key: string,
    file: LocalFile,
    { contentType, metadata, resume, remember, signal }: PutOptions,
  ): Promise<{ uploadId: string; there: ReadonlyMap<number, string> }> {
    const before = resume?.['uploadId']
    if (typeof before === 'string' && resume?.['sha256'] === file.sha256) {
      const there = await this.#partsOf(key, before)
      if (there) return { uploadId: before, there }
    }
    const { UploadId } = await this.#client.send(
      new this.#sdk.CreateMultipartUploadCommand({
        ...this.#at(key),
        ContentType: contentType,
        Metadata: { ...metadata },
        ...this.#kept(),
      }),
      { abortSignal: signal },
    )
    if (UploadId === undefined) throw new ArchiveError('archive.failed', `${key}: the store began no upload`)
    await remember({ uploadId: UploadId, sha256: file.sha256 })
    return { uploadId: UploadId, there: new Map() }
  }

  /** ETags by number; undefined when the store knows the upload no more. */
  async #partsOf(key: string, uploadId: string): Promise<Map<number, string> | undefined> {
    const there = new Map<number, string>()
    for (let marker: string | undefined; ; ) {
      try {
        const page = await this.#client.send(
          new this.#sdk.ListPartsCommand({ ...this.#at(key), UploadId: uploadId, PartNumberMarker: marker }),
        )
        for (const { PartNumber, ETag } of page.Parts ?? [])
          if (PartNumber !== undefined && ETag !== undefined) there.set(PartNumber, ETag)
        marker = page.NextPartNumberMarker
        if (!page.IsTruncated || marker === undefined) return there
      } catch (error) {
        if (hasName(error, 'NoSuchUpload')) return undefined
        throw error
      }
    }
  }

  async #abortUploads(key: string): Promise<void> {
    const { Uploads = [] } = await this.#client.send(
      new this.#sdk.ListMultipartUploadsCommand({ Bucket: this.#settings.bucket, Prefix: key }),
    )
    for (const { Key, UploadId } of Uploads)
      if (Key === key)
        await this.#client.send(new this.#sdk.AbortMultipartUploadCommand({ ...this.#at(key), UploadId }))
  }

  async #removeVersions(key: string): Promise<void> {
    for (let marker: { KeyMarker?: string; VersionIdMarker?: string } = {}; ; ) {
      const page = await this.#client.send(
        new this.#sdk.ListObjectVersionsCommand({ Bucket: this.#settings.bucket, Prefix: key, ...marker }),
      )
      for (const { Key, VersionId } of [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])])
        if (Key === key) await this.#client.send(new this.#sdk.DeleteObjectCommand({ ...this.#at(key), VersionId }))
      if (!page.IsTruncated || page.NextKeyMarker === undefined) return
      marker = {
        KeyMarker: page.NextKeyMarker,
        ...(page.NextVersionIdMarker !== undefined && { VersionIdMarker: page.NextVersionIdMarker }),
      }
    }
  }

  /** How the store keeps it: encryption, class, lock. */
  #kept() {
    const { encryption, kmsKey, storageClass, lock } = this.#settings
    return {
      ...(encryption && { ServerSideEncryption: encryption }),
      ...(encryption === 'aws:kms' && kmsKey !== undefined && { SSEKMSKeyId: kmsKey }),
      ...(storageClass !== undefined && { StorageClass: storageClass as StorageClass }),
      ...(lock && {
        ObjectLockMode: lock.mode,
        ObjectLockRetainUntilDate: new Date(this.#wallMs() + lock.days * dayMs),
      }),
    }
  }

  #at(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#settings.bucket, Key: key }
  }

  async #tell<Result>(key: string, run: () => Promise<Result>): Promise<Result> {
    try {
      return await run()
    } catch (error) {
      throw s3Error(error, key)
    }
  }
}
