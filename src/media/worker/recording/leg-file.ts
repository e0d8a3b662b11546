/**
 * One leg's WAV, 16-bit linear: sound put at positions, in any order.
 *
 *   recorder  ── piece, position ─▶  block of half a second  ── output-file.ts ─▶  file
 *
 * A block goes to the file when it is full or half a second old; what comes after that is written over the file at its
 * place. Long gaps are not written: a file reads as zeros where nothing was. Positions and counts are samples of each
 * channel (frames).
 */
import { maxWavDataBytes, wavHeader, wavHeaderBytes } from '../../../codec/wav.ts'
import type { Seal } from '../../../sealing/container/sealer.ts'
import type { RecordedFile } from '../../types.ts'
import type { BlockPool } from './block-pool.ts'
import { createOutput, type OutputFile, outputPath } from './output-file.ts'

/** Sound that knows how to write itself down. */
export interface Piece {
  readonly frames: number
  /** Write `count` of its frames, beginning with number `from`, to `samples` at `at`: a sample for each channel. */
  write(from: number, count: number, samples: Int16Array, at: number): void
}

export interface LegFileOptions {
  readonly path: string
  /** Left out: the file is plain. */
  readonly seal?: Seal | undefined
  readonly sampleRateHz: number
  readonly channels: 1 | 2
  readonly blocks: BlockPool
  /** Wall time of position 0. */
  readonly startedAtMs: number
  /** Writing failed; nothing more will be written. Told once. */
  readonly failed: (text: string) => void
}

/** How much sound a block holds. */
const blocksPerSecond = 2
/** How far before position 0 sound may lie that was overtaken, ms. What lies earlier is dropped. */
const headroomMs = 200
/** What may wait for a slow disk, s: 512 KB at 8 kHz. */
const mostWaitingSeconds = 32

export class LegFile {
  readonly sampleRateHz: number
  readonly channels: 1 | 2
  readonly #options: LegFileOptions
  readonly #file: OutputFile
  /** Wall time of position 0. */
  #startedAtMs: number
  readonly #blockFrames: number
  /** Position of the file's first frame, known once the first block is written. */
  #origin: number | undefined
  /** Just after the last frame, as a position. */
  #end = 0
  #written = 0
  #full = false
  /** The block being filled: it begins at `#blockStart` and holds frames from `#from` to `#to`. */
  #block: Int16Array
  #blockStart: number
  #from: number
  #to: number

  constructor(options: LegFileOptions) {
    const { sampleRateHz, channels, blocks } = options
    this.#options = options
    this.#startedAtMs = options.startedAtMs
    this.sampleRateHz = sampleRateHz
    this.channels = channels
    this.#blockFrames = sampleRateHz / blocksPerSecond
    this.#block = blocks.take(this.#blockFrames * channels)
    const headroom = (sampleRateHz * headroomMs) / 1000
    this.#blockStart = -headroom
    this.#from = headroom
    this.#to = headroom
    this.#file = createOutput({ ...options, maxWaitingBytes: mostWaitingSeconds * sampleRateHz * channels * 2 })
    this.#file.write(this.#header(), 0)
  }

