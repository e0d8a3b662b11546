/** Resends a 2xx to an INVITE until its ACK comes. RFC 3261 §13.3.1.4: on every transport, for 64·T1 in all. */
import type { Clock, Timer } from '../../core/clock.ts'
import { doubled, t1Ms, transactionMs } from '../transaction/timers.ts'

export class AnswerResend {
  readonly #clock: Clock
  readonly #send: () => void
  #intervalMs = t1Ms
  #next: Timer
  readonly #end: Timer

  /** @param giveUp No ACK came; nothing is sent any more. */
  constructor(clock: Clock, send: () => void, giveUp: () => void) {
    this.#clock = clock
    this.#send = send
    this.#next = clock.after(t1Ms, () => this.#again())
    this.#end = clock.after(transactionMs, () => {
      this.stop()
      giveUp()
    })
  }

  stop(): void {
    this.#next.cancel()
    this.#end.cancel()
  }

  #again(): void {
    this.#send()
    this.#intervalMs = doubled(this.#intervalMs)
    this.#next = this.#clock.after(this.#intervalMs, () => this.#again())
  }
}
