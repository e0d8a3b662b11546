/**
 * INVITE client transaction: gets one INVITE answered over one flow.
 *
 *   dialog  ── request ─▶  here  ── bytes ────▶  transport
 *           ◀─ response ─        ◀── message ──
 *
 * Resends over UDP, ACKs a failure, passes each answer up. Opens no socket, reads no clock: both are handed in. The ACK
 * to a 2xx belongs to the dialog. RFC 3261 §17.1.1, with the Accepted state of RFC 6026 §7.2.
 * Missing: peers without an RFC 3261 branch in their answer (RFC 2543).
 */
import type { Timer } from '../../core/clock.ts'
import { createRequest } from '../message/build.ts'
import { cseqOf } from '../message/fields.ts'
import { Headers } from '../message/headers.ts'
import { printMessage } from '../message/print.ts'
import type { SipRequest, SipResponse } from '../message/types.ts'
import { classOf, type Machine, type StatusClass, step } from './machine.ts'
import { t1Ms, timerDMs, transactionMs } from './timers.ts'
import type { ClientOptions, ClientUser } from './types.ts'

type State = 'calling' | 'proceeding' | 'completed' | 'accepted' | 'terminated'
type Input = StatusClass | 'timerA' | 'timerB' | 'timerD' | 'timerM' | 'transportError'
type Effect = 'resend' | 'sendAck' | 'passUp' | 'reportTimeout' | 'reportTransportError'

/** RFC 3261 figure 5, with Accepted from RFC 6026 §7.2. */
const figure5 = {
  calling: {
    '1xx': ['proceeding', 'passUp'],
    '2xx': ['accepted', 'passUp'],
    '3xx-6xx': ['completed', 'sendAck', 'passUp'],
    timerA: ['calling', 'resend'],
    timerB: ['terminated', 'reportTimeout'],
    transportError: ['terminated', 'reportTransportError'],
  },
  proceeding: {
    '1xx': ['proceeding', 'passUp'],
    '2xx': ['accepted', 'passUp'],
    '3xx-6xx': ['completed', 'sendAck', 'passUp'],
    transportError: ['terminated', 'reportTransportError'],
  },
  completed: {
    '3xx-6xx': ['completed', 'sendAck'],
    timerD: ['terminated'],
    transportError: ['terminated'],
  },
  accepted: {
    '2xx': ['accepted', 'passUp'],
    timerM: ['terminated'],
  },
  terminated: {},
} as const satisfies Machine<State, Input, Effect>

export class InviteClient {
  readonly #options: Pick<ClientOptions, 'clock' | 'flow' | 'onEnd'>
  /** Gone once it is answered: transactions linger in great number. */
  #request: SipRequest | undefined
  #bytes: Buffer | undefined
  /** Gone after a failure. */
  #user: ClientUser | undefined
  #state: State = 'calling'
  #retransmission: Timer | undefined
  /** B while calling, D or M afterwards. */
  #end: Timer | undefined
  #intervalMs = t1Ms
  #ack: Buffer | undefined

  constructor({ request, user, clock, flow, onEnd }: ClientOptions) {
    this.#options = { clock, flow, ...(onEnd && { onEnd }) }
    this.#request = request
    this.#user = user
    this.#bytes = printMessage(request)
    if (!flow.reliable) this.#retransmission = clock.after(t1Ms, () => this.#take('timerA'))
    this.#end = clock.after(transactionMs, () => this.#take('timerB'))
    flow.send(this.#bytes, this.#failed)
  }

  get state(): State {
    return this.#state
  }

  receive(response: SipResponse): void {
    this.#take(classOf(response.status), response)
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
    const [next, ...effects] = step<State, Input, Effect>(figure5, this.#state, input)
    this.#enter(next)
    for (const effect of effects) this.#do(effect, response)
    if (this.#state === 'accepted' || this.#state === 'completed') this.#request = this.#bytes = undefined
    if (this.#state === 'completed') this.#user = undefined
  }

  #do(effect: Effect, response: SipResponse | undefined): void {
    const { clock, flow } = this.#options
    switch (effect) {
      case 'resend':
        this.#intervalMs *= 2 // §17.1.1.2: timer A has no upper bound but timer B
        this.#retransmission = clock.after(this.#intervalMs, () => this.#take('timerA'))
        if (this.#bytes) flow.send(this.#bytes, this.#failed)
        break
      case 'sendAck':
        if (response && this.#request) this.#ack ??= printMessage(ackToFailure(this.#request, response))
        if (this.#ack) flow.send(this.#ack, this.#failed)
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
    this.#retransmission?.cancel()
    this.#retransmission = undefined
    this.#end?.cancel()
    const { clock, flow, onEnd } = this.#options
    if (next === 'completed') this.#end = clock.after(flow.reliable ? 0 : timerDMs, () => this.#take('timerD'))
    else if (next === 'accepted') this.#end = clock.after(transactionMs, () => this.#take('timerM'))
    else if (next === 'terminated') onEnd?.()
  }
}

/** RFC 3261 §17.1.1.3: same Request-URI, Via, From, Call-ID, CSeq number and Route; To with the answer's tag. */
function ackToFailure(invite: SipRequest, response: SipResponse): SipRequest {
  const headers = new Headers()
  const copy = (name: string, value: string | undefined) => {
    if (value !== undefined) headers.append(name, value)
  }
  copy('Via', invite.headers.get('Via'))
  for (const route of invite.headers.all('Route')) copy('Route', route)
  headers.append('Max-Forwards', '70')
  copy('From', invite.headers.get('From'))
  copy('To', response.headers.get('To'))
  copy('Call-ID', invite.headers.get('Call-ID'))
  headers.append('CSeq', `${cseqOf(invite)?.seq} ACK`)
  return createRequest('ACK', invite.uri, headers)
}
