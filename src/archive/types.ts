/**
 * A store for finished files: a folder, or a bucket of a cloud. All of them have this shape and pass the contract in
 * test-support.ts.
 *
 *   archive.ts ── put, head, open, remove ─▶  ArchiveStore  ── official client ─▶  S3, Google Cloud Storage, Azure
 *
 * Keys are relative, with `/` between folders; names of metadata are lower-case letters alone, which every store takes.
 */
import type { Readable } from 'node:stream'

export const storeNames = ['local', 's3', 'gcs', 'azure'] as const
export type StoreName = (typeof storeNames)[number]

/** What an upload that was broken off goes on from: kept by the caller, understood by the store alone. Holds capabilities. */
export type Resume = Readonly<Record<string, string | number>>

/** A file to be stored, and what it consists of. */
export interface LocalFile {
  readonly path: string
  readonly bytes: number
  /** In hex. */
  readonly sha256: string
  readonly md5: string
}

export interface PutOptions {
  readonly contentType: string
  readonly metadata: Readonly<Record<string, string>>
  /** From an attempt before this one. */
  readonly resume?: Resume | undefined
  /** Keep this for the next attempt. */
  readonly remember: (resume: Resume) => Promise<void>
  readonly signal: AbortSignal
}

export interface StoredObject {
  readonly key: string
  readonly bytes: number
  /** In hex, of what was put; absent where the store does not tell, and for objects that others put. */
  readonly sha256?: string
}

export interface ByteRange {
  readonly from: number
  /** Behind the last byte; the end of the object unless given. */
  readonly until?: number
}

export interface ArchiveStore {
  readonly name: StoreName
  /** Where an object lies, for people and programs: `s3://bucket/key`. */
  uri(key: string): string
  /**
   * Resolves when the store has the whole file and every part of it was checked by a checksum on its arrival. An object
   * of that key is replaced. A repetition after a crash goes on where `resume` says.
   * @throws {ArchiveError}
   */
  put(key: string, file: LocalFile, options: PutOptions): Promise<void>
  /** undefined when it is not there. @throws {ArchiveError} */
  head(key: string): Promise<StoredObject | undefined>
  /** @throws {ArchiveError} `archive.object-gone` and others; so may the stream. */
  open(key: string, range?: ByteRange): Promise<Readable>
  /** With all its versions, and what uploads of it left unfinished. What is not there is fine. @throws {ArchiveError} */
  remove(key: string): Promise<void>
  /** All objects whose keys begin so. @throws {ArchiveError} */
  list(prefix: string): AsyncIterable<StoredObject>
  /** Move an object to the colder class of the settings; absent where the store has no classes. @throws {ArchiveError} */
  cool?(key: string): Promise<void>
}
