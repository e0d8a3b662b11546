/**
 * Non-INVITE client transaction: gets one REGISTER, BYE, OPTIONS, CANCEL… answered over one flow.
 *
 *   dialog  ── request ─▶  here  ── bytes ────▶  transport
 *           ◀─ response ─        ◀── message ──
 *
 * Resends over UDP, also after a provisional answer. RFC 3261 §17.1.2.
 */
import type { Timer } from '../../core/clock.ts'
import { printMessage } from '../message/print.ts'
import type { SipResponse } from '../message/types.ts'
import { classOf, type Machine, step } from './machine.ts'
import { doubled, t1Ms, t2Ms, t4Ms, transactionMs } from './timers.ts'
import type { ClientOptions, ClientUser } from './types.ts'

type State = 'trying' | 'proceeding' | 'completed' | 'terminated'
type Input = '1xx' | '2xx-6xx' | 'timerE' | 'timerF' | 'timerK' | 'transportError'
type Effect = 'resend' | 'passUp' | 'reportTimeout' | 'reportTransportError'

/** RFC 3261 figure 6. */
const figure6 = {
  trying: {
    '1xx': ['proceeding', 'passUp'],
    '2xx-6xx': ['completed', 'passUp'],
    timerE: ['trying', 'resend'],
    timerF: ['terminated', 'reportTimeout'],
    transportError: ['terminated', 'reportTransportError'],
  },
  proceeding: {
    '1xx': ['proceeding', 'passUp'],
    '2xx-6xx': ['completed', 'passUp'],
    timerE: ['proceeding', 'resend'],
    timerF: ['terminated', 'reportTimeout'],
    transportError: ['terminated', 'reportTransportError'],
  },
  completed: {
    timerK: ['terminated'],
  },
  terminated: {},
} as const satisfies Machine<State, Input, Effect>

export class NonInviteClient {
  readonly #options: Pick<ClientOptions, 'clock' | 'flow' | 'onEnd'>
  /** Both are gone once it is answered: transactions linger in great number. */
  #bytes: Buffer | undefined
  #user: ClientUser | undefined
  #state: State = 'trying'
  #retransmission: Timer | undefined
  /** F until answered, K afterwards. */
  #end: Timer | undefined
  #intervalMs = t1Ms

  constructor({ request, user, clock, flow, onEnd }: ClientOptions) {
    this.#options = { clock, flow, ...(onEnd && { onEnd }) }
    this.#user = user
    this.#bytes = printMessage(request)
    if (!flow.reliable) this.#retransmission = clock.after(t1Ms, () => this.#take('timerE'))
    this.#end = clock.after(transactionMs, () => this.#take('timerF'))
    flow.send(this.#bytes, this.#failed)
  }

  get state(): State {
    return this.#state
  }

  receive(response: SipResponse): void {
    this.#take(classOf(response.status) === '1xx' ? '1xx' : '2xx-6xx', response)
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

  #take(input: Input, response?: SipResponse): void {
    const [next, ...effects] = step<State, Input, Effect>(figure6, this.#state, input)
    this.#enter(next)
    for (const effect of effects) this.#do(effect, response)
    if (this.#state === 'completed') this.#user = this.#bytes = undefined
  }

  #do(effect: Effect, response: SipResponse | undefined): void {
    const { clock, flow } = this.#options
    switch (effect) {
      case 'resend':
        // §17.1.2.2: doubled up to T2 while trying, T2 once a provisional came.
        this.#intervalMs = this.#state === 'proceeding' ? t2Ms : doubled(this.#intervalMs)
        this.#retransmission = clock.after(this.#intervalMs, () => this.#take('timerE'))
        if (this.#bytes) flow.send(this.#bytes, this.#failed)
        break
      case 'passUp':
        if (response) this.#user?.response(response)
        break
      case 'reportTimeout':
        this.#user?.failed('timeout')
        break
      case 'reportTransportError':
        this.#user?.failed('transport')
        break
    }
  }

  #enter(next: State): void {
    if (next === this.#state) return
    this.#state = next
    if (next === 'proceeding') return // timers E and F run on
    this.#retransmission?.cancel()
    this.#retransmission = undefined
    this.#end?.cancel()
    const { clock, flow, onEnd } = this.#options
    if (next === 'completed') this.#end = clock.after(flow.reliable ? 0 : t4Ms, () => this.#take('timerK'))
    else onEnd?.()
  }
}
