/** A file that is to be stored: what it consists of, and its parts. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import type { LocalFile } from './types.ts'

/** Read it once: its length and its hashes. @throws What the file system throws. */
export async function describeFile(path: string, signal?: AbortSignal): Promise<LocalFile> {
  const sha256 = createHash('sha256')
  const md5 = createHash('md5')
  let bytes = 0
  for await (const piece of createReadStream(path, { highWaterMark: 1 << 18, signal })) {
    const chunk = piece as Buffer
    sha256.update(chunk)
    md5.update(chunk)
    bytes += chunk.length
  }
  return { path, bytes, sha256: sha256.digest('hex'), md5: md5.digest('hex') }
}

/** Stores take at least 5 MiB a part but for the last, and 10,000 parts; Azure 50,000. */
const partBytes = 8 << 20
const mostParts = 9_000

/** How long the parts of a file of this length are: a whole number of MiB. */
export const partBytesOf = (bytes: number): number =>
  Math.max(partBytes, Math.ceil(bytes / mostParts / (1 << 20)) << 20)

export interface FilePart {
  /** From 1. */
  readonly number: number
  readonly data: Buffer
  /** In hex. */
  readonly md5: string
}

/** One part after the other, each in a buffer of its own. @throws When the file became shorter meanwhile. */
export async function* partsOf(file: LocalFile, bytesAPart: number): AsyncGenerator<FilePart> {
  const handle = await open(file.path, 'r')
  try {
    for (let at = 0, number = 1; at < file.bytes; at += bytesAPart, number++) {
      const data = Buffer.allocUnsafe(Math.min(bytesAPart, file.bytes - at))
      for (let done = 0; done < data.length; ) {
        const { bytesRead } = await handle.read(data, done, data.length - done, at + done)
        if (bytesRead === 0) throw new Error(`${file.path} became shorter while it was stored`)
        done += bytesRead
      }
      yield { number, data, md5: createHash('md5').update(data).digest('hex') }
    }
  } finally {
    await handle.close()
  }
}

export const base64OfHex = (hex: string): string => Buffer.from(hex, 'hex').toString('base64')
