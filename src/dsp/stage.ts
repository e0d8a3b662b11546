/**
 * What every step of sound processing looks like: a party's voice in, the same voice, better, out.
 *
 *   ear (decoded voice) ── frame ─▶ echo ─▶ denoise ─▶ agc ── frame ─▶ mixer, Heard, tap
 *
 * One object for each stream, for all remember what was before. Nothing allocates after construction.
 */

/** All work is done in pieces of this length, as the media worker's clock makes them. */
export const frameMs = 20

/** Rates that voices come at. */
export const voiceRatesHz = [8000, 16_000, 48_000] as const
export type VoiceRateHz = (typeof voiceRatesHz)[number]

export const isVoiceRate = (rateHz: number): rateHz is VoiceRateHz => voiceRatesHz.some((known) => known === rateHz)

export interface VoiceStage {
  /** As a chain prints it: `denoise`, `agc(-20dBov)`. */
  readonly name: string
  /** How much later sound comes out than it went in. */
  readonly delayMs: number
  /** Change one frame of 20 ms in place. */
  process(frame: Int16Array): void
  /** Give back what is not memory of ours. Twice is fine. */
  close(): void
}

/** Tells of the frame that was processed last how likely somebody spoke in it. */
export interface VoiceMeter {
  /** 0 to 1. */
  readonly voiceProbability: number
}
