/**
 * Digits that the peer tells by signalling (SIP INFO), beside those that it sends as events or tones: a phone that does
 * both pressed one key.
 *
 *   DigitsIn    ── a digit began, or goes on ─▶  here
 *   main thread ── digit by signalling ───────▶  here ─▶ new, or a copy
 *
 * Either may come first. A digit by signalling is a copy of the same digit as event that began up to `waitMs` after it, or
 * lasted until `copyMs` before it; each is the copy of one.
 */
import type { DetectedDigit } from '../../../rtp/telephone-event.ts'

/** An event leaves the phone when its INFO does, and the first of its packets is there at once: what differs is the way. */
const waitMs = 150
/** An INFO that was lost comes again after half a second, and then after one more (RFC 3261 §17.1.2.2). */
const copyMs = 1_600
/** More are pressed by nobody within `copyMs`. */
const mostKept = 32

interface Waiting {
  readonly pressed: DetectedDigit
  readonly untilMs: number
  readonly done: (isNew: boolean) => void
}

/** A digit as event or tone of which no copy came yet. */
interface Heard {
  readonly digit: string
  lastMs: number
}

export class SignalledDigits {
  readonly #waiting: Waiting[] = []
  #heard: Heard[] = []
  /** The newest. */
  #lasts: Heard | undefined

  /** A digit began as event, or was found as tone. */
  began(digit: string, nowMs: number): void {
    const copy = this.#waiting.findIndex(({ pressed }) => pressed.digit === digit)
    const heard = { digit, lastMs: nowMs }
    this.#lasts = heard
    if (copy >= 0) return this.#waiting.splice(copy, 1)[0]?.done(false)
    this.#heard.push(heard)
    if (this.#heard.length > mostKept) this.#heard.shift()
  }

  /** That digit has not ended yet. */
  goesOn(nowMs: number): void {
    if (this.#lasts) this.#lasts.lastMs = nowMs
  }

  /**
   * A digit came by signalling.
   * @param maySendBoth It may come as event or tone as well.
   * @param done Told once: whether it is one that came in no other way.
   */
  take(pressed: DetectedDigit, maySendBoth: boolean, nowMs: number, done: (isNew: boolean) => void): void {
    this.#heard = this.#heard.filter(({ lastMs }) => nowMs - lastMs <= copyMs)
    const copied = this.#heard.findIndex(({ digit }) => digit === pressed.digit)
    if (copied >= 0) {
      this.#heard.splice(copied, 1)
      return done(false)
    }
    if (!maySendBoth) return done(true)
    this.#waiting.push({ pressed, untilMs: nowMs + waitMs, done })
    if (this.#waiting.length > mostKept) this.#waiting.shift()?.done(true)
  }

  /** Time went by. */
  pass(nowMs: number): void {
    while (this.#waiting[0] && this.#waiting[0].untilMs <= nowMs) this.#waiting.shift()?.done(true)
  }

  /** Nothing comes any more: what waits was pressed. */
  close(): void {
    for (const { done } of this.#waiting.splice(0)) done(true)
  }
}
