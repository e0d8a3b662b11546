/**
 * Makes a sealed file: bytes in at positions, in any order; out come bytes to append.
 *
 *   media worker (leg files), recording/ (combined file, notes)  ── bytes, position ─▶  here  ── append ─▶  file
 *
 * What is written later stands over what was written earlier, as in a plain file; what was never written reads as zeros.
 * Pure: opens no file.
 */
import { randomBytes } from 'node:crypto'
import { type WrappedKey, writeKeyPlace } from './key-place.ts'
import { type CipherName, headBytes, keyPlaces, maxBodyBytes, recordsAt, saltBytes, writeHead } from './layout.ts'
import { RecordCipher, recordKey, tagBeforeAll } from './record-cipher.ts'

/** What it takes to seal files of a recording. The data key is secret; all of it may cross to a worker. */
export interface Seal {
  readonly cipher: CipherName
  readonly recordingId: string
  /** 32 bytes, one for each recording. */
  readonly dataKey: Uint8Array
  /** The same, wrapped: what stands in the files. */
  readonly key: WrappedKey
}

export class Sealer {
  /** The first bytes of the file. */
  readonly start: Buffer
  readonly #records: RecordCipher
  #end = 0

  /** @param file Its name, for the head. */
  constructor({ cipher, recordingId, dataKey, key }: Seal, file: string, madeAtMs: number) {
    const salt = randomBytes(saltBytes)
    this.start = Buffer.alloc(recordsAt)
    writeHead({ cipher, salt, about: { recordingId, file, madeAtMs } }).copy(this.start)
    writeKeyPlace(key, 1).copy(this.start, keyPlaces[0])
    const head = this.start.subarray(0, headBytes)
    const fileKey = recordKey(dataKey, salt, head)
    this.#records = new RecordCipher({ cipher, number: 0, before: tagBeforeAll(head) }, fileKey)
  }

  /** What to append so that `bytes` stand at `position`. They are copied. */
  write(bytes: Uint8Array, position: number): Buffer {
    this.#end = Math.max(this.#end, position + bytes.length)
    if (bytes.length <= maxBodyBytes) return this.#records.seal('data', position, bytes)
    const parts: Buffer[] = []
    for (let at = 0; at < bytes.length; at += maxBodyBytes)
      parts.push(this.#records.seal('data', position + at, bytes.subarray(at, at + maxBodyBytes)))
    return Buffer.concat(parts)
  }

  /** What to append last: without it a file counts as cut off. */
  end(): Buffer {
    return this.#records.seal('end', this.#end)
  }
}

/** All of a small file at once. */
export function sealedWhole(seal: Seal, file: string, madeAtMs: number, bytes: Uint8Array): Buffer {
  const sealer = new Sealer(seal, file, madeAtMs)
  return Buffer.concat([sealer.start, sealer.write(bytes, 0), sealer.end()])
}
