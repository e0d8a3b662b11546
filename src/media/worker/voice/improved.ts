/**
 * The voice of a port's peer made better for who hears it decoded: echo out, noise out, one level.
 *
 *   Ear ── frame ─▶ VoiceChain (src/dsp/) ─▶ Heard of the bridged port, mixer, tap
 *   Speaker ── what the peer heard ─▶ SentSound ─▶ its echo
 *
 * The chain is made when somebody first reads, for the rate of the codec, and made anew when that changes.
 */
import type { VoiceProcessing } from '../../../core/voice-processing.ts'
import { isVoiceRate } from '../../../dsp/stage.ts'
import { createVoiceChain, type VoiceChain } from '../../../dsp/voice-chain.ts'
import type { SoundSource } from '../sound.ts'
import { atRate } from './at-rate.ts'
import type { SentSound } from './sent-sound.ts'

/** After so many frames of silence the chain has let go of all it held: nothing is done until the voice is back. */
const framesToRest = 50

/** Rates of codecs that no stage works at (12, 24, 32, 44.1 kHz) are brought to the next. */
const workingRate = (rateHz: number): number => (isVoiceRate(rateHz) ? rateHz : rateHz < 16_000 ? 16_000 : 48_000)

export class ImprovedVoice implements SoundSource {
  readonly #ear: SoundSource
  readonly #wanted: VoiceProcessing
  readonly #sent: SentSound | undefined
  #chain: VoiceChain | undefined
  #chainHz = 0
  #quietFrames = framesToRest
  #tick = Number.NaN
  #frame: Int16Array | undefined

  /** @param sent What the peer hears, when its echo shall go. */
  constructor(ear: SoundSource, wanted: VoiceProcessing, sent: SentSound | undefined) {
    this.#ear = ear
    this.#wanted = wanted
    this.#sent = sent
  }

  get sampleRateHz(): number {
    return workingRate(this.#ear.sampleRateHz)
  }

  wants(sampleRateHz: number): void {
    this.#ear.wants?.(sampleRateHz)
  }

  read(tick: number): Int16Array | undefined {
    if (tick !== this.#tick) {
      this.#tick = tick
      this.#frame = this.#next(tick)
    }
    return this.#frame
  }

  #next(tick: number): Int16Array | undefined {
    const rateHz = this.sampleRateHz
    const frame = atRate(this.#ear, rateHz).read(tick)
    this.#quietFrames = frame ? 0 : this.#quietFrames + 1
    if (this.#quietFrames > framesToRest) return undefined
    if (rateHz !== this.#chainHz) this.#begin(rateHz)
    return this.#chain ? this.#chain.process(frame) : frame
  }

  #begin(rateHz: number): void {
    this.#chain?.close()
    this.#chainHz = rateHz
    this.#chain = createVoiceChain(rateHz, this.#wanted, this.#sent && (() => this.#sent?.take(rateHz)))
  }

  /** `denoise > agc(-20dBov)`; empty before anybody read. */
  toString(): string {
    return String(this.#chain ?? '')
  }

  /** Give back what the chain holds. Twice is fine. */
  close(): void {
    this.#chain?.close()
    this.#chain = undefined
    this.#chainHz = 0
  }
}
