/**
 * Echo taken out of a voice: what we sent to a telephone and it sends back, from a loudspeaker or from a line.
 *
 *   sent ─▶ delay (searched, to 500 ms) ─▶ filter learns the path ─▶ what is left is suppressed ─▶ frame
 *
 * For whoever records or recognises the voice; telephones take out the echo of their own ear. One frame late, by the
 * windows of the last step. 8, 16 or 48 kHz. Nothing allocates after construction.
 */
import { Resampler } from '../../codec/resample.ts'
import { frameMs, type VoiceRateHz, type VoiceStage } from '../stage.ts'
import { AdaptiveFilter } from './adaptive-filter.ts'
import { DelaySearch, searchRateHz } from './delay-search.ts'
import { ResidualSuppressor } from './residual.ts'

export interface EchoCancellerOptions {
  /** The frame that was sent in the moment that the next `process` brings back; undefined for silence. */
  readonly sent: () => Int16Array | undefined
  /** How long a room or a line answers after the first sound of the echo. */
  readonly tailMs?: number
}

const longestDelayMs = 500
/**
 * The filter begins so much before the loudest of the echo, which may not be its first; and may come earlier when a jitter
 * buffer on its way becomes shorter.
 */
const earlierMs = 20

export class EchoCanceller implements VoiceStage {
  readonly name: string
  readonly delayMs = frameMs
  readonly #sentNow: () => Int16Array | undefined
  readonly #frame: number
  readonly #rateHz: number
  readonly #search = new DelaySearch()
  readonly #filter: AdaptiveFilter
  readonly #suppressor: ResidualSuppressor
  readonly #toSearch: readonly [Resampler, Resampler] | undefined
  readonly #searchSent = new Int16Array((searchRateHz * frameMs) / 1000 + 1)
  readonly #searchNear = new Int16Array((searchRateHz * frameMs) / 1000 + 1)
  readonly #silence: Int16Array
  /** What was sent in the last half second and a frame, the newest last. */
  readonly #history: Float64Array
  readonly #sent: Float64Array
  readonly #near: Float64Array
  readonly #output: Float64Array
  #delay = 0

  constructor(sampleRateHz: VoiceRateHz, { sent, tailMs = 128 }: EchoCancellerOptions) {
    this.name = `echo(${tailMs}ms)`
    this.#sentNow = sent
    this.#rateHz = sampleRateHz
    this.#frame = (sampleRateHz * frameMs) / 1000
    this.#filter = new AdaptiveFilter(this.#frame, Math.ceil((tailMs + earlierMs) / frameMs))
    this.#suppressor = new ResidualSuppressor(this.#frame)
    if (sampleRateHz !== searchRateHz) {
      const make = (): Resampler => new Resampler(sampleRateHz, searchRateHz, this.#frame)
      this.#toSearch = [make(), make()]
    }
    this.#silence = new Int16Array(this.#frame)
    this.#history = new Float64Array((sampleRateHz * longestDelayMs) / 1000 + this.#frame)
    this.#sent = new Float64Array(this.#frame)
    this.#near = new Float64Array(this.#frame)
    this.#output = new Float64Array(this.#frame)
  }

  /** How late the echo comes; undefined until it was found. */
  get echoDelayMs(): number | undefined {
    const samples = this.#search.delaySamples
    return samples === undefined ? undefined : (1000 * samples) / searchRateHz
  }

  process(frame: Int16Array): void {
    const sent = this.#sentNow() ?? this.#silence
    this.#follow(sent, frame)
    const history = this.#history
    history.copyWithin(0, this.#frame)
    const end = history.length - this.#delay
    for (let i = 0; i < this.#frame; i++) {
      history[history.length - this.#frame + i] = sent[i] ?? 0
      this.#near[i] = frame[i] ?? 0
    }
    for (let i = 0; i < this.#frame; i++) this.#sent[i] = history[end - this.#frame + i] ?? 0
    this.#filter.process(this.#sent, this.#near)
    this.#suppressor.process(this.#filter.error, this.#filter.echo, this.#filter.leak, this.#output)
    for (let i = 0; i < this.#frame; i++)
      frame[i] = Math.max(-32_768, Math.min(32_767, Math.round(this.#output[i] ?? 0)))
  }

  /** Search the delay; begin anew when the echo is no longer where the filter looks. */
  #follow(sent: Int16Array, near: Int16Array): void {
    if (this.#toSearch) {
      const [ofSent, ofNear] = this.#toSearch
      const count = ofSent.process(sent, 0, sent.length, this.#searchSent, 0)
      ofNear.process(near, 0, near.length, this.#searchNear, 0)
      this.#search.process(this.#searchSent, this.#searchNear, count)
    } else this.#search.process(sent, near, this.#frame)
    const { echoDelayMs } = this
    if (echoDelayMs === undefined) return
    const laterMs = echoDelayMs - (1000 * this.#delay) / this.#rateHz
    if (laterMs >= 0 && laterMs < 3 * earlierMs) return
    this.#delay = Math.max(0, Math.round(((echoDelayMs - earlierMs) * this.#rateHz) / 1000))
    this.#filter.reset()
  }

  close(): void {
    // Memory alone
  }
}
