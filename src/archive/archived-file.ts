/**
 * A file that is only in an archive, read by position like one on the disk: a megabyte at a time, the last few of which
 * are kept, so that small reads, and jumps back, cost no request.
 */
import { buffer } from 'node:stream/consumers'
import type { Location } from './locations.ts'
import type { ArchiveStore } from './types.ts'

type Copy = Pick<Location, 'key' | 'bytes' | 'sha256' | 'storedAtMs'>

const blockBytes = 1 << 20
const keptBlocks = 8

export class ArchivedFile {
  /** Of the file as it lies in the store. */
  readonly sha256: string
  readonly storedAtMs: number
  readonly #store: ArchiveStore
  readonly #key: string
  readonly #bytes: number
  /** By number, the one used last at the end. */
  readonly #blocks = new Map<number, Promise<Buffer>>()

  private constructor(store: ArchiveStore, { key, bytes, sha256, storedAtMs }: Copy) {
    this.#store = store
    this.#key = key
    this.#bytes = bytes
    this.sha256 = sha256
    this.storedAtMs = storedAtMs
  }

  /** @throws {ArchiveError} when the store does not answer, or has it no more. */
  static async open(store: ArchiveStore, copy: Copy): Promise<ArchivedFile> {
    const file = new ArchivedFile(store, copy)
    // The beginning is what everybody reads first.
    if (copy.bytes > 0) await file.#block(0)
    return file
  }

  /** As of a FileHandle: fewer bytes than asked for only at the end. @throws {ArchiveError} */
  async read(target: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesRead: number }> {
    const bytesRead = Math.max(0, Math.min(length, this.#bytes - position))
    for (let done = 0; done < bytesRead; ) {
      const at = position + done
      const block = await this.#block(Math.floor(at / blockBytes))
      const from = at % blockBytes
      const piece = block.subarray(from, Math.min(block.length, from + bytesRead - done))
      target.set(piece, offset + done)
      done += piece.length
    }
    return { bytesRead }
  }

  stat(): Promise<{ readonly size: number }> {
    return Promise.resolve({ size: this.#bytes })
  }

  close(): Promise<void> {
    this.#blocks.clear()
    return Promise.resolve()
  }

  #block(number: number): Promise<Buffer> {
    const block = this.#blocks.get(number) ?? this.#fetch(number)
    this.#blocks.delete(number)
    this.#blocks.set(number, block)
    if (this.#blocks.size > keptBlocks) this.#blocks.delete(this.#blocks.keys().next().value ?? 0)
    // One that could not be had is asked for again next time.
    block.catch(() => this.#blocks.delete(number))
    return block
  }

  async #fetch(number: number): Promise<Buffer> {
    const from = number * blockBytes
    return buffer(await this.#store.open(this.#key, { from, until: Math.min(this.#bytes, from + blockBytes) }))
  }
}
