/** The legs of one call: who stands on each side now, who rings, who has left. A transfer changes it. */

import type { Fork } from './fork.ts'
import { type Leg, liveLeg } from './leg.ts'
import type { LiveLeg } from './live-calls.ts'

export class CallLegs {
  caller: Leg
  callee: Leg | undefined
  /** The first rings the callee, further ones those to whom the call was transferred. */
  readonly #forks: Fork[] = []
  /** Legs that are no longer part of the call. */
  readonly #left: Leg[] = []

  constructor(caller: Leg) {
    this.caller = caller
  }

  rings(fork: Fork): void {
    this.#forks.push(fork)
  }

  get forks(): readonly Fork[] {
    return this.#forks
  }

  otherThan(leg: Leg): Leg | undefined {
    return leg === this.caller ? this.callee : this.caller
  }

  replace(leg: Leg, next: Leg): void {
    if (leg === this.caller) this.caller = next
    else this.callee = next
  }

  /** False when it had left before. */
  leave(leg: Leg): boolean {
    if (this.#left.includes(leg)) return false
    this.#left.push(leg)
    return true
  }

  /** True for one that left, and whose place nobody took. */
  isVacant(leg: Leg): boolean {
    return (leg === this.caller || leg === this.callee) && this.#left.includes(leg)
  }

  /** The caller, then the callee, and all devices that ring. */
  live(): readonly LiveLeg[] {
    const sides = [this.caller, ...(this.callee ? [this.callee] : [])]
    const rings = this.#rung.filter(
      (leg) => !sides.includes(leg) && (this.callee === undefined || leg.state !== 'ended'),
    )
    return [...sides, ...rings.filter((leg) => !this.#left.includes(leg))].map(liveLeg)
  }

  /** Of all legs that ever were. */
  get sipCallIds(): readonly string[] {
    return [...new Set([this.caller, ...this.#left, ...this.#rung].map(({ sipCallId }) => sipCallId))]
  }

  get #rung(): readonly Leg[] {
    return this.#forks.flatMap(({ legs }) => legs)
  }
}
