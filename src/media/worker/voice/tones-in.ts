/**
 * Digits that a peer sends as tones, because it knows no telephone-events.
 *
 *   Ear ── 20 ms at 8 kHz ─▶ DtmfDetector ─▶ digit, once
 *
 * Costs the decoding of all that the peer says, so it runs only while somebody waits for digits.
 */
import { DtmfDetector } from '../../../codec/dtmf-detector.ts'
import type { FrameClock, FrameSink } from '../frame-clock.ts'
import type { SoundSource } from '../sound.ts'
import { atRate } from './at-rate.ts'

const rateHz = 8000
/** How long a tone has lasted when it is told: how long it goes on is not waited for. */
const toldAfterMs = 45

export class TonesIn implements FrameSink {
  readonly #frames: FrameClock
  readonly #voice: SoundSource
  readonly #detector: DtmfDetector

  constructor(
    frames: FrameClock,
    voice: SoundSource,
    tell: (digit: { readonly digit: string; readonly durationMs: number }) => void,
  ) {
    this.#frames = frames
    this.#voice = atRate(voice, rateHz)
    this.#detector = new DtmfDetector((digit) => tell({ digit, durationMs: toldAfterMs }))
    frames.add(this)
  }

  tick(tick: number): void {
    const frame = this.#voice.read(tick)
    if (frame) this.#detector.listen(frame, 0, frame.length)
  }

  /** Twice is fine. */
  close(): void {
    this.#frames.remove(this)
  }
}
