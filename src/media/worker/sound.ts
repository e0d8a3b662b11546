/**
 * Sound inside a media worker: pieces of 20 ms, one for each tick of the worker's clock.
 *
 *   ear (a party's voice), player, tone, mixer  ── read(tick) ─▶  mixer, Heard (what a party hears), tap, recorder
 *
 * Who needs sound asks for it; a source that nobody asks costs nothing. 16-bit, mono. What travels as a packet from port
 * to port without being decoded never comes here.
 */

export const frameMs = 20

/** Samples of a frame at that rate: a multiple of 50. */
export const frameSamples = (sampleRateHz: number): number => (sampleRateHz * frameMs) / 1000

export interface SoundSource {
  /** May change between ticks (a phone that changes its codec): who needs a fixed rate reads through `atRate`. */
  readonly sampleRateHz: number
  /** Many hear it as it is (music on hold): it is encoded once a tick for all who take the same codec. */
  readonly shared?: boolean
  /** Somebody begins to read at this rate: who can make sound of several rates need not make a higher one. */
  wants?(sampleRateHz: number): void
  /**
   * The 20 ms of this tick: `frameSamples(sampleRateHz)` samples, the same for all who ask within the tick.
   *
   * @param tick Counts up by one; a source that was not asked for some ticks goes on where it would be by now.
   * @returns Undefined for silence. The frame belongs to the source: not to be changed, and valid until the next tick.
   */
  read(tick: number): Int16Array | undefined
}
