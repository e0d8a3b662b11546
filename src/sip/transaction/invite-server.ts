/**
 * INVITE server transaction: one INVITE that came, and its answers.
 *
 *   transport  ── message ─▶  here  ── failed ───▶  dialog
 *              ◀── bytes ──         ◀─ response ──
 *
 * Answers retransmissions from memory, sends 100 when the user takes its time, resends a refusal until the ACK comes.
 * The dialog resends a 2xx and gets its ACK. RFC 3261 §17.2.1, with the Accepted state of RFC 6026 §7.1.
 */
import type { Timer } from '../../core/clock.ts'
import { classOf, type Machine, type StatusClass, step } from './machine.ts'
import { doubled, t1Ms, t4Ms, transactionMs, tryingAfterMs } from './timers.ts'
import type { InviteServerUser, ServerOptions } from './types.ts'

type State = 'proceeding' | 'completed' | 'confirmed' | 'accepted' | 'terminated'
type Input = StatusClass | 'INVITE' | 'ACK' | 'timerG' | 'timerH' | 'timerI' | 'timerL' | 'transportError'
type Effect = 'send' | 'resend' | 'resendLater' | 'reportNoAck' | 'reportTransportError'

/** RFC 3261 figure 7, with Accepted from RFC 6026 §7.1; the inputs 1xx, 2xx and 3xx-6xx come from the user. */
const figure7 = {
  proceeding: {
    INVITE: ['proceeding', 'resend'],
    '1xx': ['proceeding', 'send'],
    '2xx': ['accepted', 'send'],
    '3xx-6xx': ['completed', 'send'],
    transportError: ['terminated', 'reportTransportError'],
  },
  completed: {
    INVITE: ['completed', 'resend'],
    ACK: ['confirmed'],
    timerG: ['completed', 'resend', 'resendLater'],
    timerH: ['terminated', 'reportNoAck'],
    transportError: ['terminated', 'reportTransportError'],
  },
  confirmed: {
    timerI: ['terminated'],
  },
  accepted: {
    '2xx': ['accepted', 'send'],
    timerL: ['terminated'],
    transportError: ['accepted', 'reportTransportError'],
  },
  terminated: {},
} as const satisfies Machine<State, Input, Effect>

export interface InviteServerOptions extends ServerOptions {
  readonly user: InviteServerUser
  /** The 100 to send when the user has not answered within 200 ms (§17.2.1). */
  readonly trying: () => Uint8Array
}

export class InviteServer {
  readonly #options: ServerOptions & { readonly user: InviteServerUser }
  #state: State = 'proceeding'
  #last: Uint8Array | undefined
  /** The 100's delay while proceeding, timer G afterwards. */
  #retransmission: Timer | undefined
  /** H, I or L. */
  #end: Timer | undefined
  #intervalMs = t1Ms

  constructor({ trying, ...options }: InviteServerOptions) {
    this.#options = options
    this.#retransmission = options.clock.after(tryingAfterMs, () => this.respond(100, trying()))
  }

  get state(): State {
    return this.#state
  }

  /** A copy of the INVITE, or the ACK to a refusal. */
  receive(method: 'INVITE' | 'ACK'): void {
    this.#take(method)
  }

  /** @param bytes The response as it goes out. */
  respond(status: number, bytes: Uint8Array): void {
    this.#take(classOf(status), bytes)
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
    const [next, ...effects] = step<State, Input, Effect>(figure7, this.#state, input)
    this.#enter(next)
    for (const effect of effects) this.#do(effect, bytes)
  }

  #do(effect: Effect, bytes: Uint8Array | undefined): void {
    const { clock, flow, user } = this.#options
    switch (effect) {
      case 'send':
        if (this.#state !== 'accepted') this.#last = bytes // of a 2xx no copy is sent from here
        if (this.#state === 'proceeding') this.#retransmission?.cancel()
        if (bytes) flow.send(bytes, this.#failed)
        break
      case 'resend':
        if (this.#last) flow.send(this.#last, this.#failed)
        break
      case 'resendLater':
        this.#intervalMs = doubled(this.#intervalMs)
        this.#retransmission = clock.after(this.#intervalMs, () => this.#take('timerG'))
        break
      case 'reportNoAck':
        user.failed('no-ack')
        break
      case 'reportTransportError':
        user.failed('transport')
        break
    }
  }

  #enter(next: State): void {
    if (next === this.#state) return
    this.#state = next
    this.#retransmission?.cancel()
    this.#retransmission = undefined
    this.#end?.cancel()
    if (next !== 'completed') this.#last = undefined
    const { clock, flow, onEnd } = this.#options
    switch (next) {
      case 'completed':
        if (!flow.reliable) this.#retransmission = clock.after(t1Ms, () => this.#take('timerG'))
        this.#end = clock.after(transactionMs, () => this.#take('timerH'))
        break
      case 'confirmed':
        this.#end = clock.after(flow.reliable ? 0 : t4Ms, () => this.#take('timerI'))
        break
      case 'accepted':
        this.#end = clock.after(transactionMs, () => this.#take('timerL'))
        break
      case 'terminated':
        onEnd?.()
        break
      case 'proceeding':
        break
    }
  }
}
