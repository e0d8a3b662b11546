/**
 * Whose digits nobody is told now: while a recording, here or elsewhere, is paused, or a leg muted, what is typed may be a card number.
 *
 *   bus.ts ── each fact ─▶  here  ── it, with `x` for a hidden digit ─▶  bus.ts
 *                            └── hides(SIP Call-ID) ─▶  sip/trace.ts, for digits by INFO
 *
 * Holds what is of live calls alone. A pause of the transcription hides nothing.
 */
import type { Fact } from './catalogue.ts'

/** What is told instead: that one was pressed, and for how long. */
export const hiddenDigit = 'x'

interface CallDigits {
  readonly sipCallIds: Set<string>
  readonly mutedLegs: Set<string>
  /** The recording here is paused, or that elsewhere. */
  readonly paused: Set<'here' | 'elsewhere'>
}

export class HiddenDigits {
  readonly #calls = new Map<string, CallDigits>()

  /** @returns The fact as it is to be told. */
  take(fact: Fact): Fact {
    switch (fact.name) {
      case 'leg.started':
        this.#of(fact.callId).sipCallIds.add(fact.sipCallId)
        return fact
      case 'recording.paused':
        if (fact.what !== 'transcription') this.#of(fact.callId).paused.add('here')
        return fact
      case 'recording.resumed':
        if (fact.what !== 'transcription') this.#calls.get(fact.callId)?.paused.delete('here')
        return fact
      case 'srs.paused':
        this.#of(fact.callId).paused.add('elsewhere')
        return fact
      case 'srs.resumed':
        this.#calls.get(fact.callId)?.paused.delete('elsewhere')
        return fact
      case 'recording.stored':
        this.#over(fact.callId)
        return fact
      case 'recording.muted':
        this.#of(fact.callId).mutedLegs[fact.on ? 'add' : 'delete'](fact.legId)
        return fact
      case 'leg.digit': {
        const call = this.#calls.get(fact.callId)
        return call && (call.paused.size > 0 || call.mutedLegs.has(fact.legId)) ? { ...fact, digit: hiddenDigit } : fact
      }
      case 'call.ended':
        this.#calls.delete(fact.callId)
        return fact
      default:
        return fact
    }
  }

  /** Whether digits in messages of this Call-ID are hidden: those of one muted leg go out again on the other. */
  hides(sipCallId: string): boolean {
    for (const { paused, mutedLegs, sipCallIds } of this.#calls.values())
      if ((paused.size > 0 || mutedLegs.size > 0) && sipCallIds.has(sipCallId)) return true
    return false
  }

  #of(callId: string): CallDigits {
    const call = this.#calls.get(callId) ?? { sipCallIds: new Set(), mutedLegs: new Set(), paused: new Set() }
    this.#calls.set(callId, call)
    return call
  }

  #over(callId: string): void {
    const call = this.#calls.get(callId)
    if (!call) return
    call.paused.clear()
    call.mutedLegs.clear()
    // It was paused when the call was over already.
    if (call.sipCallIds.size === 0) this.#calls.delete(callId)
  }
}
