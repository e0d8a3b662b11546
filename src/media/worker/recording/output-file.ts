/**
 * The file that a leg is written to: plain, or sealed as the call runs, so that its sound is never on the disk in the clear.
 *
 *   leg-file.ts, raw-file.ts  ── bytes, position ─▶  here  ─┬──────────────▶  positional-file.ts
 *                                                          └── a record ──▶  positional-file.ts, appended
 */
import { basename } from 'node:path'
import { type Seal, Sealer } from '../../../sealing/container/sealer.ts'
import { PositionalFile } from './positional-file.ts'

export interface OutputFile {
  /** @param done Called when `bytes` are no longer needed, written or not. */
  write(bytes: Uint8Array, position: number, done?: () => void): void
  /** Write what waits and close. Resolves with whether the file exists. */
  close(): Promise<boolean>
}

export interface OutputOptions {
  readonly path: string
  /** Left out: the file is plain. */
  readonly seal?: Seal | undefined
  /** Wall time of its first sound. */
  readonly startedAtMs: number
  /** Told once, with the reason. */
  readonly failed: (text: string) => void
  /** What may wait for a slow disk. */
  readonly maxWaitingBytes?: number
}

/** Where the file comes to lie. */
export const outputPath = ({ path, seal }: Pick<OutputOptions, 'path' | 'seal'>): string =>
  seal ? `${path}.sealed` : path

export function createOutput(options: OutputOptions): OutputFile {
  const { path, seal, failed, maxWaitingBytes, startedAtMs } = options
  const file = new PositionalFile(outputPath(options), failed, maxWaitingBytes)
  return seal ? new SealedOutput(file, new Sealer(seal, basename(path), Math.round(startedAtMs))) : file
}

class SealedOutput implements OutputFile {
  readonly #file: PositionalFile
  readonly #sealer: Sealer
  /** Where the next record goes. */
  #at: number
  #closed: Promise<boolean> | undefined

  constructor(file: PositionalFile, sealer: Sealer) {
    this.#file = file
    this.#sealer = sealer
    this.#at = sealer.start.length
    file.write(sealer.start, 0)
  }

  write(bytes: Uint8Array, position: number, done?: () => void): void {
    this.#append(this.#sealer.write(bytes, position))
    done?.()
  }

  /** What could not be written before leaves the file without an end: the next reading finds how far it is whole. */
  close(): Promise<boolean> {
    if (!this.#closed) {
      this.#append(this.#sealer.end())
      this.#closed = this.#file.close()
    }
    return this.#closed
  }

  #append(record: Buffer): void {
    this.#file.write(record, this.#at)
    this.#at += record.length
  }
}
