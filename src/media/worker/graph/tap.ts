/**
 * Hands sound out in frames, to somebody outside the worker who may be slow.
 *
 *   voice, heard, mix ── read ─▶ Tap ── frame, while there is credit ─▶ consumer
 *                                    ◀─ credit ──────────────────────
 *
 * A consumer takes as many frames as it gave credit for. When it lags, frames wait for a while, and then the oldest are
 * dropped and counted: the call never waits. Silence is frames too, so that the consumer's clock goes on.
 */
import { endianness } from 'node:os'
import { encodeG711Into } from '../../../codec/g711.ts'
import type { TapFormat, TapFrame } from '../../graph/types.ts'
import type { FrameSink } from '../frame-clock.ts'
import { frameMs, frameSamples, type SoundSource } from '../sound.ts'
import { atRate } from '../voice/at-rate.ts'

export interface TapOptions {
  readonly format: TapFormat
  /** One for each track of a frame. */
  readonly sources: readonly SoundSource[]
  /** Frames that the consumer takes before it gives more credit. */
  readonly credit: number
  /** Its bytes are given away. */
  readonly send: (frame: TapFrame) => void
}

/** Frames wait for so long for a consumer that lags, ms. */
const holdMs = 1000
/** Silent ticks put in at a time. */
const mostMissing = 500

export class Tap implements FrameSink {
  /** Frames that were never sent. */
  dropped = 0
  readonly #format: TapFormat
  readonly #sources: readonly SoundSource[]
  readonly #send: (frame: TapFrame) => void
  readonly #ticksTogether: number
  readonly #mostHeld: number
  readonly #held: Omit<TapFrame, 'dropped'>[] = []
  #credit: number
  /** Ticks in the frame that is being filled, and its bytes. */
  #filled = 0
  #tracks: Uint8Array[] = []
  #sequence = 0
  #tick = Number.NaN

  constructor({ format, sources, credit, send }: TapOptions) {
    this.#format = format
    this.#sources = sources.map((source) => atRate(source, format.sampleRateHz))
    this.#credit = credit
    this.#send = send
    this.#ticksTogether = format.frameMs / frameMs
    this.#mostHeld = Math.floor(holdMs / format.frameMs)
  }

  tick(tick: number): void {
    // Ticks that the worker left out; after a longer stop the consumer learns by what it hears.
    const missing = Math.min(mostMissing, tick - this.#tick - 1)
    this.#tick = tick
    for (let i = 0; i < missing; i++) this.#add(undefined)
    this.#add(tick)
  }

  /** @param tick Undefined for silence. */
  #add(tick: number | undefined): void {
    const { sampleRateHz, encoding } = this.#format
    const samples = frameSamples(sampleRateHz)
    const bytes = encoding === 's16le' ? samples * 2 : samples
    if (this.#filled === 0) this.#tracks = this.#sources.map(() => new Uint8Array(bytes * this.#ticksTogether))
    for (const [i, source] of this.#sources.entries()) {
      const track = this.#tracks[i]
      const frame = tick === undefined ? undefined : source.read(tick)
      if (track) write(frame ?? silence, samples, encoding, track, this.#filled * bytes)
    }
    if (++this.#filled < this.#ticksTogether) return
    this.#filled = 0
    this.#held.push({ sequence: this.#sequence++, tracks: this.#tracks })
    this.#flush()
    if (this.#held.length <= this.#mostHeld) return
    this.#held.shift()
    this.dropped++
  }

  /** The consumer takes so many more. */
  give(frames: number): void {
    this.#credit += frames
    this.#flush()
  }

  #flush(): void {
    while (this.#credit > 0 && this.#held.length > 0) {
      this.#credit--
      const frame = this.#held.shift()
      if (frame) this.#send({ ...frame, dropped: this.dropped })
    }
  }
}

const isLittleEndian = endianness() === 'LE'

const silence = new Int16Array(frameSamples(48_000))

function write(
  samples: Int16Array,
  count: number,
  encoding: TapFormat['encoding'],
  bytes: Uint8Array,
  at: number,
): void {
  if (encoding === 'PCMU') return encodeG711Into('PCMU', samples, 0, count, bytes, at)
  if (isLittleEndian) new Int16Array(bytes.buffer, at, count).set(samples.subarray(0, count))
  else for (let i = 0; i < count; i++) new DataView(bytes.buffer).setInt16(at + 2 * i, samples[i] ?? 0, true)
}
