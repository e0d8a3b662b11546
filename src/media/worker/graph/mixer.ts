/**
 * Many voices into one, and to each member all but its own: a conference.
 *
 *   ears, players  ── read ─▶  Mixer: one sum  ── minus own ─▶  MixerMember.read ─▶ mouths
 *                                              ── whole ──────▶  Mixer.read ─▶ recorder, tap
 *
 * A tick costs as much as there are voices: everything is added once, each takes its own away again, and all who are
 * silent hear the same frame. Gains change along a frame, so that nobody comes or goes with a click. Mixes may be
 * members of each other: what goes round comes one tick later. Nothing allocates between joins.
 */

import { gainFactor } from '../../../codec/mix.ts'
import type { VoiceModel } from '../../../core/voice-processing.ts'
import { frameSamples, type SoundSource } from '../sound.ts'
import { Limiter } from './limiter.ts'
import { loudness, type Stage } from './loudest.ts'
import { TalkDetector } from './talk.ts'

export type MixerRateHz = 8000 | 16_000 | 48_000

export interface MixerOptions {
  readonly sampleRateHz: MixerRateHz
  /** Only so many are heard at a time, the loudest; see loudest.ts. All when left out. */
  readonly stage?: Stage
}

export interface MemberOptions {
  /** -40 to 20; 0 when left out. */
  readonly gainDb?: number
  /** Is not heard. */
  readonly muted?: boolean
  /** Does not hear. */
  readonly deaf?: boolean
  /** Is heard even where only the loudest are. */
  readonly announces?: boolean
  /** Told when it begins and ends to talk, at most twice in 600 ms. */
  readonly talks?: (talking: boolean) => void
  /** What it is told by; energy when left out. */
  readonly voiceActivity?: VoiceModel
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
    for (let i = 0; i < this.#samples; i++) scratch[i] = (sum[i] ?? 0) - (own[i] ?? 0)
    limiter.process(scratch, this.#samples, output)
  }
}

/** Frames are made one after the other: one for all mixers of a worker, as long as the longest frame. */
const scratch = new Int32Array(frameSamples(48_000))

/** A voice that stops within a word is let down over so long, ms. */
const fallMs = 5

/** One who takes part; `read` is what it hears. */
export class MixerMember implements SoundSource {
  readonly sampleRateHz: number
  readonly #mixer: Mixer
  readonly #voice: SoundSource | undefined
  readonly #talk: TalkDetector | undefined
  /** Own words of this tick, as they went into the sum: the voice's frame, or that with a gain in `#scaled`. */
  #own: Int16Array | undefined
  readonly #scaled: Int16Array
  #frame: Int16Array | undefined
  /** Of the voice's newest frame. */
  #last = 0
  #gain = 0
  #wantedGain: number
  #muted: boolean
  #leaving = false
  #deaf: boolean
  readonly #limiter = new Limiter()
  /** Heard the frame of everybody in the tick before. */
  #heardWhole = false
  readonly #output: Int16Array
  #outputGain = 1
  #heard: Int16Array | undefined
  #heardTick = Number.NaN
  /** What was heard in the tick before, for a mix that this one depends on; undefined until one does. */
  #delayed: Int16Array | undefined
  /** As loudest.ts compares them: falls slowly. */
  loudness = 0
  readonly announces: boolean
  /** Whether it is heard, should only some be. */
  onStage = true

  constructor(
    mixer: Mixer,
    voice: SoundSource | undefined,
    { gainDb = 0, muted, deaf, announces, talks, voiceActivity }: MemberOptions,
  ) {
    this.sampleRateHz = mixer.sampleRateHz
    this.#mixer = mixer
    this.#voice = voice
    this.#wantedGain = gainFactor(gainDb)
    this.#muted = muted ?? false
    this.announces = announces ?? false
    this.#deaf = deaf ?? false
    this.#outputGain = this.#deaf ? 0 : 1
    const samples = frameSamples(mixer.sampleRateHz)
    this.#scaled = new Int16Array(samples)
    this.#output = new Int16Array(samples)
    if (talks) this.#talk = new TalkDetector(mixer.sampleRateHz, talks, voiceActivity)
  }

