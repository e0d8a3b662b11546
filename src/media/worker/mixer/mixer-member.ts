/**
 * One who takes part in a mixer: what it says goes in with its gain, what it hears comes out without itself.
 *
 *   voice ── frame ─▶ MixerMember ── own words ─▶ Mixer ── sum ─▶ MixerMember.read ─▶ Heard
 */

import { gainFactor } from '../../../codec/mix.ts'
import type { VoiceModel } from '../../../core/voice-processing.ts'
import { frameSamples, type SoundSource } from '../sound.ts'
import { Limiter } from './limiter.ts'
import { loudness } from './loudest.ts'
import type { Mixer } from './mixer.ts'
import { TalkDetector } from './talk.ts'

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
    if (this.#mixer.isStaged) this.loudness = loudness(this.#frame, this.loudness)
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
