/**
 * Tells when somebody begins and ends to talk, seldom enough to be shown to people: at most twice in 600 ms.
 *
 *   Mixer ── frames ─▶ here ── talks(true), talks(false) ─▶ notice
 */
import type { VoiceModel } from '../../../core/voice-processing.ts'
import { createVoiceActivity, type VoiceActivity } from '../../../dsp/voice-activity.ts'
import { frameMs } from '../sound.ts'

/** Ticks of speech before it counts. */
const startTicks = 100 / frameMs
/** Ticks without before it is over; the detector itself holds on for 200 ms. */
const stopTicks = 500 / frameMs

export class TalkDetector {
  readonly #speech: VoiceActivity
  readonly #talks: (talking: boolean) => void
  #talking = false
  /** In a row, of what would change it. */
  #ticks = 0

  constructor(sampleRateHz: number, talks: (talking: boolean) => void, model: VoiceModel = 'energy') {
    this.#speech = createVoiceActivity(sampleRateHz, model)
    this.#talks = talks
  }

  /** @param frame Undefined for silence. */
  hear(frame: Int16Array | undefined): void {
    const speech = frame !== undefined && this.#speech.hears(frame)
    if (speech === this.#talking) {
      this.#ticks = 0
      return
    }
    this.#ticks++
    if (this.#ticks < (speech ? startTicks : stopTicks)) return
    this.#ticks = 0
    this.#talking = speech
    this.#talks(speech)
  }

  /** It left, and is heard no more. */
  end(): void {
    this.#speech.close()
    if (this.#talking) this.#talks(false)
    this.#talking = false
  }
}