  /** What is left out stays. */
  change({ gainDb, muted, deaf }: Pick<MemberOptions, 'gainDb' | 'muted' | 'deaf'>): void {
    if (gainDb !== undefined) this.#wantedGain = gainFactor(gainDb)
    if (muted !== undefined) this.#muted = muted
    if (deaf !== undefined) this.#deaf = deaf
  }

  /** Fade out within a tick, and be gone. */
  leave(): void {
    this.#leaving = true
    this.#talk?.end()
  }

  get gone(): boolean {
    return this.#leaving && this.#gain === 0
  }

  get muted(): boolean {
    return this.#muted
  }

  /** For the mixer: take the voice's frame. */
  listen(tick: number): void {
    this.#frame = this.#voice?.read(tick)
    this.loudness = loudness(this.#frame, this.loudness)
    if (!this.#leaving) this.#talk?.hear(this.#muted ? undefined : this.#frame)
  }

  /** For the mixer: add what is to be heard; false for nothing. */
  speak(sum: Int32Array): boolean {
    const from = this.#gain
    const to = this.#muted || this.#leaving || !this.onStage ? 0 : this.#wantedGain
    this.#gain = to
    this.#own = this.#words(from, to)
    const own = this.#own
    if (!own) return false
    for (let i = 0; i < own.length; i++) sum[i] = (sum[i] ?? 0) + (own[i] ?? 0)
    return true
  }

  #words(from: number, to: number): Int16Array | undefined {
    const last = this.#last
    this.#last = this.#frame?.at(-1) ?? 0
    if (from === 0 && to === 0) return undefined
    if (!this.#frame) return last === 0 ? undefined : this.#fall(from * last)
    if (from === 1 && to === 1) return this.#frame
    ramp(this.#frame, from, to, this.#scaled)
    return this.#scaled
  }

  /** The voice stopped in the middle of something. */
  #fall(last: number): Int16Array {
    const count = (this.sampleRateHz * fallMs) / 1000
    this.#scaled.fill(0)
    for (let i = 0; i < count; i++) this.#scaled[i] = last * (1 - (i + 1) / count)
    return this.#scaled
  }

  read(tick: number): Int16Array | undefined {
    if (tick === this.#heardTick) return this.#heard
    if (this.#mixer.mixing) return this.#readDelayed()
    this.#mixer.mix(tick)
    this.#heardTick = tick
    const from = this.#outputGain
    const to = this.#deaf || this.#leaving ? 0 : 1
    this.#outputGain = to
    this.#heard = from === 0 && to === 0 ? undefined : this.#others()
    if (this.#heard && (from !== 1 || to !== 1)) {
      ramp(this.#heard, from, to, this.#output)
      this.#heard = this.#output
    }
    return this.#heard
  }

  /** Our mix waits for a voice that waits for what we hear. */
  #readDelayed(): Int16Array | undefined {
    this.#delayed ??= new Int16Array(this.#output.length)
    if (this.#heard) this.#delayed.set(this.#heard)
    return this.#heard && this.#delayed
  }

  /** For the mixer: make now what is asked for too early in the next tick. */
  prepare(tick: number): void {
    if (this.#delayed) this.read(tick)
  }

  #others(): Int16Array | undefined {
    const mixer = this.#mixer
    const own = this.#own
    const wasWhole = this.#heardWhole
    this.#heardWhole = false
    if (mixer.voices - (own ? 1 : 0) === 0) return undefined
    if (!own && (wasWhole || this.#limiter.gain === 1)) {
      this.#heardWhole = true
      return mixer.wholeFrame()
    }
    if (wasWhole) this.#limiter.follow(mixer.limiter)
    mixer.without(own ?? nothing, this.#limiter, this.#output)
    return this.#output
  }
}

/** Said by who says nothing. */
const nothing = new Int16Array(0)

/** `input` times a gain that runs from one value to another along the frame; limited. May be done in place. */
function ramp(input: Int16Array, from: number, to: number, output: Int16Array): void {
  const count = input.length
  for (let i = 0; i < count; i++) {
    const value = Math.round((input[i] ?? 0) * (from + ((to - from) * (i + 1)) / count))
    output[i] = value > 32_767 ? 32_767 : value < -32_768 ? -32_768 : value
  }
}
