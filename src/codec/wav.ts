/**
 * WAV files: the header we write, and reading of what others wrote.
 *
 *   recorder, combiner  ── wavHeader ──▶  file  ── readWavHeader, repairWav ──▶  repair, combiner, tools
 *
 * We write 16-bit PCM as Broadcast WAV: a `bext` chunk (EBU Tech 3285) says at which sample since midnight UTC the
 * first sample was taken, so that the legs of a call can be aligned after a crash, by us or by any editor.
 * Read too: 8 and 24 bits, G.711 in WAV, chunks we do not know, and files whose lengths were never filled in.
 * Missing: RF64 for more than 4 GiB (74 hours of one channel at 8 kHz).
 */
import { open, readFile } from 'node:fs/promises'
import { decodeG711 } from './g711.ts'

export type WavEncoding = 'pcm8' | 'pcm16' | 'pcm24' | 'PCMU' | 'PCMA'

/** WAVE format tags, RFC 2361, with the bits of a sample. */
const formats: Readonly<Record<string, WavEncoding>> = {
  '1/8': 'pcm8',
  '1/16': 'pcm16',
  '1/24': 'pcm24',
  '6/8': 'PCMA',
  '7/8': 'PCMU',
}
/** Bytes of a sample of one channel. */
export const wavSampleBytes: Readonly<Record<WavEncoding, number>> = { pcm8: 1, pcm16: 2, pcm24: 3, PCMU: 1, PCMA: 1 }
const extensibleTag = 0xfffe

/** What a header says. */
export interface WavHeader {
  readonly encoding: WavEncoding
  readonly channels: number
  readonly sampleRateHz: number
  /** Where the samples start in the file. */
  readonly dataOffset: number
  /** Bytes of samples: as declared, or what the file holds when it was never filled in or is cut short. */
  readonly dataBytes: number
  /** Samples of each channel. */
  readonly samples: number
  /** Wall time of the first sample, from `bext`, ms since 1970 with fractions. */
  readonly startedAtMs?: number
}

export interface WavSpec {
  readonly sampleRateHz: number
  readonly channels: number
  /** Bytes of samples; absent while they are still being written. */
  readonly dataBytes?: number
  /** Wall time of the first sample, ms since 1970; kept to the sample. */
  readonly startedAtMs: number
}

/** EBU Tech 3285: the chunk without coding history. */
const bextBytes = 602
/** Length of the header that `wavHeader` writes: RIFF, bext, fmt, data. */
export const wavHeaderBytes = 12 + 8 + bextBytes + 8 + 16 + 8
/** Stands for a length nobody knows yet; readers then go to the end of the file. */
const unknownLength = 0xffff_ffff
/** Most bytes of samples whose lengths fit in the header. */
export const maxWavDataBytes = unknownLength - wavHeaderBytes - 1

const dayMs = 86_400_000

/** The header of a 16-bit PCM Broadcast WAV. */
export function wavHeader(spec: WavSpec): Buffer {
  const header = Buffer.alloc(wavHeaderBytes)
  header.write('RIFF', 0, 'latin1')
  header.write('WAVEbext', 8, 'latin1')
  header.writeUInt32LE(bextBytes, 16)
  writeBext(header.subarray(20, 20 + bextBytes), spec)
  const fmt = 20 + bextBytes
  header.write('fmt ', fmt, 'latin1')
  header.writeUInt32LE(16, fmt + 4)
  header.writeUInt16LE(1, fmt + 8)
  header.writeUInt16LE(spec.channels, fmt + 10)
  header.writeUInt32LE(spec.sampleRateHz, fmt + 12)
  header.writeUInt32LE(spec.sampleRateHz * spec.channels * 2, fmt + 16)
  header.writeUInt16LE(spec.channels * 2, fmt + 20)
  header.writeUInt16LE(16, fmt + 22)
  header.write('data', fmt + 24, 'latin1')
  const lengths = wavLengths(wavHeaderBytes, spec.dataBytes)
  header.writeUInt32LE(lengths.riff, 4)
  header.writeUInt32LE(lengths.data, wavHeaderBytes - 4)
  return header
}

