/** The legs of one call: who stands on each side now, who rings, who has left. A transfer changes it. */

import type { Replaces } from '../sip/dialog/refer.ts'
import type { Fork } from './fork.ts'
import { type Leg, liveLeg } from './leg.ts'
import type { LiveLeg } from './live-calls.ts'

/** RFC 3891 §3: both tags, whichever of them its sender took for the local one. */
const isNamed = ({ sipCallId, dialog }: Leg, { callId, tags }: Replaces): boolean =>
  sipCallId === callId &&
  dialog !== undefined &&
  tags.includes(dialog.id.localTag) &&
  tags.includes(dialog.id.remoteTag)

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

  on(side: 'caller' | 'callee'): Leg | undefined {
    return side === 'caller' ? this.caller : this.callee
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

  /** The answered leg that a Replaces names. */
  named(replaces: Replaces): Leg | undefined {
    return [this.caller, this.callee].find((leg) => leg?.dialog && isNamed(leg, replaces))
  }

  /** The same of those that left. */
  leftAs(replaces: Replaces): Leg | undefined {
    return this.#left.find((leg) => isNamed(leg, replaces))
  }

  /** What rings now. */
  get ringing(): Fork | undefined {
    return this.#forks.find(({ isRinging }) => isRinging)
  }

  /** True while nobody took its place, though it may have left. */
  holds(leg: Leg): boolean {
    return leg === this.caller || leg === this.callee
  }

  /** True for one that left, and whose place nobody took. */
  isVacant(leg: Leg): boolean {
    return this.holds(leg) && this.#left.includes(leg)
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
