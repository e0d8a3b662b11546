/**
 * The voice of a port's peer, as sound: made while somebody reads it, and at no cost otherwise.
 *
 *   port ── packets ─▶ jitter buffer, decoder, concealment (voice-decoder.ts) ── read(tick) ─▶ mixer, Heard, tap
 *
 * Follows the peer from codec to codec. What came before somebody listened is not kept, but for the packet that woke it.
 */
import { codecFor } from '../../../codec/codecs.ts'
import type { RtpPacket } from '../../../rtp/packet.ts'
import type { DelayBounds } from '../../types.ts'
import { type Format, isSame } from '../formats.ts'
import type { FrameClock } from '../frame-clock.ts'
import type { SoundSource } from '../sound.ts'
import { VoiceDecoder, type VoiceStats } from './voice-decoder.ts'

/** Nobody read for so long: nobody listens any more. */
const restAfterMs = 500
/** The codec does not change again so soon. */
const stragglerMs = 100
/** Of an ear that nothing was heard with yet. */
const firstRateHz = 8000

export class Ear implements SoundSource {
  readonly #frames: FrameClock
  readonly #bounds: DelayBounds
  #format: Format | undefined
  #decoder: VoiceDecoder | undefined
  /** The highest rate that a reader works at; 0 when none said. */
  #wantedHz = 0
  #awake = false
  /** The newest tick that was read, and what it gave. */
  #tick = Number.NaN
  #readAtMs = 0
  #frame: Int16Array | undefined
  #heardAtMs = Number.NEGATIVE_INFINITY
  /** When the peer changed its codec. */
  #changedAtMs = Number.NEGATIVE_INFINITY

  constructor(frames: FrameClock, bounds: DelayBounds) {
    this.#frames = frames
    this.#bounds = bounds
  }

  /** Of what is heard now; while nobody reads, the best that the peer's codec has. */
  get sampleRateHz(): number {
    return this.#decoder?.sampleRateHz ?? this.#format?.codec?.sampleRateHz ?? firstRateHz
  }

  /** How packets wait and what was made up; undefined while nobody listens. */
  get stats(): VoiceStats | undefined {
    return this.#decoder?.stats()
  }

  /** Samples made up so far; begins at 0 with each change of codec. */
  get concealed(): number {
    return this.#decoder?.concealed ?? 0
  }

  /** What was read last; undefined for silence, and while nobody listens. Valid until the next tick. */
  get latest(): Int16Array | undefined {
    return this.#frame
  }

  /** Whether packets are wanted. */
  get awake(): boolean {
    return this.#awake
  }

  /** When the last packet with sound came, of those that somebody listened to; -Infinity before. */
  get heardAtMs(): number {
    return this.#heardAtMs
  }

  /** Somebody will read: the packet that comes next is wanted. */
  wake(nowMs: number): void {
    this.#awake = true
    this.#readAtMs = nowMs
  }

  wants(sampleRateHz: number): void {
    if (sampleRateHz <= this.#wantedHz) return
    this.#wantedHz = sampleRateHz
    const { codec } = this.#format ?? {}
    if (codec && this.#decoder && codecFor(codec, sampleRateHz).sampleRateHz > this.#decoder.sampleRateHz) this.#drop()
  }

  /** What the peer speaks in, told by each packet of speech. */
  speaks(format: Format, nowMs: number): void {
    const before = this.#format
    if (format === before) return
    // A description that says the same again changes nothing.
    if (before && !isSame(before, format)) {
      // A packet of the codec before, which comes late; and nobody is to make a decoder of us with each packet.
      if (this.#decoder && nowMs - this.#changedAtMs < stragglerMs) return
      this.#changedAtMs = nowMs
      this.#drop()
    }
    this.#format = format
  }

  /**
   * A packet came; the port hands it on while this is awake, after `speaks`. False when it is too late to be heard, or was
   * there already.
   */
  put(packet: RtpPacket, format: Format, nowMs: number): boolean {
    if (format.kind === 'speech') {
      if (format !== this.#format) return false
      this.#heardAtMs = nowMs
    }
    this.#decoder ??= this.#makeDecoder()
    const carries = format.kind === 'speech' ? 'sound' : format.kind === 'noise' ? 'noise' : 'other'
    return this.#decoder?.put(packet, carries, nowMs) ?? true
  }

  read(tick: number): Int16Array | undefined {
    if (tick !== this.#tick) {
      const dueMs = this.#frames.dueMs(tick)
      this.wake(dueMs)
      this.#tick = tick
      this.#frame = this.#decoder?.read(dueMs)
    }
    return this.#frame
  }

  /** Time went by: nobody may listen any more. Call it now and then. */
  rest(nowMs: number): void {
    if (!this.#awake || nowMs - this.#readAtMs < restAfterMs) return
    this.#awake = false
    this.#wantedHz = 0
    this.#frame = undefined
    this.#drop()
  }

  /** Give back what decoders hold. */
  close(): void {
    this.#awake = false
    this.#drop()
  }

  #makeDecoder(): VoiceDecoder | undefined {
    const { codec } = this.#format ?? {}
    if (!codec) return undefined
    return new VoiceDecoder(this.#wantedHz === 0 ? codec : codecFor(codec, this.#wantedHz), this.#bounds)
  }

  #drop(): void {
    this.#decoder?.close()
    this.#decoder = undefined
  }
}
