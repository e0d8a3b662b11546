/**
 * Non-INVITE server transaction: one REGISTER, BYE, OPTIONS… that came, and its answer.
 *
 *   transport  ── message ─▶  here  ◀─ response ──  dialog
 *              ◀── bytes ──
 *
 * Answers retransmissions from memory. RFC 3261 §17.2.2. RFC 4320: no provisional but a late 100 may be sent, and we
 * send none; a request that nobody answers in time is forgotten, never answered with 408.
 */
import type { Timer } from '../../core/clock.ts'
import { type Machine, step } from './machine.ts'
import { transactionMs } from './timers.ts'
import type { ServerOptions } from './types.ts'

type State = 'trying' | 'completed' | 'terminated'
type Input = 'request' | '200-699' | 'timerJ' | 'unanswered' | 'transportError'
type Effect = 'send' | 'resend'

/** RFC 3261 figure 8 without Proceeding (RFC 4320 §4.1), with an end for requests that are never answered (§4.2). */
const figure8 = {
  trying: {
    '200-699': ['completed', 'send'],
    unanswered: ['terminated'],
    transportError: ['terminated'],
  },
  completed: {
    request: ['completed', 'resend'],
    timerJ: ['terminated'],
    transportError: ['terminated'],
  },
  terminated: {},
} as const satisfies Machine<State, Input, Effect>

export class NonInviteServer {
  readonly #options: ServerOptions
  #state: State = 'trying'
  #last: Uint8Array | undefined
  /** The wait for an answer, then J. */
  #end: Timer | undefined

  constructor(options: ServerOptions) {
    this.#options = options
    this.#end = options.clock.after(transactionMs, () => this.#take('unanswered'))
  }

  get state(): State {
    return this.#state
  }

  /** A copy of the request came. */
  receive(): void {
    this.#take('request')
  }

  /** Send the final response; a second one is ignored. */
  respond(bytes: Uint8Array): void {
    this.#take('200-699', bytes)
  }

  /** The connection is gone. */
  transportFailed(): void {
    this.#take('transportError')
  }

  /** Forget the transaction without a word to anybody. */
  stop(): void {
    this.#enter('terminated')
  }

  readonly #failed = (): void => this.#take('transportError')

  #take(input: Input, bytes?: Uint8Array): void {
    const [next, ...effects] = step<State, Input, Effect>(figure8, this.#state, input)
    if (bytes && effects.includes('send')) this.#last = bytes
    this.#enter(next)
    if (effects.length > 0 && this.#last) this.#options.flow.send(this.#last, this.#failed)
  }

  #enter(next: State): void {
    if (next === this.#state) return
    this.#state = next
    this.#end?.cancel()
    const { clock, flow, onEnd } = this.#options
    if (next === 'completed') {
      this.#end = clock.after(flow.reliable ? 0 : transactionMs, () => this.#take('timerJ'))
    } else if (next === 'terminated') {
      this.#last = undefined
      onEnd?.()
    }
  }
}
