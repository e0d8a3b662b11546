/**
 * Legs into one WAV: a channel each, every sample where its first-sample time puts it, silence elsewhere.
 *
 * Samples are copied, never resampled or mixed. Files stream through one buffer a leg, so the length of a call costs
 * no memory, and all reading and writing is done by the thread pool.
 */
import { type FileHandle, open, rm } from 'node:fs/promises'
import { maxWavDataBytes, wavHeader } from '../codec/wav.ts'
import { RecordingError } from './failures.ts'

/** A leg's samples as they lie on disk: 16-bit, one channel. */
export interface LegAudio {
  readonly path: string
  /** Bytes before the first sample. */
  readonly dataOffset: number
  readonly samples: number
  /** Wall time of the first sample, with fractions of a millisecond. */
  readonly startedAtMs: number
  readonly sampleRateHz: number
}

export interface CombinedFile {
  readonly channels: number
  readonly samples: number
  readonly sampleRateHz: number
  readonly bytes: number
  readonly startedAtMs: number
}

/** Frames handled at a time: 4 s at 8 kHz, 64 kB a leg. A quarter of it costs twice the CPU time. */
const chunkFrames = 32_768
const bytesPerSample = 2

/**
 * @param legs One for each channel, in order; undefined is a channel of silence.
 * @param path Written from the start, synced and closed when this resolves; removed when it rejects, for a full disk
 *   needs the room.
 * @throws {RecordingError} `recording.rates-differ`, `recording.too-long`, `recording.no-audio` when all are silent.
 */
export async function combine(legs: readonly (LegAudio | undefined)[], path: string): Promise<CombinedFile> {
  const plan = planOf(legs)
  try {
    return await write(plan, path)
  } catch (error) {
    await rm(path, { force: true })
    throw error
  }
}

async function write(plan: Plan, path: string): Promise<CombinedFile> {
  const opened: FileHandle[] = []
  try {
    const output = await open(path, 'w', 0o640)
    opened.push(output)
    const sources: Source[] = []
    for (const { leg, channel, offset } of plan.parts) {
      const file = await open(leg.path, 'r')
      opened.push(file)
      sources.push({ leg, channel, offset, file, buffer: new Int16Array(chunkFrames) })
    }
    const frameBytes = plan.channels * bytesPerSample
    const header = wavHeader({ ...plan, dataBytes: plan.samples * frameBytes })
    await writeAll(output, header, 0)
    const mixed = new Int16Array(chunkFrames * plan.channels)
    for (let at = 0; at < plan.samples; at += chunkFrames) {
      const frames = Math.min(chunkFrames, plan.samples - at)
      mixed.fill(0)
      for (const source of sources) await place(source, mixed, plan.channels, at, frames)
      const bytes = new Uint8Array(mixed.buffer, 0, frames * frameBytes)
      await writeAll(output, bytes, header.length + at * frameBytes)
    }
    await output.sync()
    const { channels, samples, sampleRateHz, startedAtMs } = plan
    return { channels, samples, sampleRateHz, startedAtMs, bytes: header.length + samples * frameBytes }
  } finally {
    await Promise.all(opened.map((file) => file.close()))
  }
}

interface Part {
  readonly leg: LegAudio
  readonly channel: number
  /** Frames of silence before its first sample. */
  readonly offset: number
}

interface Source extends Part {
  readonly file: FileHandle
  readonly buffer: Int16Array
}

interface Plan {
  readonly parts: readonly Part[]
  readonly channels: number
  readonly samples: number
  readonly sampleRateHz: number
  readonly startedAtMs: number
}

/** Where each leg begins, relative to the earliest one, to the nearest sample. */
function planOf(legs: readonly (LegAudio | undefined)[]): Plan {
  const heard = legs.flatMap((leg, channel) => (leg ? [{ leg, channel }] : []))
  const [first] = heard
  if (!first) throw new RecordingError('recording.no-audio')
  const { sampleRateHz } = first.leg
  if (heard.some(({ leg }) => leg.sampleRateHz !== sampleRateHz)) throw new RecordingError('recording.rates-differ')
  const startedAtMs = Math.min(...heard.map(({ leg }) => leg.startedAtMs))
  const parts = heard.map(({ leg, channel }) => {
    const offset = Math.round(((leg.startedAtMs - startedAtMs) * sampleRateHz) / 1000)
    return { leg, channel, offset }
  })
  const samples = Math.max(...parts.map(({ leg, offset }) => offset + leg.samples))
  if (samples * legs.length * bytesPerSample > maxWavDataBytes) throw new RecordingError('recording.too-long')
  return { parts, channels: legs.length, samples, sampleRateHz, startedAtMs }
}

/** Copy what the leg has of frames `at` to `at + frames` into its channel. */
async function place(source: Source, mixed: Int16Array, channels: number, at: number, frames: number): Promise<void> {
  const { leg, offset, file, buffer, channel } = source
  const from = Math.max(at, offset)
  const until = Math.min(at + frames, offset + leg.samples)
  if (from >= until) return
  const bytes = new Uint8Array(buffer.buffer, 0, (until - from) * bytesPerSample)
  const read = await readAll(file, bytes, leg.dataOffset + (from - offset) * bytesPerSample)
  const samples = Math.floor(read / bytesPerSample)
  let target = (from - at) * channels + channel
  for (let index = 0; index < samples; index++, target += channels) mixed[target] = buffer[index] ?? 0
}

/** Fill `bytes` from `position`; fewer only at the end of the file. */
async function readAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<number> {
  let done = 0
  while (done < bytes.length) {
    const { bytesRead } = await file.read(bytes, done, bytes.length - done, position + done)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return done
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let done = 0
  while (done < bytes.length) {
    done += (await file.write(bytes, done, bytes.length - done, position + done)).bytesWritten
  }
}