/** The two length fields of a file whose samples start at `dataOffset`: RIFF at byte 4, data just before the samples. */
function wavLengths(dataOffset: number, dataBytes: number | undefined): { riff: number; data: number } {
  if (dataBytes === undefined) return { riff: unknownLength, data: unknownLength }
  return { riff: dataOffset - 8 + dataBytes, data: dataBytes }
}

/** EBU Tech 3285 §2.3: Originator at 256, OriginationDate 320, OriginationTime 330, TimeReference 338, Version 346. */
function writeBext(chunk: Buffer, spec: WavSpec): void {
  const midnightMs = Math.floor(spec.startedAtMs / dayMs) * dayMs
  const sinceMidnight = Math.round(((spec.startedAtMs - midnightMs) * spec.sampleRateHz) / 1000)
  const stamp = new Date(spec.startedAtMs).toISOString()
  chunk.write('Patchbay', 256, 'latin1')
  chunk.write(stamp.slice(0, 10), 320, 'latin1')
  chunk.write(stamp.slice(11, 19), 330, 'latin1')
  chunk.writeBigUInt64LE(BigInt(sinceMidnight), 338)
  chunk.writeUInt16LE(1, 346)
}

function readBext(chunk: Buffer, sampleRateHz: number): number | undefined {
  if (chunk.length < 348) return undefined
  const midnightMs = Date.parse(`${chunk.toString('latin1', 320, 330)}T00:00:00Z`)
  const sinceMidnight = Number(chunk.readBigUInt64LE(338))
  const startedAtMs = midnightMs + (sinceMidnight * 1000) / sampleRateHz
  return Number.isFinite(startedAtMs) ? startedAtMs : undefined
}

/**
 * Read a header, any chunks in any order before the samples.
 *
 * @param bytes The start of the file, or all of it.
 * @param fileBytes Length of the file, to bound what the header claims; the length of `bytes` unless given.
 * @returns undefined when it is no WAV that we read, or the samples start beyond `bytes`.
 */
export function readWavHeader(bytes: Uint8Array, fileBytes = bytes.length): WavHeader | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (buffer.length < 12 || buffer.toString('latin1', 0, 4) !== 'RIFF') return undefined
  if (buffer.toString('latin1', 8, 12) !== 'WAVE') return undefined
  let format: { encoding: WavEncoding; channels: number; sampleRateHz: number } | undefined
  let bext: Buffer | undefined
  for (let at = 12; at + 8 <= buffer.length; ) {
    const id = buffer.toString('latin1', at, at + 4)
    const length = buffer.readUInt32LE(at + 4)
    const start = at + 8
    if (id === 'fmt ') format = readFormat(buffer.subarray(start, start + length))
    if (id === 'bext') bext = buffer.subarray(start, start + length)
    if (id === 'data') return format && describe(format, bext, start, length, fileBytes)
    at = start + length + (length % 2) // chunks are padded to even lengths
  }
  return undefined
}

type Format = Pick<WavHeader, 'encoding' | 'channels' | 'sampleRateHz'>

function readFormat(chunk: Buffer): Format | undefined {
  if (chunk.length < 16) return undefined
  const plainTag = chunk.readUInt16LE(0)
  // WAVE_FORMAT_EXTENSIBLE keeps the real tag in the first two bytes of its GUID, at 24.
  const tag = plainTag === extensibleTag && chunk.length >= 26 ? chunk.readUInt16LE(24) : plainTag
  const channels = chunk.readUInt16LE(2)
  const sampleRateHz = chunk.readUInt32LE(4)
  const encoding = formats[`${tag}/${chunk.readUInt16LE(14)}`]
  return encoding && channels > 0 && sampleRateHz > 0 ? { encoding, channels, sampleRateHz } : undefined
}

function describe(format: Format, bext: Buffer | undefined, dataOffset: number, declared: number, fileBytes: number) {
  const held = Math.max(0, fileBytes - dataOffset)
  const frameBytes = wavSampleBytes[format.encoding] * format.channels
  const samples = Math.floor(Math.min(declared, held) / frameBytes)
  const startedAtMs = bext && readBext(bext, format.sampleRateHz)
  return {
    ...format,
    dataOffset,
    dataBytes: samples * frameBytes,
    samples,
    ...(startedAtMs === undefined ? {} : { startedAtMs }),
  }
}

