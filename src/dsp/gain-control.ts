/**
 * Automatic gain: quiet voices and loud ones come out at one level.
 *
 *   frame ─▶ how loud is the voice ─▶ gain towards the target, slowly ─▶ limiter ─▶ frame
 *
 * Only voice moves the gain, so that a pause does not pump up the noise behind it; noise is never lifted above
 * -45 dBov. Voice is what a `VoiceMeter` before it hears (noise suppression), else what the energy detector does.
 */
import { levelDbov, SpeechDetector } from '../codec/level.ts'
import { gainFactor } from '../codec/mix.ts'
import { Limiter } from './limiter.ts'
import { frameMs, type VoiceMeter, type VoiceRateHz, type VoiceStage } from './stage.ts'

export interface GainControlOptions {
  /** Level of the voice while it speaks, dBov. ITU-T P.56 and G.100.1 take -26 for nominal; -20 suits loudspeakers. */
  readonly targetDbov?: number
  /** Most it amplifies; it lowers by as much as needed. */
  readonly mostGainDb?: number
  /** Hears voice better than energy does. Its frame has been processed before ours. */
  readonly meter?: VoiceMeter
}

/** A quiet voice is lifted slowly, for nobody likes a room that swells; a loud one lowered at once. */
const riseDbPerSecond = 6
const fallDbPerSecond = 30
/** Where noise may be lifted to, and the level under which nothing is a voice. */
const noiseCeilingDbov = -45
const leastVoiceDbov = -60
/** Time constant of the level of the voice: some syllables. */
const levelMs = 400
/** A meter's probability that counts as voice. */
const surely = 0.8
/** The gain stays where it is while the voice is this near to the target. */
const nearEnoughDb = 1

export class GainControl implements VoiceStage {
  readonly name: string
  readonly delayMs: number
  readonly #targetDbov: number
  readonly #mostGainDb: number
  readonly #meter: VoiceMeter | undefined
  readonly #detector: SpeechDetector
  readonly #limiter: Limiter
  readonly #amplified: Float32Array
  /** Mean power of the voice while it speaks, 1 is full scale; undefined before the first. */
  #power: number | undefined
  #gainDb = 0

  constructor(sampleRateHz: VoiceRateHz, { targetDbov = -20, mostGainDb = 24, meter }: GainControlOptions = {}) {
    this.name = `agc(${targetDbov}dBov)`
    this.#targetDbov = targetDbov
    this.#mostGainDb = mostGainDb
    this.#meter = meter
    this.#detector = new SpeechDetector(sampleRateHz)
    this.#limiter = new Limiter(sampleRateHz)
    this.delayMs = this.#limiter.delayMs
    this.#amplified = new Float32Array((sampleRateHz * frameMs) / 1000)
  }

  get gainDb(): number {
    return this.#gainDb
  }

  process(frame: Int16Array): void {
    const before = gainFactor(this.#gainDb)
    this.#follow(frame)
    // In a straight line over the frame: a step would click
    const step = (gainFactor(this.#gainDb) - before) / frame.length
    const amplified = this.#amplified
    for (let i = 0; i < frame.length; i++) amplified[i] = (frame[i] ?? 0) * (before + step * (i + 1))
    this.#limiter.process(amplified, frame)
  }

  #follow(frame: Int16Array): void {
    const level = levelDbov(frame)
    const heard = this.#detector.hears(frame)
    const voice = (this.#meter ? this.#meter.voiceProbability > surely : heard) && level > leastVoiceDbov
    if (!voice) return
    const power = 10 ** (level / 10)
    // Word ends and gaps between words are no measure of how loud somebody speaks
    if (this.#power !== undefined && power < this.#power / 30) return
    this.#power = this.#power === undefined ? power : this.#power + (frameMs / levelMs) * (power - this.#power)
    const wanted = Math.min(
      this.#targetDbov - 10 * Math.log10(this.#power),
      this.#mostGainDb,
      Math.max(0, noiseCeilingDbov - this.#detector.noiseFloorDbov),
    )
    const away = wanted - this.#gainDb
    if (Math.abs(away) < nearEnoughDb) return
    const most = ((away > 0 ? riseDbPerSecond : fallDbPerSecond) * frameMs) / 1000
    this.#gainDb += Math.max(-most, Math.min(most, away))
  }

  close(): void {
    // Memory alone
  }
}
