/** Finds the digits that pause a recording among all that a phone presses. */
import type { Clock } from '../core/clock.ts'

/** Digits further apart do not belong together, ms. */
const apartMs = 3000

export class PauseDigits {
  readonly #code: string
  readonly #clock: Clock
  #pressed = ''
  #atMs = Number.NEGATIVE_INFINITY

  /** @param code One digit or more: 0-9 * # A-D. */
  constructor(code: string, clock: Clock) {
    this.#code = code
    this.#clock = clock
  }

  /** @returns Whether this one completes the code. */
  pressed(digit: string): boolean {
    const nowMs = this.#clock.now()
    if (nowMs - this.#atMs > apartMs) this.#pressed = ''
    this.#atMs = nowMs
    this.#pressed = (this.#pressed + digit).slice(-this.#code.length)
    if (this.#pressed !== this.#code) return false
    this.#pressed = ''
    return true
  }
}
