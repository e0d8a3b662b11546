/**
 * Noise suppression by RNNoise, at 8, 16 or 48 kHz.
 *
 *   frame ─▶ to 48 kHz ─▶ RNNoise, twice 10 ms ─▶ back ─▶ frame
 *
 * Made for voices: tones (DTMF, fax, ringback) and music are taken for noise. What listens for tones must listen before.
 * Without the package of RNNoise `createDenoise` makes nothing.
 */
import { Resampler } from '../codec/resample.ts'
import { loadRnnoise, type RnnoiseStream, rnnoiseDelayMs, rnnoiseFrame, rnnoiseRateHz } from './rnnoise.ts'
import { frameMs, type VoiceMeter, type VoiceRateHz, type VoiceStage } from './stage.ts'

/** Samples of 20 ms at the network's rate. */
const wideSamples = (rnnoiseRateHz * frameMs) / 1000

const toSixteenBits = (value: number): number => Math.max(-32_768, Math.min(32_767, Math.round(value)))

/** Undefined where RNNoise is not installed. */
export function createDenoise(sampleRateHz: VoiceRateHz): Denoise | undefined {
  const stream = loadRnnoise()?.open()
  return stream && new Denoise(sampleRateHz, stream)
}

export class Denoise implements VoiceStage, VoiceMeter {
  readonly name = 'denoise'
  readonly delayMs: number
  /** Of the louder half of the last frame. */
  voiceProbability = 0
  readonly #stream: RnnoiseStream
  readonly #up: Resampler | undefined
  readonly #down: Resampler | undefined
  readonly #wide = new Int16Array(wideSamples + 1)
  readonly #samples = new Float32Array(wideSamples)

  /** @param stream Closed with the stage. */
  constructor(sampleRateHz: VoiceRateHz, stream: RnnoiseStream) {
    this.#stream = stream
    if (sampleRateHz !== rnnoiseRateHz) {
      this.#up = new Resampler(sampleRateHz, rnnoiseRateHz, (sampleRateHz * frameMs) / 1000)
      this.#down = new Resampler(rnnoiseRateHz, sampleRateHz, wideSamples)
    }
    const [up, down] = [this.#up?.delaySamples ?? 0, this.#down?.delaySamples ?? 0]
    this.delayMs = rnnoiseDelayMs + (1000 * up) / sampleRateHz + (1000 * down) / rnnoiseRateHz
  }

  process(frame: Int16Array): void {
    const wide = this.#wide
    const samples = this.#samples
    if (this.#up) this.#up.process(frame, 0, frame.length, wide, 0)
    else wide.set(frame)
    for (let i = 0; i < wideSamples; i++) samples[i] = wide[i] ?? 0
    const first = this.#stream.process(samples, 0)
    const second = this.#stream.process(samples, rnnoiseFrame)
    this.voiceProbability = Math.max(first, second)
    for (let i = 0; i < wideSamples; i++) wide[i] = toSixteenBits(samples[i] ?? 0)
    if (this.#down) this.#down.process(wide, 0, wideSamples, frame, 0)
    else for (let i = 0; i < wideSamples; i++) frame[i] = wide[i] ?? 0
  }

  close(): void {
    this.#stream.close()
  }
}
