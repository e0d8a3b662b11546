/**
 * Writes what one port receives into a WAV, 16-bit linear, each sample where its RTP timestamp puts it.
 *
 *   port  ── G.711 packets ─▶  here  ── timeline.ts: where ─▶  block  ── positional-file.ts ─▶  leg file
 *
 * What was received is what is stored, sample for sample; what was lost, or never sent, is silence of the right length.
 * Packets are decoded into a block of half a second; a block goes to the file when it is full or half a second old, and
 * packets that come after that are written over the file at their place. Long gaps are not written: a file reads as
 * zeros where nothing was.
 */
import { decodeG711Into, type G711Law } from '../../codec/g711.ts'
import { maxWavDataBytes, wavHeader, wavHeaderBytes } from '../../codec/wav.ts'
import type { RecordedFile } from '../types.ts'
import { type BlockPool, blockSamples } from './block-pool.ts'
import { PositionalFile } from './positional-file.ts'
import { type Sampled, Timeline } from './timeline.ts'

/** A packet of speech; the recorder keeps nothing of it after `packet` returns. */
export interface SpeechPacket extends Sampled {
  readonly law: G711Law
  readonly bytes: Uint8Array
  /** Where its `samples` codes start in `bytes`. */
  readonly from: number
}

export interface RecorderOptions {
  readonly path: string
  readonly sampleRateHz: number
  readonly blocks: BlockPool
  /** Wall time of a moment of the monotonic clock, ms. */
  readonly wallAt: (nowMs: number) => number
  /** Writing failed; nothing more will be written. Told once. */
  readonly failed: (text: string) => void
}

/** How old a block may grow before it is written, ms. */
const flushMs = 500
/** How far before the first packet to come others may lie that overtook it: 200 ms at 8 kHz. Earlier ones are dropped. */
const headroomSamples = 1600

export class Recorder {
  readonly #options: RecorderOptions
  readonly #timeline: Timeline<SpeechPacket>
  #file: PositionalFile | undefined
  #startedAtMs = 0
  #flushAtMs: number
  /** Position of the file's first sample, known once the first block is written. */
  #origin: number | undefined
  /** Just after the last sample, as a position. */
  #end = 0
  #written = 0
  #full = false
  /** The block being filled: it begins at `#blockStart` and holds samples from `#from` to `#to`. */
  #block: Int16Array
  #blockStart = -headroomSamples
  #from = headroomSamples
  #to = headroomSamples

  /** @param nowMs Recorders that start at different times write at different times. */
  constructor(options: RecorderOptions, nowMs: number) {
    this.#options = options
    this.#block = options.blocks.take()
    this.#flushAtMs = nowMs + flushMs
    this.#timeline = new Timeline(options.sampleRateHz, (packet, position) => this.#put(packet, position), copyOf)
  }

  packet(packet: SpeechPacket, nowMs: number): void {
    if (packet.samples === 0) return
    if (!this.#file) {
      this.#startedAtMs = this.#options.wallAt(nowMs)
      this.#file = new PositionalFile(this.#options.path, this.#options.failed)
      this.#file.write(this.#header(), 0)
    }
    this.#timeline.packet(packet, nowMs)
  }

