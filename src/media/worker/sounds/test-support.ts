/** Sounds of every kind for tests, made here. */
import type { RawFormat, Sound } from '../../graph/types.ts'
import { pageChecksum } from './ogg.ts'
import type { Recorded } from './recorded.ts'

/** A sound whose samples can be told from each other: a slow saw of whole numbers. */
export const saw = (samples: number): Int16Array =>
  Int16Array.from({ length: samples }, (_, i) => (i % 20_000) - 10_000)

export const bytesOf = (samples: Int16Array): Uint8Array =>
  new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength)

export const inMemory = (samples: Int16Array, sampleRateHz = 8000): Sound & { raw: RawFormat } => ({
  bytes: bytesOf(samples),
  raw: { encoding: 's16le', sampleRateHz },
})

/** A WAV file as most programs write it. @param tag Format tag: 1 PCM, 6 A-law, 7 mu-law. */
export function wav(data: Uint8Array, sampleRateHz: number, { tag = 1, bits = 16, channels = 1 } = {}): Uint8Array {
  const header = Buffer.alloc(44)
  header.write('RIFF', 0, 'latin1')
  header.writeUInt32LE(36 + data.length, 4)
  header.write('WAVEfmt ', 8, 'latin1')
  header.writeUInt32LE(16, 16)
  header.writeUInt16LE(tag, 20)
  header.writeUInt16LE(channels, 22)
  header.writeUInt32LE(sampleRateHz, 24)
  header.writeUInt32LE((sampleRateHz * channels * bits) / 8, 28)
  header.writeUInt16LE((channels * bits) / 8, 32)
  header.writeUInt16LE(bits, 34)
  header.write('data', 36, 'latin1')
  header.writeUInt32LE(data.length, 40)
  return Buffer.concat([header, data])
}

interface PageOptions {
  readonly sequence: number
  readonly granule: number
  readonly flags?: number
  readonly serial?: number
}

/** An Ogg page of pieces; the last one goes on on the next page unless `ends`. */
export function oggPage(pieces: readonly Uint8Array[], options: PageOptions, ends = true): Uint8Array {
  const { sequence, granule, flags = 0, serial = 7 } = options
  const lacing = pieces.flatMap((piece, i) => {
    const full = Array.from({ length: Math.floor(piece.length / 255) }, () => 255)
    return i === pieces.length - 1 && !ends ? full : [...full, piece.length % 255]
  })
  const header = Buffer.alloc(27)
  header.write('OggS', 0, 'latin1')
  header[5] = flags
  header.writeBigInt64LE(BigInt(granule), 6)
  header.writeUInt32LE(serial, 14)
  header.writeUInt32LE(sequence, 18)
  header[26] = lacing.length
  const page = Buffer.concat([header, Uint8Array.from(lacing), ...pieces])
  page.writeUInt32LE(pageChecksum(page, 0, page.length), 22)
  return page
}

/** RFC 7845 §5.1. */
export function opusHead({ channels = 1, preSkip = 0, gainDb = 0 } = {}): Uint8Array {
  const head = Buffer.alloc(19)
  head.write('OpusHead', 0, 'latin1')
  head[8] = 1
  head[9] = channels
  head.writeUInt16LE(preSkip, 10)
  head.writeUInt32LE(48_000, 12)
  head.writeInt16LE(gainDb * 256, 16)
  return head
}

export const opusTags: Uint8Array = Buffer.from('OpusTags\0\0\0\0\0\0\0\0', 'latin1')

/** All of it, read in one go. */
export async function readAll(recorded: Recorded): Promise<Int16Array> {
  const sound = await recorded.read(0, recorded.samples)
  await recorded.close()
  return sound
}
