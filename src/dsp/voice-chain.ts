/**
 * The stages of one voice in their order: echo goes first, for it must be as it was sent; gain last, for it needs to know
 * noise from voice.
 *
 *   frame ─▶ echo ─▶ denoise ─▶ agc ─▶ frame        prints itself as `echo(128ms) > denoise > agc(-20dBov)`
 */
import type { VoiceProcessing } from '../core/voice-processing.ts'
import { createDenoise } from './denoise.ts'
import { EchoCanceller } from './echo/echo-canceller.ts'
import { GainControl } from './gain-control.ts'
import { frameMs, isVoiceRate, type VoiceStage } from './stage.ts'

/**
 * Make the chain that is asked for; undefined when nothing is, or nothing can be done at this rate.
 *
 * @param sent What the party hears in this tick: its echo is taken out. Without it nothing is.
 */
export function createVoiceChain(
  sampleRateHz: number,
  wanted: VoiceProcessing,
  sent?: () => Int16Array | undefined,
): VoiceChain | undefined {
  if (!isVoiceRate(sampleRateHz)) return undefined
  const stages: VoiceStage[] = []
  if (wanted.echo && sent) stages.push(new EchoCanceller(sampleRateHz, { sent }))
  const denoise = wanted.denoise ? createDenoise(sampleRateHz) : undefined
  if (denoise) stages.push(denoise)
  const { gainDbov: targetDbov } = wanted
  if (targetDbov !== undefined)
    stages.push(new GainControl(sampleRateHz, { targetDbov, ...(denoise && { meter: denoise }) }))
  return stages.length === 0 ? undefined : new VoiceChain(sampleRateHz, stages)
}

export class VoiceChain {
  readonly #stages: readonly VoiceStage[]
  readonly #frame: Int16Array

  constructor(sampleRateHz: number, stages: readonly VoiceStage[]) {
    this.#stages = stages
    this.#frame = new Int16Array((sampleRateHz * frameMs) / 1000)
  }

  /** How much later sound comes out. */
  get delayMs(): number {
    return this.#stages.reduce((sum, { delayMs }) => sum + delayMs, 0)
  }

  /**
   * The next 20 ms, which stay as they are; undefined is silence.
   * @returns A frame that belongs to the chain and is valid until the next call.
   */
  process(frame: Int16Array | undefined): Int16Array {
    if (frame) this.#frame.set(frame)
    else this.#frame.fill(0)
    for (const stage of this.#stages) stage.process(this.#frame)
    return this.#frame
  }

  toString(): string {
    return this.#stages.map(({ name }) => name).join(' > ')
  }

  /** Twice is fine. */
  close(): void {
    for (const stage of this.#stages) stage.close()
  }
}
