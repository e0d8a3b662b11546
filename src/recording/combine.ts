/**
 * Legs into one WAV: a channel each, every sample where its first-sample time puts it, silence elsewhere.
 *
 * Samples are copied; only where legs have different rates are those below the highest resampled, a leg in stereo
 * becomes one channel (two where it is the only leg), and one whose clock runs away from that of the first by more than
 * 10 ms is stretched to it. Where a loudness is asked for each channel is read twice: measured, then amplified to it.
 * Files stream through a few buffers a leg, so the length of a call costs no memory, and all reading and writing is done
 * by the thread pool.
 */
import { rm } from 'node:fs/promises'
import { maxWavDataBytes, wavHeader } from '../codec/wav.ts'
import { LoudnessMeter, normalisingGainDb } from '../dsp/loudness.ts'
import type { OpenKey } from '../sealing/container/reader.ts'
import type { Seal } from '../sealing/container/sealer.ts'
import { openStored } from '../sealing/stored-file.ts'
import { RecordingError } from './failures.ts'
import { type LegAudio, LegReader, samplesOf } from './leg-reader.ts'
import { OutputFile } from './sealing.ts'

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
/** Half of what legs may be apart to be together. */
const mostDriftMs = 10

export interface CombineOptions {
  /** Bring each channel to this loudness, LUFS, as far as its peak bears it; samples are as they came when left out. */
  readonly loudnessLufs?: number | undefined
  /** Seal the file; plain without it. */
  readonly seal?: Seal | undefined
  /** For legs that are sealed. */
  readonly openKey?: OpenKey | undefined
  /** The channel of each leg, where several share one: parts of a leg before and after a restart. Its place when left out. */
  readonly channelOf?: readonly number[]
}

/**
 * @param legs One for each channel, in order; undefined is a channel of silence.
 * @param path Written from the start, synced and closed when this resolves; removed when it rejects, for a full disk
 *   needs the room.
 * @throws {RecordingError} `recording.too-long`, `recording.no-audio` when all are silent.
 */
export async function combine(
  legs: readonly (LegAudio | undefined)[],
  path: string,
  options: CombineOptions = {},
): Promise<CombinedFile> {
  const plan = planOf(legs, options.channelOf)
  try {
    return await write(plan, path, options)
  } catch (error) {
    await rm(path, { force: true })
    throw error
  }
}

async function write(plan: Plan, path: string, options: CombineOptions): Promise<CombinedFile> {
  const { loudnessLufs, seal, openKey } = options
  const opened: { close(): Promise<void> }[] = []
  try {
    const output = await OutputFile.create(path, seal, plan.startedAtMs)
    opened.push(output)
    const sources: Source[] = []
    for (const part of plan.parts) {
      const file = await openStored(part.leg.path, { openKey })
      opened.push(file)
      const reader = (): LegReader => new LegReader(part.leg, file, plan.sampleRateHz, part.factor, part.side)
      const gain = loudnessLufs === undefined ? 1 : await gainFor(reader(), plan.sampleRateHz, loudnessLufs)
      sources.push({ ...part, reader: reader(), gain })
    }
    const frameBytes = plan.channels * bytesPerSample
    const header = wavHeader({ ...plan, dataBytes: plan.samples * frameBytes })
    await output.write(header, 0)
    const mixed = new Int16Array(chunkFrames * plan.channels)
    for (let at = 0; at < plan.samples; at += chunkFrames) {
      const frames = Math.min(chunkFrames, plan.samples - at)
      mixed.fill(0)
      for (const source of sources) await place(source, mixed, plan.channels, at, frames)
      const bytes = new Uint8Array(mixed.buffer, 0, frames * frameBytes)
      await output.write(bytes, header.length + at * frameBytes)
    }
    await output.finish()
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
  /** How much longer its sound becomes. */
  readonly factor: number
  /** The channel of a leg in stereo; all mixed when left out. */
  readonly side?: number
}

interface Source extends Part {
  readonly reader: LegReader
  readonly gain: number
}

/** The factor that brings all of a leg to a loudness. */
async function gainFor(reader: LegReader, sampleRateHz: number, targetLufs: number): Promise<number> {
  const meter = new LoudnessMeter(sampleRateHz)
  const samples = new Int16Array(chunkFrames)
  for (let at = 0; at < reader.samples; at += chunkFrames) {
    const count = Math.min(chunkFrames, reader.samples - at)
    await reader.next(count, samples, 0, 1)
    meter.process(samples, 0, count)
  }
  return 10 ** (normalisingGainDb(meter, { targetLufs }) / 20)
}

interface Plan {
  readonly parts: readonly Part[]
  readonly channels: number
  readonly samples: number
  readonly sampleRateHz: number
  readonly startedAtMs: number
}

/** Where each leg begins, relative to the earliest one, to the nearest sample. */
function planOf(
  legs: readonly (LegAudio | undefined)[],
  channelOf: readonly number[] = legs.map((_, place) => place),
): Plan {
  const heard = legs.flatMap((leg, place) => (leg ? [{ leg, channel: channelOf[place] ?? place }] : []))
  if (heard.length === 0) throw new RecordingError('recording.no-audio')
  const sampleRateHz = Math.max(...heard.map(({ leg }) => leg.sampleRateHz))
  const startedAtMs = Math.min(...heard.map(({ leg }) => leg.startedAtMs))
  const clockPpm = heard.find(({ leg }) => leg.driftPpm !== undefined)?.leg.driftPpm ?? 0
  const parts = heard.map(({ leg, channel }) => {
    const offset = Math.round(((leg.startedAtMs - startedAtMs) * sampleRateHz) / 1000 / (1 + clockPpm / 1e6))
    return { leg, channel, offset, factor: factorOf(leg, clockPpm) }
  })
  const [only] = legs
  // One stream with two voices, a side each, must not become one.
  if (legs.length === 1 && only?.channels === 2) {
    const sides = [0, 1].map((side) => ({ leg: only, channel: side, side, offset: 0, factor: 1 }))
    return { parts: sides, channels: 2, samples: only.samples, sampleRateHz, startedAtMs }
  }
  const samples = Math.max(...parts.map(({ leg, offset, factor }) => offset + samplesOf(leg, sampleRateHz, factor)))
  const channels = 1 + Math.max(...channelOf)
  if (samples * channels * bytesPerSample > maxWavDataBytes) throw new RecordingError('recording.too-long')
  return { parts, channels, samples, sampleRateHz, startedAtMs }
}

/** What brings a leg to a clock, when it would be off by more than is worth a word at its end. */
function factorOf({ driftPpm, samples, sampleRateHz }: LegAudio, clockPpm: number): number {
  if (driftPpm === undefined) return 1
  const factor = (1 + driftPpm / 1e6) / (1 + clockPpm / 1e6)
  return (Math.abs(factor - 1) * samples * 1000) / sampleRateHz > mostDriftMs ? factor : 1
}

/** Copy what the leg has of frames `at` to `at + frames` into its channel; asked for one after the other. */
async function place(source: Source, mixed: Int16Array, channels: number, at: number, frames: number): Promise<void> {
  const { reader, offset, channel, gain } = source
  const from = Math.max(at, offset)
  const until = Math.min(at + frames, offset + reader.samples)
  if (from >= until) return
  const first = (from - at) * channels + channel
  await reader.next(until - from, mixed, first, channels)
  if (gain === 1) return
  for (let i = first; i < (until - at) * channels; i += channels) mixed[i] = Math.round((mixed[i] ?? 0) * gain)
}
