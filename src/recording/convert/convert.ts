/**
 * The sound files of a finished recording, made FLAC, MP3 or Opus: by ffmpeg, in the background, checked before the WAV goes.
 *
 *   WAV, plain or sealed ── in the clear, through pipes ─▶  ffmpeg  ─▶  file of the new format, sealed as the WAV was
 *                                                                         └── decoded again, compared ─▶ the WAV goes
 *
 * FLAC has to come back sample for sample; of MP3 and Opus the length has to be right. Nothing lies in the clear on the
 * disk that was sealed. Begun again after a crash it does what is left.
 */
import { createHash } from 'node:crypto'
import { mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { readWavHeader, type WavHeader } from '../../codec/wav.ts'
import type { Logger } from '../../core/logger.ts'
import type { RecordingFile } from '../../events/catalogue.ts'
import { SealedReader } from '../../sealing/container/reader.ts'
import type { Seal } from '../../sealing/container/sealer.ts'
import { openStored, plainName, type StoredFile, sealedExtension, streamStored } from '../../sealing/stored-file.ts'
import { unfinishedFolder } from '../manifest.ts'
import { OutputFile, type RecordingKeys } from '../sealing.ts'
import { runFfmpeg } from './ffmpeg.ts'
import { filledFront, flacFrontBytes } from './flac.ts'
import { type Bitrates, formatFacts, pcmInput, type SoundFormat } from './formats.ts'

export interface ConvertDeps {
  /** The folder of the recordings. */
  readonly folder: string
  readonly ffmpeg: string
  readonly format: SoundFormat
  readonly bitrates: Bitrates
  /** Beside the new file. */
  readonly keepWav: boolean
  readonly keys: Pick<RecordingKeys, 'openKey' | 'sealAgain'>
  readonly files: SoundFiles
  readonly log: Logger
}

/** Kept by database/sound-files.ts. */
export interface SoundFiles {
  of(recordingId: string): Promise<readonly RecordingFile[]>
  /** The row of `name` is that of another file from now on. */
  replace(recordingId: string, name: string, by: Pick<RecordingFile, 'name' | 'bytes'>): Promise<void>
}

/** What a decoder may add or leave out at the ends of MP3 and Opus. */
const lossySlackMs = 250
const headBytes = 4_096

/** @throws {FfmpegError} when ffmpeg fails, {ConversionError} when what it made is not the sound, and others. */
export async function convertRecording(recordingId: string, deps: ConvertDeps, signal: AbortSignal): Promise<void> {
  const { files, folder, keepWav, log } = deps
  const facts = formatFacts[deps.format]
  for (const file of await files.of(recordingId)) {
    if (file.kind === 'raw') continue
    const plain = plainName(file.name)
    if (plain.endsWith(facts.extension)) {
      // A crash came before the WAV went; a power cut may have taken the name of its successor.
      if (!keepWav && (await stat(join(folder, file.name)))) await removeWav(folder, wavOf(file.name, facts.extension))
      continue
    }
    if (!plain.endsWith('.wav')) continue
    if (file.channels > facts.mostChannels) {
      log.info('A sound file has too many channels for its format and stays WAV', {
        recordingId,
        channels: file.channels,
      })
      continue
    }
    const made = await convertFile(recordingId, file.name, deps, signal)
    if (!made) continue
    await files.replace(recordingId, file.name, made)
    if (!keepWav) await removeWav(folder, file.name)
  }
}

/** The names of a folder survive a power cut when it is synced: that of what was made has to, before the WAV goes. */
async function removeWav(folder: string, name: string): Promise<void> {
  const names = await open(folder, 'r')
  try {
    await names.sync()
  } finally {
    await names.close()
  }
  await rm(join(folder, name), { force: true })
}

export class ConversionError extends Error {
  override readonly name = 'ConversionError'
}

async function convertFile(
  recordingId: string,
  name: string,
  deps: ConvertDeps,
  signal: AbortSignal,
): Promise<{ name: string; bytes: number } | undefined> {
  const { folder, keys, format } = deps
  const path = join(folder, name)
  const source = await openStored(path, keys)
  try {
    const head = Buffer.alloc(Math.min(headBytes, source.size))
    await source.read(head, 0, head.length, 0)
    const wav = readWavHeader(head, source.size)
    if (wav?.encoding !== 'pcm16' || wav.samples === 0) return undefined
    const seal = source.sealed ? await sealOf(path, recordingId, keys) : undefined
    const target = plainName(name).replace(/\.wav$/, formatFacts[format].extension) + (seal ? sealedExtension : '')
    const temporary = join(unfinishedFolder(folder), basename(target))
    await mkdir(dirname(temporary), { recursive: true, mode: 0o700 })
    try {
      const pcmHash = await encode(recordingId, source, wav, seal, temporary, deps, signal)
      await compare(temporary, wav, pcmHash, deps, signal)
      await rename(temporary, join(folder, target))
    } finally {
      await rm(temporary, { force: true })
    }
    const { size } = await stat(join(folder, target))
    return { name: target, bytes: size }
  } finally {
    await source.close()
  }
}

/** With the data key that the file has: one recording, one key. */
export async function sealOf(
  path: string,
  recordingId: string,
  { openKey, sealAgain }: ConvertDeps['keys'],
): Promise<Seal> {
  const file = await open(path, 'r')
  try {
    return await sealAgain((await SealedReader.open(file, openKey)).key.key, recordingId)
  } finally {
    await file.close()
  }
}

/** @returns The MD5 of the samples that went in, in hex. */
async function encode(
  recordingId: string,
  source: StoredFile,
  wav: WavHeader,
  seal: Seal | undefined,
  path: string,
  { ffmpeg, format, bitrates }: ConvertDeps,
  signal: AbortSignal,
): Promise<string> {
  const startedAtMs = wav.startedAtMs ?? 0
  const output = await OutputFile.create(path, seal, startedAtMs)
  try {
    const hash = createHash('md5')
    let at = 0
    let front = Buffer.alloc(0)
    // Ids and times only: what stands in arguments is seen by every user of the machine.
    const tags = [
      '-metadata',
      `date=${new Date(startedAtMs).toISOString()}`,
      '-metadata',
      `recording_id=${recordingId}`,
    ]
    await runFfmpeg({
      path: ffmpeg,
      args: [...pcmInput(wav), '-map_metadata', '-1', ...tags, ...formatFacts[format].encoder(wav, bitrates)],
      input: samplesOf(source, wav).on('data', (bytes: Buffer) => hash.update(bytes)),
      output: async (bytes) => {
        if (front.length < flacFrontBytes) front = Buffer.concat([front, bytes]).subarray(0, flacFrontBytes)
        await output.write(bytes, at)
        at += bytes.length
      },
      signal,
    })
    const md5 = hash.digest()
    if (format === 'flac') {
      const filled = filledFront(front, wav.samples, md5)
      if (!filled) throw new ConversionError('What ffmpeg made is no FLAC')
      await output.write(filled, 0)
    }
    await output.finish()
    return md5.toString('hex')
  } finally {
    await output.close()
  }
}

/** Decode what was made, as it lies on the disk. @throws {ConversionError} when it is not the sound. */
async function compare(
  path: string,
  wav: WavHeader,
  pcmHash: string,
  { ffmpeg, format, keys }: ConvertDeps,
  signal: AbortSignal,
): Promise<void> {
  const { container, lossless } = formatFacts[format]
  const made = await openStored(path, keys)
  const hash = createHash('md5')
  let bytes = 0
  await runFfmpeg({
    path: ffmpeg,
    args: [
      '-f',
      container,
      '-i',
      'pipe:0',
      '-f',
      's16le',
      '-c:a',
      'pcm_s16le',
      '-ar',
      String(wav.sampleRateHz),
      '-ac',
      String(wav.channels),
    ],
    input: streamStored(made),
    output: (piece) => {
      hash.update(piece)
      bytes += piece.length
    },
    signal,
  })
  if (lossless && hash.digest('hex') !== pcmHash) throw new ConversionError('What was converted is not the same sound')
  const differsMs = (Math.abs(bytes / 2 / wav.channels - wav.samples) * 1000) / wav.sampleRateHz
  if (differsMs > lossySlackMs)
    throw new ConversionError(`What was converted is ${Math.round(differsMs)} ms too long or short`)
}

const samplesOf = (source: StoredFile, { dataOffset, dataBytes }: WavHeader) =>
  // The source stays open for whoever opened it.
  streamStored(borrowed(source), dataOffset, dataOffset + dataBytes)

const borrowed = (file: StoredFile): StoredFile => ({
  sealed: file.sealed,
  size: file.size,
  read: (...given) => file.read(...given),
  close: () => Promise.resolve(),
})

/** The WAV that a converted file was made of. */
const wavOf = (name: string, extension: string): string =>
  plainName(name).slice(0, -extension.length) + '.wav' + (name.endsWith(sealedExtension) ? sealedExtension : '')
