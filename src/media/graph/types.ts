/**
 * Sounds to be played, and what is told of playing them: the words of `MediaPort.play` and its like.
 *
 *   call/, pbx/  ── MediaPort, Mix ─▶  ../types.ts  ── worker ─▶ worker/graph/
 */
import type { Tone } from '../../codec/tone.ts'
import type { ProgressTone, ToneCountry } from '../../codec/tones.ts'

/** Samples without a header. */
export interface RawFormat {
  /** 16 bits, the low byte first, or G.711. */
  readonly encoding: 's16le' | 'PCMU' | 'PCMA'
  /** 4000 to 192,000. */
  readonly sampleRateHz: number
  /** 1 to 8, interleaved; 1 when left out. All are heard as one. */
  readonly channels?: number
}

/** One piece of what is played; several follow each other without a gap. */
export type Sound =
  /** A WAV file of 8, 16 or 24 bits or G.711, or Opus in Ogg; anything else must be `raw`. */
  | { readonly file: string; readonly raw?: RawFormat }
  /** The same in memory. Copied to the worker. */
  | { readonly bytes: Uint8Array; readonly raw?: RawFormat }
  /** What a network tells its callers, as a country has it (`us` when left out), or any tone. Without end when no duration is given. */
  | { readonly tone: ProgressTone | Tone; readonly country?: ToneCountry; readonly durationMs?: number }
  | { readonly silenceMs: number }

/** How a playback came to its end. */
export interface PlaybackEnd {
  readonly reason: 'ended' | 'stopped' | 'digit' | 'failed' | 'closed'
  /** Of all its sounds together, in the last round. */
  readonly positionMs: number
  /** The digit that stopped it. */
  readonly digit?: string
  readonly failure?: 'media.sound-missing' | 'media.sound-broken'
}