  /** Time went by: write what is half a second old. */
  tick(nowMs: number): void {
    this.#timeline.settle(nowMs)
    if (nowMs < this.#flushAtMs) return
    this.#flushAtMs += flushMs * Math.ceil((nowMs - this.#flushAtMs + 1) / flushMs)
    this.#flush()
  }

  /** Write the rest and close. Resolves with undefined when there is no file. */
  async close(): Promise<RecordedFile | undefined> {
    this.#timeline.finish()
    this.#flush()
    this.#options.blocks.giveBack(this.#block)
    const file = this.#file
    if (!file) return undefined
    file.write(this.#header(this.#bytes), 0)
    if (!(await file.close())) return undefined
    const samples = this.#bytes / 2
    return {
      path: this.#options.path,
      sampleRateHz: this.#options.sampleRateHz,
      channels: 1,
      samples,
      bytes: wavHeaderBytes + this.#bytes,
      startedAtMs: this.#firstSampleAtMs,
      missingSamples: Math.max(0, samples - this.#written),
    }
  }

  get #bytes(): number {
    return (this.#end - (this.#origin ?? 0)) * 2
  }

  get #firstSampleAtMs(): number {
    return this.#startedAtMs + ((this.#origin ?? 0) * 1000) / this.#options.sampleRateHz
  }

  #header(dataBytes?: number): Buffer {
    const startedAtMs = this.#firstSampleAtMs
    const spec = { sampleRateHz: this.#options.sampleRateHz, channels: 1, startedAtMs }
    return wavHeader(dataBytes === undefined ? spec : { ...spec, dataBytes })
  }

  /** Decode a packet to its place: what lies before the block straight into the file, the rest into the block. */
  #put(packet: SpeechPacket, position: number): void {
    const earliest = this.#origin ?? this.#blockStart
    let skip = Math.max(0, earliest - position)
    if (skip >= packet.samples || !this.#fits(position + packet.samples)) return
    this.#written += packet.samples - skip
    if (position + skip < this.#blockStart) skip += this.#putLate(packet, position, skip)
    while (skip < packet.samples) skip += this.#putIntoBlock(packet, position, skip)
  }

  /** Whether the file's length fields can hold samples up to here; the first that do not fit end the recording. */
  #fits(end: number): boolean {
    if ((end - (this.#origin ?? 0)) * 2 <= maxWavDataBytes) return true
    if (!this.#full) this.#options.failed('a WAV file holds no more than 4 GiB')
    this.#full = true
    return false
  }

  /** @returns How many samples were taken. */
  #putLate(packet: SpeechPacket, position: number, skip: number): number {
    const count = Math.min(packet.samples - skip, this.#blockStart - position - skip)
    const samples = new Int16Array(count)
    decodeG711Into(packet.law, packet.bytes, packet.from + skip, count, samples, 0)
    this.#write(samples, 0, count, position + skip)
    return count
  }

  /** @returns How many samples were taken. */
  #putIntoBlock(packet: SpeechPacket, position: number, skip: number): number {
    if (position + skip >= this.#blockStart + blockSamples) this.#flush(position + skip)
    const at = position + skip - this.#blockStart
    const count = Math.min(packet.samples - skip, blockSamples - at)
    if (at > this.#to) this.#block.fill(0, this.#to, at)
    if (at + count < this.#from) this.#block.fill(0, at + count, this.#from)
    decodeG711Into(packet.law, packet.bytes, packet.from + skip, count, this.#block, at)
    this.#from = Math.min(this.#from, at)
    this.#to = Math.max(this.#to, at + count)
    this.#end = Math.max(this.#end, position + skip + count)
    return count
  }

  /** Write the block and begin the next one where it ended, or at `next`. */
  #flush(next?: number): void {
    if (this.#to > this.#from) {
      const block = this.#block
      this.#beginFile()
      this.#write(block, this.#from, this.#to, this.#blockStart + this.#from, () =>
        this.#options.blocks.giveBack(block),
      )
      this.#block = this.#options.blocks.take()
      this.#blockStart += this.#to
      this.#from = 0
      this.#to = 0
    }
    if (next !== undefined) this.#blockStart = next
  }

  /** With the first block it is known where the file begins, and that no packet can come before. */
  #beginFile(): void {
    if (this.#origin !== undefined) return
    this.#origin = this.#blockStart + this.#from
    if (this.#origin !== 0) this.#file?.write(this.#header(), 0)
  }

  #write(samples: Int16Array, from: number, to: number, position: number, done?: () => void): void {
    // WAV is little-endian, and so is every processor that Node 24 runs on but s390x.
    const bytes = new Uint8Array(samples.buffer, samples.byteOffset + from * 2, (to - from) * 2)
    this.#file?.write(bytes, wavHeaderBytes + (position - (this.#origin ?? 0)) * 2, done)
  }
}

/** A packet that outlives its buffer. */
export function copyOf(packet: SpeechPacket): SpeechPacket {
  // Not slice(): that of a Buffer, which is what sockets give, shares its memory.
  const bytes = Uint8Array.from(packet.bytes.subarray(packet.from, packet.from + packet.samples))
  return {
    ssrc: packet.ssrc,
    sequence: packet.sequence,
    timestamp: packet.timestamp,
    samples: packet.samples,
    law: packet.law,
    bytes,
    from: 0,
  }
}
