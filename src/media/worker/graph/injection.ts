/**
 * Sound that somebody outside the worker makes and sends: an agent's speech, a translation.
 *
 *   consumer ── audio, marks, flush ─▶ Injection ── read ─▶ Heard
 *            ◀─ low, mark, ended ────
 *
 * It is played as it comes, or once enough is there. What is sent faster than it is played waits, up to a bound; what is
 * beyond that is dropped and counted. `flush` forgets what was not played, within a frame: somebody speaks into it.
 */
import type { InjectionEvents } from '../../graph/types.ts'
import { frameSamples, type SoundSource } from '../sound.ts'

export interface InjectionOptions {
  readonly sampleRateHz: number
  /** Nothing is played until so much is there, or its end. */
  readonly prebufferMs: number
  /** `low` is told when less is left, once until it was more again. */
  readonly lowMs: number
  /** Most that waits. */
  readonly mostMs: number
  readonly tell: <Name extends keyof InjectionEvents>(name: Name, event: InjectionEvents[Name]) => void
  /** Told once, when its last frame has been taken. */
  readonly silent: () => void
}

/** Where it breaks off, it fades out over so long, ms. */
const edgeMs = 5
/** More marks than that wait for nobody: the oldest is told before its time. */
const mostMarks = 1000

export class Injection implements SoundSource {
  readonly sampleRateHz: number
  /** Samples that found no room. */
  dropped = 0
  readonly #options: InjectionOptions
  readonly #pieces: Int16Array[] = []
  /** Of the first piece. */
  #at = 0
  #waiting = 0
  /** Samples taken in so far; marks lie between them. */
  #written = 0
  #played = 0
  readonly #marks: { readonly name: string; readonly at: number }[] = []
  #lowTold = true
  #flowing = false
  #state: 'open' | 'ending' | 'over' = 'open'
  readonly #output: Int16Array
  /** What was to come when it was flushed. */
  readonly #tail: Int16Array
  #tailSamples = 0
  #last = 0
  #tick = Number.NaN
  #frame: Int16Array | undefined

  constructor(options: InjectionOptions) {
    this.sampleRateHz = options.sampleRateHz
    this.#options = options
    this.#output = new Int16Array(frameSamples(options.sampleRateHz))
    this.#tail = new Int16Array((options.sampleRateHz * edgeMs) / 1000)
  }

  get waitingMs(): number {
    return (this.#waiting * 1000) / this.sampleRateHz
  }

  get isOver(): boolean {
    return this.#state === 'over'
  }

  /** Kept as it is: not to be changed afterwards. */
  write(samples: Int16Array): void {
    if (this.#state !== 'open') return
    const room = Math.max(0, (this.#options.mostMs * this.sampleRateHz) / 1000 - this.#waiting)
    const taken = samples.length <= room ? samples : samples.subarray(0, room)
    this.dropped += samples.length - taken.length
    if (taken.length === 0) return
    this.#pieces.push(taken)
    this.#waiting += taken.length
    this.#written += taken.length
    if (this.waitingMs > this.#options.lowMs) this.#lowTold = false
  }

  /** Tell when all that was written before it has been played. */
  mark(name: string): void {
    this.#marks.push({ name, at: this.#written })
    const oldest = this.#marks.length > mostMarks ? this.#marks.shift() : undefined
    if (oldest) this.#options.tell('mark', { name: oldest.name })
    this.#tellMarks()
  }

  /** Forget what was not played, and the marks in it. Returns how much that was, ms. */
  flush(): number {
    const unplayedMs = this.waitingMs
    const played = this.#played
    this.#tailSamples = this.#take(this.#tail, 0, this.#tail.length)
    this.#played = played
    if (this.#tailSamples === 0 && this.#last !== 0) this.#tailSamples = this.#tail.fill(this.#last).length
    this.#forget()
    return unplayedMs
  }

  /** No more comes: `ended` is told when the rest has been played. */
  end(): void {
    if (this.#state !== 'open') return
    this.#state = 'ending'
    this.#endIfPlayed()
    if (this.isOver && this.#last === 0 && this.#tailSamples === 0) this.#options.silent()
  }

  /** At once. */
  stop(): void {
    if (this.#state === 'over') return
    this.#state = 'ending'
    this.flush()
    if (this.#tailSamples === 0) this.#options.silent()
  }

  #forget(): void {
    this.#pieces.length = 0
    this.#at = 0
    this.#waiting = 0
    this.#written = this.#played
    this.#marks.length = 0
    this.#flowing = false
    this.#last = 0
    this.#lowTold = true
    this.#endIfPlayed()
  }

  read(tick: number): Int16Array | undefined {
    if (tick !== this.#tick) {
      this.#tick = tick
      this.#frame = this.#next()
    }
    return this.#frame
  }

  #next(): Int16Array | undefined {
    if (!this.#flowing && this.#waiting > 0)
      this.#flowing = this.waitingMs >= this.#options.prebufferMs || this.#state === 'ending'
    const output = this.#output
    const made = this.#flowing ? this.#take(output, 0, output.length) : 0
    const sounds = made > 0 || this.#tailSamples > 0 || this.#last !== 0
    if (sounds) {
      output.fill(0, made)
      this.#letDown(made)
      this.#tellMarks()
      this.#tellLow()
      this.#endIfPlayed()
    }
    if (this.isOver && this.#last === 0) this.#options.silent()
    return sounds ? output : undefined
  }

  #take(output: Int16Array, to: number, count: number): number {
    let taken = 0
    for (let [piece] = this.#pieces; piece && taken < count; [piece] = this.#pieces) {
      const some = Math.min(count - taken, piece.length - this.#at)
      output.set(piece.subarray(this.#at, this.#at + some), to + taken)
      taken += some
      this.#at += some
      if (this.#at < piece.length) break
      this.#pieces.shift()
      this.#at = 0
    }
    this.#waiting -= taken
    this.#played += taken
    return taken
  }

  /** The end of what there is, or what was flushed, fades out. */
  #letDown(made: number): void {
    const output = this.#output
    const edge = this.#tail.length
    const fading = this.#tailSamples
    for (let i = 0; i < fading; i++) {
      // What was written behind a flush is heard beside the end of what was flushed
      const sum = (output[i] ?? 0) + ((this.#tail[i] ?? 0) * (fading - 1 - i)) / fading
      output[i] = sum > 32_767 ? 32_767 : sum < -32_768 ? -32_768 : sum
    }
    this.#tailSamples = 0
    const last = made > 0 ? (output[made - 1] ?? 0) : this.#last
    this.#last = made === output.length ? last : 0
    if (made === output.length) return
    this.#flowing = false
    const count = Math.min(edge, output.length - made)
    for (let i = 0; i < count; i++) output[made + i] = (output[made + i] ?? 0) + (last * (count - 1 - i)) / count
  }

  #tellMarks(): void {
    for (let [mark] = this.#marks; mark && mark.at <= this.#played; [mark] = this.#marks) {
      this.#marks.shift()
      this.#options.tell('mark', { name: mark.name })
    }
  }

  #tellLow(): void {
    if (this.#lowTold || this.waitingMs > this.#options.lowMs || this.#state !== 'open') return
    this.#lowTold = true
    this.#options.tell('low', { waitingMs: this.waitingMs })
  }

  #endIfPlayed(): void {
    if (this.#state !== 'ending' || this.#waiting > 0) return
    this.#state = 'over'
    this.#options.tell('ended', {
      playedMs: (this.#played * 1000) / this.sampleRateHz,
      droppedMs: (this.dropped * 1000) / this.sampleRateHz,
    })
  }
}
