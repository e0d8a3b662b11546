/** Progress of the demo: one line a step, and a failure that says which step it was. */
import { type Clock, systemClock } from '../core/clock.ts'

export class StepError extends Error {
  override readonly name = 'StepError'
}

export interface StepsOptions {
  readonly clock?: Clock
  /** No step is begun once it is aborted; long ones look at it too. */
  readonly signal?: AbortSignal
}

export class Steps {
  readonly #print: (line: string) => void
  readonly #clock: Clock
  readonly signal: AbortSignal
  #taken = 0

  constructor(print: (line: string) => void, options: StepsOptions = {}) {
    this.#print = print
    this.#clock = options.clock ?? systemClock
    this.signal = options.signal ?? new AbortController().signal
  }

  /**
   * @param what A sentence: `Two phones register`.
   * @param does May call `note` to say more on lines below.
   * @throws {StepError} naming the step, with what was thrown as its cause.
   */
  async take<Result>(what: string, does: (note: (text: string) => void) => Promise<Result>): Promise<Result> {
    const number = String(++this.#taken).padStart(2)
    const startedMs = this.#clock.now()
    const notes: string[] = []
    try {
      this.signal.throwIfAborted()
      const result = await does((text) => notes.push(text))
      const seconds = ((this.#clock.now() - startedMs) / 1000).toFixed(1)
      this.#print(`${number}  ${what.padEnd(60)} ${seconds.padStart(5)} s`)
      for (const note of notes) this.#print(`    ${note}`)
      return result
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      this.#print(`${number}  ${what.padEnd(60)} failed`)
      throw new StepError(`Step ${this.#taken}, "${what}": ${why}`, { cause: error })
    }
  }

  /** A bound for something that must come: rejects after `timeoutMs` with "no <what> within N s". */
  async within<Result>(what: string, timeoutMs: number, promise: Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      const timer = this.#clock.after(timeoutMs, () => reject(new Error(`no ${what} within ${timeoutMs / 1000} s`)))
      promise.then(resolve, reject).finally(() => timer.cancel())
    })
  }
}
