/**
 * The outline of a recording, computed while it is downloaded: the loudest sample of each stretch, for each channel.
 *
 *   fetch ── chunks of any size ─▶ here ── Float32Array a channel ─▶ waveform
 *
 * Memory does not grow with the recording, so an hour opens as easily as a minute; a browser that decodes the whole
 * file needs hundreds of megabytes. Reads RIFF/WAVE of 16-bit PCM, µ-law or A-law, all that the recorder writes; of FLAC,
 * MP3 and Opus see decoded.ts.
 */
import { decodeG711, type G711Law } from '../../../src/codec/g711.ts'

export interface WavFormat {
  readonly channels: number
  readonly sampleRateHz: number
  /** Samples of each channel. */
  readonly samples: number
}

export interface Peaks {
  readonly format: WavFormat
  /** 0..1 for each stretch, for each channel. */
  readonly channels: readonly Float32Array[]
}

/** Wider than any screen in pixels; finer detail is not seen. */
const stretches = 4096
/** By the tag of the format (RFC 2361). */
const laws: Readonly<Record<number, G711Law>> = { 6: 'PCMA', 7: 'PCMU' }
/** Longer headers than this hold no audio we know. */
const longestHeaderBytes = 65_536

export class PeaksReader {
  #format: WavFormat | undefined
  /** Of samples that are codes. */
  #law: G711Law | undefined
  #channels: Float32Array[] = []
  #samplesInStretch = 1
  /** Bytes before the first sample; then those of a sample that a chunk's end cut in two. */
  #rest = new Uint8Array(0)
  /** Values read so far, of all channels. */
  #values = 0

  /** Take the next bytes. @throws {Error} when this is not sound of ours. */
  push(chunk: Uint8Array): void {
    let bytes = joined(this.#rest, chunk)
    if (!this.#format) {
      const header = readHeader(bytes)
      if (!header) {
        if (bytes.length > longestHeaderBytes) throw new Error('This is not a WAV file')
        this.#rest = bytes
        return
      }
      this.#law = header.law
      this.#start(header.format)
      bytes = bytes.subarray(header.dataOffset)
    }
    this.#measure(bytes)
  }

  /** What is known so far; undefined before the header has come. */
  peaks(): Peaks | undefined {
    return this.#format && { format: this.#format, channels: this.#channels }
  }

  #start(format: WavFormat): void {
    this.#format = format
    this.#samplesInStretch = samplesInStretch(format)
    this.#channels = flat(format)
  }

  #measure(bytes: Uint8Array): void {
    const channelCount = this.#channels.length
    const sampleBytes = this.#law ? 1 : 2
    // What follows the last sample are other chunks of the file.
    const left = (this.#format?.samples ?? 0) * channelCount - this.#values
    const count = Math.min(Math.floor(bytes.length / sampleBytes), left)
    const sampleAt = this.#reading(bytes, count)
    let value = this.#values
    for (let index = 0; index < count; index += 1, value += 1) {
      const peaks = this.#channels[value % channelCount]
      const stretch = Math.floor(value / channelCount / this.#samplesInStretch)
      const level = Math.abs(sampleAt(index)) / 32_768
      if (peaks && level > (peaks[stretch] ?? 0)) peaks[stretch] = level
    }
    this.#values = value
    this.#rest = count < left ? bytes.slice(count * sampleBytes) : new Uint8Array(0)
  }

  #reading(bytes: Uint8Array, count: number): (index: number) => number {
    if (this.#law) {
      const samples = decodeG711(this.#law, bytes.subarray(0, count))
      return (index) => samples[index] ?? 0
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    return (index) => view.getInt16(index * 2, true)
  }
}

const samplesInStretch = ({ samples }: WavFormat): number => Math.max(1, Math.ceil(samples / stretches))

/** The outline of silence. */
function flat(format: WavFormat): Float32Array[] {
  const length = Math.max(1, Math.ceil(format.samples / samplesInStretch(format)))
  return Array.from({ length: format.channels }, () => new Float32Array(length))
}

/** Of sound that somebody else has decoded; a line without it. @param decoded -1..1, one a channel. */
export function peaksOf(format: WavFormat, decoded: readonly Float32Array[] = []): Peaks {
  const channels = flat(format)
  const step = samplesInStretch(format)
  for (const [channel, peaks] of channels.entries())
    for (const [index, sample] of (decoded[channel] ?? []).entries()) {
      const stretch = Math.floor(index / step)
      const level = Math.min(1, Math.abs(sample))
      if (level > (peaks[stretch] ?? 1)) peaks[stretch] = level
    }
  return { format, channels }
}

function joined(before: Uint8Array, after: Uint8Array): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(before.length + after.length)
  all.set(before)
  all.set(after, before.length)
  return all
}

interface WavHeader {
  readonly format: WavFormat
  /** Of samples of eight bits; undefined of 16-bit ones. */
  readonly law: G711Law | undefined
  readonly dataOffset: number
}

/** Undefined while the header is incomplete. RIFF: chunks of a name, a length and an even number of bytes. */
function readHeader(bytes: Uint8Array): WavHeader | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const name = (at: number) => String.fromCharCode(...bytes.subarray(at, at + 4))
  if (bytes.length < 12) return undefined
  if (name(0) !== 'RIFF' || name(8) !== 'WAVE') throw new Error('This is not a WAV file')
  let channels = 0
  let sampleRateHz = 0
  let law: G711Law | undefined
  for (let at = 12; at + 8 <= bytes.length; ) {
    const length = view.getUint32(at + 4, true)
    if (name(at) === 'data') {
      if (channels === 0) throw new Error('The WAV file does not say its format')
      const samples = Math.floor(length / (law ? 1 : 2) / channels)
      return { format: { channels, sampleRateHz, samples }, law, dataOffset: at + 8 }
    }
    if (name(at) === 'fmt ') {
      if (at + 24 > bytes.length) return undefined
      channels = view.getUint16(at + 10, true)
      sampleRateHz = view.getUint32(at + 12, true)
      const bits = view.getUint16(at + 22, true)
      law = laws[view.getUint16(at + 8, true)]
      if (bits !== (law ? 8 : 16) || channels === 0) throw new Error(`Waveforms of ${bits}-bit audio cannot be drawn`)
    }
    at += 8 + length + (length % 2)
  }
  return undefined
}
