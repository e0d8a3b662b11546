/**
 * The sound of a leg file from its beginning to its end, as one channel at the rate of the combined file.
 *
 *   leg file  ── 64 KB at a time ─▶  here: mixed to one channel, resampled, stretched  ─▶  combine.ts
 *
 * Where rate, channels and clock are those of the combined file, samples are as they lie on disk.
 */
import { Resampler } from '../codec/resample.ts'
import type { StoredFile } from '../sealing/stored-file.ts'
import { Stretch } from './stretch.ts'

type Source = Pick<StoredFile, 'read'>

/** A leg's samples as they lie on disk: 16-bit. */
export interface LegAudio {
  /** On disk. */
  readonly path: string
  /** Bytes before the first sample. */
  readonly dataOffset: number
  readonly channels: number
  /** Of each channel. */
  readonly samples: number
  /** Wall time of the first sample, with fractions of a millisecond. */
  readonly startedAtMs: number
  readonly sampleRateHz: number
  /** How much slower its sender's clock runs than ours; 0 where that is not known. */
  readonly driftPpm?: number
}

/** Frames read at a time. */
const readFrames = 16_384
const bytesPerSample = 2

export class LegReader {
  /** Samples it gives, at the rate of the combined file. */
  readonly samples: number
  readonly #leg: LegAudio
  readonly #side: number | undefined
  readonly #file: Source
  readonly #read: Int16Array
  readonly #resampler: Resampler | undefined
  /** Frames of the leg that were read. */
  #at = 0
  /** What is read and not given yet: `#filled` samples from `#given` on. */
  #ready: Int16Array
  #given = 0
  #filled = 0
  readonly #stretch: Stretch | undefined
  /** As resampled, on its way to `#stretch`. */
  readonly #unstretched: Int16Array | undefined
  /** The resampler's delay at the beginning, which is left out. */
  #skip = 0
  #left: number

  /**
   * @param factor How much longer its sound is to become: 1 leaves it as it is.
   * @param side Its channel that is read; all of them mixed when left out.
   */
  constructor(leg: LegAudio, file: Source, sampleRateHz: number, factor = 1, side?: number) {
    this.#side = side
    this.#leg = leg
    this.#file = file
    this.#read = new Int16Array(readFrames * leg.channels)
    this.#ready = new Int16Array(readFrames)
    this.samples = samplesOf(leg, sampleRateHz, factor)
    this.#left = this.samples
    if (leg.sampleRateHz !== sampleRateHz) {
      const resampler = new Resampler(leg.sampleRateHz, sampleRateHz, readFrames)
      this.#resampler = resampler
      this.#ready = new Int16Array(resampler.outputSamples(readFrames))
      this.#skip = Math.round((resampler.delaySamples * sampleRateHz) / leg.sampleRateHz)
    }
    if (factor === 1) return
    this.#unstretched = this.#ready
    this.#stretch = new Stretch(factor, this.#unstretched.length)
    this.#ready = new Int16Array(this.#stretch.outputSamples(this.#unstretched.length))
  }

  /** Write the next `count` samples to every `step`-th place of `to`, from `at` on; fewer at the end. */
  async next(count: number, to: Int16Array, at: number, step: number): Promise<void> {
    let place = at
    for (let wanted = Math.min(count, this.#left); wanted > 0; ) {
      if (this.#given === this.#filled) await this.#fill()
      const given = Math.min(wanted, this.#filled - this.#given)
      for (let i = 0; i < given; i++, place += step) to[place] = this.#ready[this.#given + i] ?? 0
      this.#given += given
      this.#left -= given
      wanted -= given
    }
  }

  /** More of the file; after its end silence, which brings out what is in the resampler. */
  async #fill(): Promise<void> {
    const mono = await this.#readMono()
    const ready = this.#unstretched ?? this.#ready
    this.#given = 0
    this.#filled = readFrames
    if (this.#resampler) {
      this.#filled = this.#resampler.process(mono, 0, readFrames, ready, 0)
      this.#given = Math.min(this.#skip, this.#filled)
      this.#skip -= this.#given
    } else ready.set(mono)
    if (!this.#stretch) return
    this.#filled = this.#stretch.process(ready, this.#given, this.#filled - this.#given, this.#ready)
    this.#given = 0
  }

  async #readMono(): Promise<Int16Array> {
    const { channels, dataOffset, samples } = this.#leg
    const frames = Math.max(0, Math.min(readFrames, samples - this.#at))
    const bytes = new Uint8Array(this.#read.buffer, 0, frames * channels * bytesPerSample)
    const read = await readAll(this.#file, bytes, dataOffset + this.#at * channels * bytesPerSample)
    this.#at += frames
    this.#read.fill(0, Math.floor(read / bytesPerSample))
    if (channels === 1) return this.#read
    return this.#side === undefined ? mixed(this.#read, channels) : sideOf(this.#read, channels, this.#side)
  }
}

/** How many samples a leg gives. */
export const samplesOf = (leg: LegAudio, sampleRateHz: number, factor: number): number =>
  Math.round((leg.samples * sampleRateHz * factor) / leg.sampleRateHz)

/** One of the channels. */
const sideOf = (interleaved: Int16Array, channels: number, side: number): Int16Array =>
  Int16Array.from({ length: interleaved.length / channels }, (_, frame) => interleaved[frame * channels + side] ?? 0)

/** The mean of the channels. */
function mixed(interleaved: Int16Array, channels: number): Int16Array {
  const mono = new Int16Array(interleaved.length / channels)
  for (let frame = 0; frame < mono.length; frame++) {
    let sum = 0
    for (let channel = 0; channel < channels; channel++) sum += interleaved[frame * channels + channel] ?? 0
    mono[frame] = Math.round(sum / channels)
  }
  return mono
}

/** Fill `bytes` from `position`; fewer only at the end of the file. */
async function readAll(file: Source, bytes: Uint8Array, position: number): Promise<number> {
  let done = 0
  while (done < bytes.length) {
    const { bytesRead } = await file.read(bytes, done, bytes.length - done, position + done)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return done
}
