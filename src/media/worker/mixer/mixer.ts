/**
 * Many voices into one, and to each member all but its own: a conference.
 *
 *   ears, players  ── read ─▶  Mixer: one sum  ── minus own ─▶  MixerMember.read ─▶ Heard
 *                                              ── whole ──────▶  Mixer.read ─▶ recorder, tap
 *
 * A tick costs as much as there are voices: everything is added once, each takes its own away again, and all who are
 * silent hear the same frame. Gains change along a frame, so that nobody comes or goes with a click. Mixes may be
 * members of each other: what goes round comes one tick later. Nothing allocates between joins.
 */
import { frameSamples, type SoundSource } from '../sound.ts'
import { Limiter } from './limiter.ts'
import type { Stage } from './loudest.ts'
import { type MemberOptions, MixerMember } from './mixer-member.ts'

export type MixerRateHz = 8000 | 16_000 | 48_000

export interface MixerOptions {
  readonly sampleRateHz: MixerRateHz
  /** Only so many are heard at a time, the loudest; see loudest.ts. All when left out. */
  readonly stage?: Stage
}

export class Mixer implements SoundSource {
  readonly sampleRateHz: number
  readonly #members: MixerMember[] = []
  readonly #stage: Stage | undefined
  readonly #samples: number
  readonly #sum: Int32Array
  readonly #limiter = new Limiter()
  readonly #whole: Int16Array
  /** The frame of the whole mix has been made in this tick. */
  #wholeMade = false
  #voices = 0
  #tick = Number.NaN
  #mixing = false

  constructor({ sampleRateHz, stage }: MixerOptions) {
    this.sampleRateHz = sampleRateHz
    this.#stage = stage
    this.#samples = frameSamples(sampleRateHz)
    this.#sum = new Int32Array(this.#samples)
    this.#whole = new Int16Array(this.#samples)
  }

  /** Members, those included who fade out. */
  get size(): number {
    return this.#members.length
  }

  /** @param voice At the rate of the mix; undefined for one who only listens. */
  join(voice: SoundSource | undefined, options: MemberOptions = {}): MixerMember {
    if (voice && voice.sampleRateHz !== this.sampleRateHz) throw new RangeError('a voice of another rate than the mix')
    const member = new MixerMember(this, voice, options)
    this.#members.push(member)
    return member
  }

  /** All voices. */
  read(tick: number): Int16Array | undefined {
    this.mix(tick)
    return this.#voices === 0 ? undefined : this.wholeFrame()
  }

  /** Take a frame from everybody, once a tick. */
  mix(tick: number): void {
    if (tick === this.#tick || this.#mixing) return
    this.#mixing = true
    this.#tick = tick
    this.#wholeMade = false
    this.#voices = 0
    this.#sum.fill(0)
    for (const member of this.#members) member.listen(tick)
    this.#stage?.choose(this.#members)
    for (const member of this.#members) if (member.speak(this.#sum)) this.#voices++
    for (let i = this.#members.length - 1; i >= 0; i--) if (this.#members[i]?.gone) this.#members.splice(i, 1)
    this.#mixing = false
    for (const member of this.#members) member.prepare(tick)
  }

  /** For members: only some are heard. */
  get isStaged(): boolean {
    return this.#stage !== undefined
  }

  /** For members: true while the mix is being made, which one of its voices depends on. */
  get mixing(): boolean {
    return this.#mixing
  }

  /** For members: how many voices are in the mix of this tick. */
  get voices(): number {
    return this.#voices
  }

  /** For members: what everybody hears who says nothing. */
  wholeFrame(): Int16Array {
    if (!this.#wholeMade) this.#limiter.process(this.#sum, this.#samples, this.#whole)
    this.#wholeMade = true
    return this.#whole
  }

  /** For members: the limiter of `wholeFrame`. */
  get limiter(): Limiter {
    return this.#limiter
  }

  /** For members: the sum without a voice that is in it. */
  without(own: Int16Array, limiter: Limiter, output: Int16Array): void {
    const sum = this.#sum
    const ownSamples = own.length
    let bits = 0
    for (let i = 0; i < this.#samples; i++) {
      const value = (sum[i] ?? 0) - (i < ownSamples ? (own[i] ?? 0) : 0)
      scratch[i] = value
      output[i] = value
      bits |= value ^ (value >> 31)
    }
    // Mostly nothing is as loud as half of full scale, and done already.
    if (bits >= halfScale || limiter.gain < 1) limiter.process(scratch, this.#samples, output)
  }
}

/** A power of two: no bit above it is set in any sample that is less. */
const halfScale = 16_384

/** Frames are made one after the other: one for all mixers of a worker, as long as the longest frame. */
const scratch = new Int32Array(frameSamples(48_000))
