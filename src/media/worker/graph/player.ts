/**
 * Plays sounds one after the other, sample for sample.
 *
 *   SoundStore ─▶ Reel ─▶ Player ── read ─▶ Heard, mixer
 *                           └── ended: why, and where ─▶ desk.ts
 *
 * It goes on when it is read and waits when nobody does. Where what is heard breaks off (pause, stop, another place),
 * the old fades out and the new fades in over 5 ms; else nothing is changed. A file that comes too slowly leaves silence
 * and goes on where it was.
 */
import { gainFactor } from '../../../codec/mix.ts'
import type { PlaybackEnd, Sound } from '../../graph/types.ts'
import { frameSamples, type SoundSource } from '../sound.ts'
import { nativeRateHz } from '../sounds/open.ts'
import { SoundError, type SoundFailure } from '../sounds/recorded.ts'
import type { SoundStore, StoredSound } from '../sounds/store.ts'
import { Reel } from './reel.ts'

export interface PlayerOptions {
  /** Exactly this; the rate that the sounds have, when left out. */
  readonly sampleRateHz?: number
  /** Not more than this: it would be lost on who hears it. */
  readonly upToHz?: number
  readonly sounds: readonly Sound[]
  /** How often in all; infinite until it is stopped. 1 when left out. */
  readonly times?: number
  /** 0 when left out. */
  readonly volumeDb?: number
  /** Where it begins. */
  readonly fromMs?: number
  /** Many hear it. */
  readonly shared?: boolean
  /** Told once. */
  readonly ended?: (end: PlaybackEnd) => void
  /** Told once, when its last frame has been taken: at the end, or a frame after a stop. */
  readonly silent?: () => void
}

const edgeMs = 5
/** Rates that sound is played at: what is heard at others is resampled anyway. */
const ratesHz = [8000, 16_000, 48_000]

export class Player implements SoundSource {
  /** Known when it is opened. */
  sampleRateHz: number
  readonly shared: boolean
  /** Resolves when it can be heard, or never will. */
  readonly opened: Promise<void>
  /** Frames that were not there in time. */
  underruns = 0
  readonly #options: PlayerOptions
  #reel: Reel | undefined
  #state: 'opening' | 'playing' | 'paused' | 'over' = 'opening'
  #pausedEarly = false
  #roundsLeft: number
  #seekMs: number
  /** Of the last sample, and of the next frame's last one. */
  #gain: number
  #wantedGain: number
  /** What was to come where it broke off, as loud as it would have been: fades out within the next frame. */
  #tail = new Int16Array(0)
  #tailSamples = 0
  /** Begins softly: it did not begin at its beginning. */
  #rises = false
  #output = new Int16Array(0)
  #tick = Number.NaN
  #frame: Int16Array | undefined

  constructor(store: SoundStore, options: PlayerOptions) {
    const { sampleRateHz = 8000, times = 1, volumeDb = 0, fromMs = 0, shared = false } = options
    this.sampleRateHz = sampleRateHz
    this.shared = shared
    this.#options = options
    this.#roundsLeft = times
    this.#seekMs = fromMs
    this.#gain = this.#wantedGain = gainFactor(volumeDb)
    this.opened = this.#open(store, options)
  }

  async #open(store: SoundStore, { sounds, sampleRateHz, upToHz }: PlayerOptions): Promise<void> {
    this.sampleRateHz = sampleRateHz ?? (await rateFor(sounds, upToHz))
    this.#tail = new Int16Array((this.sampleRateHz * edgeMs) / 1000)
    this.#output = new Int16Array(frameSamples(this.sampleRateHz))
    const opened = await Promise.allSettled(sounds.map((sound) => store.open(sound, this.sampleRateHz)))
    const there = opened.flatMap((each): StoredSound[] => (each.status === 'fulfilled' ? [each.value] : []))
    const reel = new Reel(there, this.sampleRateHz)
    const wrong = opened.find((each) => each.status === 'rejected')
    if (this.#state === 'over' || wrong || reel.samples === 0) {
      reel.close()
      return this.#end(wrong ? failed(wrong.reason) : { reason: 'ended' })
    }
    reel.seek(this.#samplesAt(this.#seekMs))
    await reel.ready()
    if (this.isOver) return reel.close()
    this.#reel = reel
    this.#state = this.#pausedEarly ? 'paused' : 'playing'
  }

  get isOver(): boolean {
    return this.#state === 'over'
  }

  /** Of the next sample; in all sounds together. */
  get positionMs(): number {
    return this.#reel ? (this.#reel.position * 1000) / this.sampleRateHz : this.#seekMs
  }