  /** Put sound to its place: what lies before the block straight into the file, the rest into the block. */
  put(piece: Piece, position: number): void {
    const earliest = this.#origin ?? this.#blockStart
    let skip = Math.max(0, earliest - position)
    if (skip >= piece.frames || !this.#fits(position + piece.frames)) return
    this.#written += piece.frames - skip
    if (position + skip < this.#blockStart) skip += this.#putLate(piece, position, skip)
    while (skip < piece.frames) skip += this.#putIntoBlock(piece, position, skip)
  }

  /** Silence over all that was put so far. */
  clear(): void {
    this.#silence(this.#from, this.#to)
    if (this.#origin === undefined || this.#blockStart <= this.#origin) return
    const frames = this.#blockStart - this.#origin
    this.#write(new Int16Array(frames * this.channels), 0, frames, this.#origin)
  }

  /** Write the block and begin the next one where it ended, or at `next`. */
  flush(next?: number): void {
    if (this.#to > this.#from) {
      const { blocks } = this.#options
      const block = this.#block
      this.#beginFile()
      this.#write(block, this.#from, this.#to, this.#blockStart + this.#from, () => blocks.giveBack(block))
      this.#block = blocks.take(block.length)
      this.#blockStart += this.#to
      this.#from = 0
      this.#to = 0
    }
    if (next !== undefined) this.#blockStart = next
  }

  /**
   * Write the rest and close. Resolves with undefined when the file could not be made.
   * @param earlierMs So much earlier than was thought at first was the first frame said.
   */
  async close(earlierMs = 0): Promise<RecordedFile | undefined> {
    this.flush()
    this.#startedAtMs -= earlierMs
    this.#options.blocks.giveBack(this.#block)
    const samples = this.#end - (this.#origin ?? 0)
    const dataBytes = samples * this.channels * 2
    this.#file.write(this.#header(dataBytes), 0)
    if (!(await this.#file.close())) return undefined
    return {
      path: outputPath(this.#options),
      sampleRateHz: this.sampleRateHz,
      channels: this.channels,
      samples,
      bytes: wavHeaderBytes + dataBytes,
      startedAtMs: this.#firstSampleAtMs,
      missingSamples: Math.max(0, samples - this.#written),
    }
  }

  get #firstSampleAtMs(): number {
    return this.#startedAtMs + ((this.#origin ?? 0) * 1000) / this.sampleRateHz
  }

  #header(dataBytes?: number): Buffer {
    const { sampleRateHz, channels } = this
    const spec = { sampleRateHz, channels, startedAtMs: this.#firstSampleAtMs }
    return wavHeader(dataBytes === undefined ? spec : { ...spec, dataBytes })
  }

  /** Whether the file's length fields can hold frames up to here; the first that do not fit end the recording. */
  #fits(end: number): boolean {
    if ((end - (this.#origin ?? 0)) * this.channels * 2 <= maxWavDataBytes) return true
    if (!this.#full) this.#options.failed('a WAV file holds no more than 4 GiB')
    this.#full = true
    return false
  }

  /** @returns How many frames were taken. */
  #putLate(piece: Piece, position: number, skip: number): number {
    const count = Math.min(piece.frames - skip, this.#blockStart - position - skip)
    const samples = new Int16Array(count * this.channels)
    piece.write(skip, count, samples, 0)
    this.#write(samples, 0, count, position + skip)
    return count
  }

  /** @returns How many frames were taken. */
  #putIntoBlock(piece: Piece, position: number, skip: number): number {
    if (position + skip >= this.#blockStart + this.#blockFrames) this.flush(position + skip)
    const at = position + skip - this.#blockStart
    const count = Math.min(piece.frames - skip, this.#blockFrames - at)
    if (at > this.#to) this.#silence(this.#to, at)
    if (at + count < this.#from) this.#silence(at + count, this.#from)
    piece.write(skip, count, this.#block, at * this.channels)
    this.#from = Math.min(this.#from, at)
    this.#to = Math.max(this.#to, at + count)
    this.#end = Math.max(this.#end, position + skip + count)
    return count
  }

  #silence(from: number, to: number): void {
    this.#block.fill(0, from * this.channels, to * this.channels)
  }

  /** With the first block it is known where the file begins, and that nothing can come before. */
  #beginFile(): void {
    if (this.#origin !== undefined) return
    this.#origin = this.#blockStart + this.#from
    if (this.#origin !== 0) this.#file.write(this.#header(), 0)
  }

  #write(samples: Int16Array, from: number, to: number, position: number, done?: () => void): void {
    const frameBytes = this.channels * 2
    // WAV is little-endian, and so is every processor that Node 24 runs on but s390x.
    const bytes = new Uint8Array(samples.buffer, samples.byteOffset + from * frameBytes, (to - from) * frameBytes)
    this.#file.write(bytes, wavHeaderBytes + (position - (this.#origin ?? 0)) * frameBytes, done)
  }
}
