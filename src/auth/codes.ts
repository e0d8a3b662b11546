/** One-time sign-in codes: printed by the demo and the command line, typed once, gone after ten minutes. */
import type { Clock } from '../core/clock.ts'
import { cleanCode, hashSecret, newCode } from './secrets.ts'
import type { User } from './stores.ts'

const codeMs = 10 * 60_000
/** Codes that wait to be used; the oldest gives way. */
const maxCodes = 100

export class SignInCodes {
  readonly #clock: Clock
  readonly #waiting = new Map<string, { readonly userId: string; readonly untilMs: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** A code that signs this user in, once. */
  issue(user: User): string {
    const code = newCode()
    this.#waiting.set(hashSecret(cleanCode(code)), { userId: user.id, untilMs: this.#clock.now() + codeMs })
    if (this.#waiting.size > maxCodes) this.#waiting.delete(this.#waiting.keys().next().value ?? '')
    return code
  }

  /** The user's id, the first time in ten minutes; undefined otherwise. */
  redeem(typed: string): string | undefined {
    const hash = hashSecret(cleanCode(typed))
    const found = this.#waiting.get(hash)
    this.#waiting.delete(hash)
    return found && found.untilMs > this.#clock.now() ? found.userId : undefined
  }
}
