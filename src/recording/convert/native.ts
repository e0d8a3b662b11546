/**
 * Legs of G.711, kept as the codes that came: WAV of 8 bits, µ-law or A-law, half as long and the same sound.
 *
 * Whether a leg was G.711 from end to end is seen by its samples: each is one that the law can say. Silence that was filled
 * in is 0, which µ-law has and A-law has not: an A-law leg with gaps stays as it is, as does one that another codec took over.
 * What was written is read back and compared before it takes the place of the file, under the same name.
 */
import { mkdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { decodeG711, encodeG711, type G711Law } from '../../codec/g711.ts'
import { readWavHeader, type WavHeader } from '../../codec/wav.ts'
import { openStored, type StoredFile } from '../../sealing/stored-file.ts'
import { unfinishedFolder } from '../manifest.ts'
import { OutputFile } from '../sealing.ts'
import { ConversionError, type ConvertDeps, sealOf } from './convert.ts'

/** RFC 2361. */
const formatTags: Readonly<Record<G711Law, number>> = { PCMA: 6, PCMU: 7 }
const headBytes = 4_096
const pieceSamples = 65_536

export type NativeDeps = Pick<ConvertDeps, 'folder' | 'keys' | 'files'>

export async function keepCodes(recordingId: string, deps: NativeDeps, signal: AbortSignal): Promise<void> {
  const { files, folder } = deps
  for (const { kind, name } of await files.of(recordingId)) {
    if (kind !== 'leg') continue
    signal.throwIfAborted()
    if (await keepCodesOf(recordingId, name, deps))
      await files.replace(recordingId, name, { name, bytes: (await stat(join(folder, name))).size })
  }
}

/** @returns False when the file stays as it is. */
async function keepCodesOf(recordingId: string, name: string, { folder, keys }: NativeDeps): Promise<boolean> {
  const path = join(folder, name)
  const source = await openStored(path, keys)
  const temporary = join(unfinishedFolder(folder), basename(name))
  try {
    const head = Buffer.alloc(Math.min(headBytes, source.size))
    await source.read(head, 0, head.length, 0)
    const wav = readWavHeader(head, source.size)
    if (wav?.encoding !== 'pcm16' || wav.channels !== 1 || wav.samples === 0) return false
    const law = await lawOf(source, wav)
    if (!law) return false
    const seal = source.sealed ? await sealOf(path, recordingId, keys) : undefined
    await mkdir(dirname(temporary), { recursive: true, mode: 0o700 })
    const output = await OutputFile.create(temporary, seal, wav.startedAtMs ?? 0)
    try {
      await output.write(headOf(head.subarray(0, wav.dataOffset), law, wav), 0)
      for await (const { at, samples } of samplesOf(source, wav))
        await output.write(encodeG711(law, samples), wav.dataOffset + at)
      await output.finish()
    } finally {
      await output.close()
    }
    await compare(temporary, source, wav, keys)
    await rename(temporary, path)
    return true
  } finally {
    await rm(temporary, { force: true })
    await source.close()
  }
}

/** The law that can say every sample. */
async function lawOf(source: StoredFile, wav: WavHeader): Promise<G711Law | undefined> {
  const can = new Set<G711Law>(['PCMU', 'PCMA'])
  for await (const { samples } of samplesOf(source, wav)) {
    for (const law of can) if (!isSame(samples, decodeG711(law, encodeG711(law, samples)))) can.delete(law)
    if (can.size === 0) return undefined
  }
  return [...can][0]
}

/** The head of the file with another format and half the length; whatever else is in it stays where it is. */
function headOf(head: Buffer, law: G711Law, { sampleRateHz, dataOffset, samples }: WavHeader): Buffer {
  const changed = Buffer.from(head)
  const format = head.indexOf('fmt ', 12, 'latin1') + 8
  changed.writeUInt16LE(formatTags[law], format)
  changed.writeUInt32LE(sampleRateHz, format + 8)
  changed.writeUInt16LE(1, format + 12)
  changed.writeUInt16LE(8, format + 14)
  changed.writeUInt32LE(dataOffset - 8 + samples, 4)
  changed.writeUInt32LE(samples, dataOffset - 4)
  return changed
}

async function compare(path: string, source: StoredFile, wav: WavHeader, keys: NativeDeps['keys']): Promise<void> {
  const made = await openStored(path, keys)
  try {
    const head = Buffer.alloc(Math.min(headBytes, made.size))
    await made.read(head, 0, head.length, 0)
    const found = readWavHeader(head, made.size)
    if (found?.samples !== wav.samples || (found.encoding !== 'PCMU' && found.encoding !== 'PCMA'))
      throw new ConversionError('The codes of a leg were not written as a WAV')
    for await (const { at, samples } of samplesOf(source, wav)) {
      const codes = Buffer.alloc(samples.length)
      await made.read(codes, 0, codes.length, found.dataOffset + at)
      if (!isSame(samples, decodeG711(found.encoding, codes)))
        throw new ConversionError('What was converted is not the same sound')
    }
  } finally {
    await made.close()
  }
}

/** 16-bit samples, a piece at a time. */
async function* samplesOf(source: StoredFile, { samples: all, dataOffset }: WavHeader) {
  for (let at = 0; at < all; at += pieceSamples) {
    const samples = new Int16Array(Math.min(pieceSamples, all - at))
    await source.read(new Uint8Array(samples.buffer), 0, samples.byteLength, dataOffset + at * 2)
    yield { at, samples }
  }
}

const isSame = (a: Int16Array, b: Int16Array): boolean =>
  Buffer.from(a.buffer).equals(Buffer.from(b.buffer, b.byteOffset, b.byteLength))
