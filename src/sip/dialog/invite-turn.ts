/**
 * Whose turn it is for an offer inside a dialog, by re-INVITE or UPDATE: one at a time, in either direction.
 * RFC 3261 §14.1, §14.2; RFC 3311 §5.1.
 */
import type { Clock, Timer } from '../../core/clock.ts'

/** §14.1: who owns the Call-ID waits 2.1 to 4 s after a 491, the other 0 to 2 s, in units of 10 ms. */
export const backOffMs = (side: 'caller' | 'called'): number =>
  (side === 'caller' ? 210 + Math.floor(Math.random() * 191) : Math.floor(Math.random() * 201)) * 10

/** `answered`: ours to theirs, which they have not acknowledged. */
export type FirstOffer = 'ours' | 'theirs' | 'none' | 'answered'

export class InviteTurn {
  readonly #clock: Clock
  readonly #waiting: (() => void)[] = []
  #asking = false
  /** The first exchange, INVITEs of theirs that are not answered, and answers of ours that are not acknowledged. */
  #blocks = 1
  /** Whose offer of the first exchange waits for its answer; `none` before there is one; undefined once it is over. */
  #first: FirstOffer | undefined
  #ended = false
  #pause: { timer: Timer; done: () => void } | undefined

  /** @param first Who made the offer of the INVITE. */
  constructor(clock: Clock, first: FirstOffer) {
    this.#clock = clock
    this.#first = first
  }

  /** True while an offer of ours is under way; false while we only wait to send it again. */
  get asking(): boolean {
    return (this.#asking && !this.#pause) || this.#first === 'ours'
  }

  /** True while the offer of their INVITE waits for our answer. */
  get answering(): boolean {
    return this.#first === 'theirs'
  }

  /** A provisional answer of ours has a description: the answer, or our offer. It has to be acknowledged yet. */
  describedFirst(): void {
    if (this.#first === 'theirs') this.#first = 'answered'
    else if (this.#first === 'none') this.#first = 'ours'
  }

  /** The first offer and its answer have been exchanged. */
  settleFirst(): void {
    if (this.#first === undefined) return
    this.#first = undefined
    this.unblock()
  }

  /** Resolves when we may send an INVITE, or when the dialog has ended. Give it back afterwards. */
  async take(): Promise<void> {
    while (!this.#ended && (this.#asking || this.#blocks > 0)) await new Promise<void>((go) => this.#waiting.push(go))
    this.#asking = true
  }

  give(): void {
    this.#asking = false
    this.#wake()
  }

  /** Wait, but no longer than the dialog lives, and until nothing of theirs is pending. */
  async pause(ms: number): Promise<void> {
    if (this.#ended) return
    await new Promise<void>((done) => {
      this.#pause = { timer: this.#clock.after(ms, done), done }
    })
    while (!this.#ended && this.#blocks > 0) await new Promise<void>((go) => this.#waiting.push(go))
    this.#pause = undefined
  }

  /** Something of theirs is pending. */
  block(): void {
    this.#blocks++
  }

  unblock(): void {
    this.#blocks--
    this.#wake()
  }

  /** The dialog is over: nobody waits any more. */
  end(): void {
    this.#ended = true
    this.#pause?.timer.cancel()
    this.#pause?.done()
    this.#wake()
  }

  #wake(): void {
    if (this.#ended || this.#blocks === 0) for (const go of this.#waiting.splice(0)) go()
  }
}
