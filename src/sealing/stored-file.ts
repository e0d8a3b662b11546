/**
 * Any file of a recording, opened for reading: plain or sealed, the reader need not know.
 *
 *   api/ (download, player), recording/ (combining, export), archive/, jobs  ── openStored ─▶  here  ─▶  file
 *
 * On disk a sealed file has `.sealed` behind its name; what it is, is told by its first bytes.
 */
import { open, stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import type { ByteSource } from './container/byte-source.ts'
import { magic } from './container/layout.ts'
import { type OpenKey, SealedReader } from './container/reader.ts'
import { SealingError } from './failures.ts'

export const sealedExtension = '.sealed'

/** `x.wav` of `x.wav.sealed`: what the file is called for people. */
export const plainName = (name: string): string =>
  name.endsWith(sealedExtension) ? name.slice(0, -sealedExtension.length) : name

export interface StoredFile {
  readonly sealed: boolean
  /** Whose file it is, as its sealed head says; of a plain one nobody knows. */
  readonly recordingId?: string
  /** Bytes, in the clear. */
  readonly size: number
  /** Fill `length` bytes of `target`, at `offset`, from `position`. Fewer only at the end. @throws {SealingError} `sealing.damaged` */
  read(target: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesRead: number }>
  /** Twice is fine. */
  close(): Promise<void>
}

export interface OpenOptions {
  /** Without it sealed files are refused. */
  readonly openKey?: OpenKey | undefined
  /** Take also what a crash cut off, as far as it can be read. */
  readonly unfinished?: boolean
}

const noKeys: OpenKey = ({ master }) => Promise.reject(new SealingError('sealing.key-missing', master))

/**
 * @param path As on disk.
 * @throws {SealingError} and what the file system throws.
 */
export async function openStored(path: string, options: OpenOptions = {}): Promise<StoredFile> {
  return openSource(await open(path, 'r'), options)
}

/**
 * The same of a file that is not on this disk.
 * @param file Closed when it cannot be opened, or with what is returned.
 * @throws {SealingError} and what the source throws.
 */
export async function openSource(
  file: ByteSource,
  { openKey = noKeys, unfinished = false }: OpenOptions = {},
): Promise<StoredFile> {
  try {
    if (!(await isSealed(file))) return new PlainFile(file, (await file.stat()).size)
    const reader = await SealedReader.open(file, openKey)
    if (reader.problem !== undefined && !unfinished) throw new SealingError('sealing.unfinished', reader.problem)
    return new SealedFile(file, reader)
  } catch (error) {
    await file.close()
    throw error
  }
}

/** Whether the file is sealed, by its first bytes. */
export async function isSealed(file: ByteSource): Promise<boolean> {
  const first = Buffer.alloc(magic.length)
  await file.read(first, 0, first.length, 0)
  return first.equals(magic)
}

/** Where a file lies: as it is named, or sealed. undefined when it is not there. */
export async function findStored(path: string): Promise<string | undefined> {
  const plain = plainName(path)
  for (const candidate of [`${plain}${sealedExtension}`, plain])
    if (await stat(candidate).catch(absent)) return candidate
  return undefined
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined
  throw error
}

/** All of a small file. */
export async function readStored(path: string, options: OpenOptions = {}): Promise<Buffer> {
  const file = await openStored(path, options)
  try {
    const bytes = Buffer.alloc(file.size)
    const { bytesRead } = await file.read(bytes, 0, bytes.length, 0)
    return bytes.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

const streamedBytes = 65_536

/** Bytes `from` until before `until`, for a response or a child process; closes the file when it ends. */
export function streamStored(file: StoredFile, from = 0, until = file.size): Readable {
  async function* bytes(): AsyncGenerator<Buffer> {
    try {
      for (let at = from; at < until; ) {
        const wanted = Math.min(streamedBytes, until - at)
        const { bytesRead, piece } = await readPiece(file, at, wanted)
        if (bytesRead === 0) return
        at += bytesRead
        yield piece
      }
    } finally {
      await file.close()
    }
  }
  const stream = Readable.from(bytes(), { objectMode: false, highWaterMark: streamedBytes })
  // Destroyed before it was read, the generator never runs, and so never closes.
  stream.once('close', () => void file.close())
  return stream
}

async function readPiece(file: StoredFile, at: number, wanted: number): Promise<{ bytesRead: number; piece: Buffer }> {
  const buffer = Buffer.allocUnsafe(wanted)
  let done = 0
  while (done < wanted) {
    const { bytesRead } = await file.read(buffer, done, wanted - done, at + done)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return { bytesRead: done, piece: buffer.subarray(0, done) }
}

class PlainFile implements StoredFile {
  readonly sealed = false
  readonly size: number
  #file: ByteSource | undefined

  constructor(file: ByteSource, size: number) {
    this.#file = file
    this.size = size
  }

  async read(target: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesRead: number }> {
    if (!this.#file) return { bytesRead: 0 }
    return this.#file.read(target, offset, length, position)
  }

  async close(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    await file?.close()
  }
}

class SealedFile implements StoredFile {
  readonly sealed = true
  readonly recordingId: string
  readonly size: number
  readonly #reader: SealedReader
  #file: ByteSource | undefined

  constructor(file: ByteSource, reader: SealedReader) {
    this.#file = file
    this.#reader = reader
    this.recordingId = reader.about.recordingId
    this.size = reader.size
  }

  read(target: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesRead: number }> {
    return this.#reader.read(target, offset, length, position)
  }

  async close(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    await file?.close()
  }
}
