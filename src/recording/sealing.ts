/**
 * Files of recordings that are sealed (../sealing): what recording/ needs of the keys, files written whole, and leg files
 * that a crash cut off.
 */
import { copyFile, type FileHandle, open } from 'node:fs/promises'
import { basename } from 'node:path'
import type { Logger } from '../core/logger.ts'
import type { WrappedKey } from '../sealing/container/key-place.ts'
import { maxBodyBytes } from '../sealing/container/layout.ts'
import { type OpenKey, SealedReader } from '../sealing/container/reader.ts'
import { endSealed, type LastWords } from '../sealing/container/repair.ts'
import { type Seal, Sealer } from '../sealing/container/sealer.ts'
import { plainName, type StoredFile, sealedExtension } from '../sealing/stored-file.ts'

/** Kept by sealing/keys/key-ring.ts. */
export interface RecordingKeys {
  /** For a recording that begins; undefined when new ones are plain. @throws {SealingError} */
  readonly newSeal: ((recordingId: string) => Seal) | undefined
  /** Its notes (who spoke) are sealed too. */
  readonly sealNotes: boolean
  /** For further files of a recording that has its key. @throws {SealingError} */
  readonly sealAgain: (key: WrappedKey, recordingId: string) => Promise<Seal>
  readonly openKey: OpenKey
}

/** The name on disk. */
export const nameOnDisk = (name: string, seal: Seal | undefined): string => (seal ? name + sealedExtension : name)

/** A file that is written from here, plain or sealed. */
export class OutputFile {
  readonly #file: FileHandle
  readonly #sealer: Sealer | undefined
  #at = 0

  private constructor(file: FileHandle, sealer: Sealer | undefined) {
    this.#file = file
    this.#sealer = sealer
  }

  /** @param path On disk; what is there is written over. @throws What the file system throws. */
  static async create(path: string, seal: Seal | undefined, madeAtMs: number): Promise<OutputFile> {
    const sealer = seal && new Sealer(seal, plainName(basename(path)), Math.round(madeAtMs))
    const output = new OutputFile(await open(path, 'w', 0o640), sealer)
    if (sealer) await output.#append(sealer.start)
    return output
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    if (this.#sealer) await this.#append(this.#sealer.write(bytes, position))
    else await writeAll(this.#file, bytes, position)
  }

  /** All is written: sync it. */
  async finish(): Promise<void> {
    if (this.#sealer) await this.#append(this.#sealer.end())
    await this.#file.sync()
  }

  async close(): Promise<void> {
    await this.#file.close()
  }

  async #append(bytes: Uint8Array): Promise<void> {
    await writeAll(this.#file, bytes, this.#at)
    this.#at += bytes.length
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let done = 0
  while (done < bytes.length) {
    done += (await file.write(bytes, done, bytes.length - done, position + done)).bytesWritten
  }
}

/** What is read of a file, plain or sealed. */
export type Readable = Pick<StoredFile, 'read' | 'size'>

/**
 * Look at a sealed file of a leg, synced to disk; if a crash cut it off, put the end to it that `look` asks for.
 * @param look undefined: there is nothing in it, and it stays as it is.
 * @throws {SealingError} and what the file system throws.
 */
export async function settleSealed<Result>(
  path: string,
  { openKey, log }: { readonly openKey: OpenKey; readonly log: Logger },
  look: (file: Readable) => Promise<(LastWords & { readonly result: Result }) | undefined>,
): Promise<Result | undefined> {
  const file = await open(path, 'r+')
  try {
    const reader = await SealedReader.open(file, openKey)
    const found = await look(reader)
    if (!found) return undefined
    if (reader.problem === undefined) await file.sync()
    else {
      // A kill leaves a part of one record. More than that is no crash of ours: what it was is kept to be looked at.
      if (reader.leftBytes > maxBodyBytes) await copyFile(path, `${path}.damaged`)
      log.info('A sealed file without its end was ended', {
        path,
        problem: reader.problem,
        leftBytes: reader.leftBytes,
      })
      await endSealed(file, reader, found)
    }
    return found.result
  } finally {
    await file.close()
  }
}