/** Bytes of a file that are read to find its header; other people's chunks before the samples must fit. */
const headBytes = 65_536

/**
 * Make the lengths in the header of a file of ours tell what the file holds: after a crash they were never filled in.
 * The samples reach to the end of the file; half a sample there is cut off. Repairing twice changes nothing.
 *
 * @returns The header as it now is, or undefined when the file has none (it died before its first write).
 */
export async function repairWav(path: string): Promise<WavHeader | undefined> {
  const file = await open(path, 'r+')
  try {
    const { size } = await file.stat()
    const head = Buffer.alloc(Math.min(headBytes, size))
    const { bytesRead } = await file.read(head, 0, head.length, 0)
    const header = repairWavHeader(head.subarray(0, bytesRead), size)
    if (!header) return undefined
    await file.truncate(header.dataOffset + header.dataBytes)
    await file.write(head, 0, header.dataOffset, 0)
    return header
  } finally {
    await file.close()
  }
}

/**
 * Make the two lengths in a header tell of all that the file holds.
 * @param head The start of the file, to its first sample at least; changed in place.
 * @returns The header as it now is, or undefined when there is none.
 */
export function repairWavHeader(head: Buffer, fileBytes: number): WavHeader | undefined {
  const asWritten = readWavHeader(head, fileBytes)
  if (!asWritten) return undefined
  head.writeUInt32LE(unknownLength, asWritten.dataOffset - 4)
  const header = readWavHeader(head, fileBytes)
  if (!header) return undefined
  const lengths = wavLengths(header.dataOffset, header.dataBytes)
  head.writeUInt32LE(lengths.riff, 4)
  head.writeUInt32LE(lengths.data, header.dataOffset - 4)
  return header
}

export interface WavSound extends WavHeader {
  /** All samples as 16-bit linear, channels interleaved. */
  readonly pcm: Int16Array
  /** The samples of one channel, from 0. */
  channel(index: number): Int16Array
}

/**
 * Read a whole file and decode it.
 * @throws {Error} when it is no WAV of 8, 16 or 24 bits, mu-law or A-law.
 */
export async function readWav(path: string): Promise<WavSound> {
  const sound = decodeWav(await readFile(path))
  if (!sound) throw new Error(`${path} is no WAV file of 8, 16 or 24 bits or G.711`)
  return sound
}

/** Decode a whole file; undefined when it is no WAV of 8, 16 or 24 bits, mu-law or A-law. */
export function decodeWav(bytes: Uint8Array): WavSound | undefined {
  const header = readWavHeader(bytes)
  if (!header) return undefined
  const pcm = decodeWavSamples(header.encoding, bytes.subarray(header.dataOffset, header.dataOffset + header.dataBytes))
  const channel = (index: number): Int16Array => {
    const samples = new Int16Array(header.samples)
    for (let i = 0; i < samples.length; i++) samples[i] = pcm[i * header.channels + index] ?? 0
    return samples
  }
  return { ...header, pcm, channel }
}

/** The samples of all channels as they lie, 16-bit linear. Half a sample at the end is left out. */
export function decodeWavSamples(encoding: WavEncoding, data: Uint8Array): Int16Array {
  if (encoding === 'PCMU' || encoding === 'PCMA') return decodeG711(encoding, data)
  const each = wavSampleBytes[encoding]
  const samples = new Int16Array(Math.floor(data.length / each))
  for (let i = 0; i < samples.length; i++) {
    const at = i * each
    // Little-endian; 8 bits count from 0 to 255, and 128 is silence.
    if (each === 1) samples[i] = ((data[at] ?? 0) - 128) << 8
    else if (each === 2) samples[i] = (data[at] ?? 0) | ((data[at + 1] ?? 0) << 8)
    else samples[i] = rounded24(((data[at] ?? 0) << 8) | ((data[at + 1] ?? 0) << 16) | ((data[at + 2] ?? 0) << 24))
  }
  return samples
}

/** 24 bits in the upper part of 32. */
const rounded24 = (value: number): number => Math.min(32_767, Math.round(value / 65_536))