  pause(): void {
    this.#pausedEarly = true
    if (this.#state !== 'playing') return
    this.#breakOff()
    this.#state = 'paused'
  }

  resume(): void {
    this.#pausedEarly = false
    if (this.#state !== 'paused') return
    this.#rises = true
    this.#state = 'playing'
  }

  /** Go on from there; behind the end is the end. */
  seek(ms: number): void {
    this.#seekMs = ms
    if (this.#state === 'playing') {
      this.#breakOff()
      this.#rises = true
    }
    this.#reel?.seek(this.#samplesAt(ms))
  }

  /** Changes along the next frame. */
  setVolume(volumeDb: number): void {
    this.#wantedGain = gainFactor(volumeDb)
  }

  stop(end: Pick<PlaybackEnd, 'reason' | 'digit' | 'failure'> = { reason: 'stopped' }): void {
    if (this.#state === 'over') return
    if (this.#state === 'playing') this.#breakOff()
    this.#end(end)
    if (this.#tailSamples === 0) this.#options.silent?.()
  }

  read(tick: number): Int16Array | undefined {
    if (tick !== this.#tick) {
      this.#tick = tick
      this.#frame = this.#next()
    }
    return this.#frame
  }

  #next(): Int16Array | undefined {
    const playing = this.#state === 'playing'
    if (!playing && this.#tailSamples === 0) return undefined
    const made = playing ? this.#take() : 0
    const sounds = made > 0 || this.#tailSamples > 0
    if (sounds) {
      this.#output.fill(0, made)
      this.#shape(made)
      this.#fadeOut()
    }
    if (this.isOver) this.#options.silent?.()
    return sounds ? this.#output : undefined
  }

  #take(): number {
    const reel = this.#reel
    if (!reel) return 0
    const wanted = this.#output.length
    let made = 0
    while (made < wanted) {
      made += reel.take(this.#output, made, wanted - made)
      if (reel.ended) {
        if (--this.#roundsLeft > 0) reel.seek(0)
        else {
          this.#end({ reason: 'ended' })
          break
        }
      } else if (made < wanted) {
        this.underruns++
        if (reel.failure) this.#end(failed(reel.failure))
        break
      }
    }
    return made
  }

  /** Volume, and the soft beginning after a break. */
  #shape(count: number): void {
    const from = this.#gain
    const step = (this.#wantedGain - from) / this.#output.length
    this.#gain = this.#wantedGain
    const output = this.#output
    if (step !== 0 || from !== 1) {
      for (let i = 0; i < count; i++) {
        const value = Math.round((output[i] ?? 0) * (from + step * (i + 1)))
        output[i] = value > 32_767 ? 32_767 : value < -32_768 ? -32_768 : value
      }
    }
    if (!this.#rises || count === 0) return
    this.#rises = false
    const edge = this.#tail.length
    for (let i = 0; i < edge; i++) output[i] = ((output[i] ?? 0) * (i + 1)) / edge
  }

  #breakOff(): void {
    const reel = this.#reel
    if (!reel) return
    const { position } = reel
    this.#tailSamples = reel.take(this.#tail, 0, this.#tail.length)
    reel.seek(position)
    for (let i = 0; i < this.#tailSamples; i++) this.#tail[i] = (this.#tail[i] ?? 0) * Math.min(1, this.#gain)
  }

  #fadeOut(): void {
    const count = this.#tailSamples
    this.#tailSamples = 0
    const output = this.#output
    for (let i = 0; i < count; i++) output[i] = (output[i] ?? 0) + ((this.#tail[i] ?? 0) * (count - i - 1)) / count
  }

  #samplesAt(ms: number): number {
    return Math.round((ms * this.sampleRateHz) / 1000)
  }

  #end(end: Pick<PlaybackEnd, 'reason' | 'digit' | 'failure'>): void {
    if (this.#state === 'over') return
    const { positionMs } = this
    this.#state = 'over'
    this.#reel?.close()
    this.#options.ended?.({ ...end, positionMs })
  }
}

/** The highest that one of them has, or the next that we play at; the lowest for tones, which have any. */
async function rateFor(sounds: readonly Sound[], upToHz = Number.POSITIVE_INFINITY): Promise<number> {
  // What cannot be read is told of when it is opened.
  const own = await Promise.all(sounds.map((sound) => nativeRateHz(sound).catch(() => undefined)))
  const wanted = Math.min(upToHz, Math.max(...own.map((rateHz) => rateHz ?? 0)))
  return ratesHz.find((rateHz) => rateHz >= wanted) ?? 48_000
}

const failed = (cause: unknown): { reason: 'failed'; failure: SoundFailure } => ({
  reason: 'failed',
  failure: cause instanceof SoundError ? cause.code : 'media.sound-broken',
})
