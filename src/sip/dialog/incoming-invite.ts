/**
 * An INVITE that starts a dialog, on the side that is called.
 *
 *   call/, siprec/  ◀─ invite, cancelled ──  here  ◀─ CANCEL, lost connection ──  transaction
 *                   ── ring, answer ──────▶        ── responses ───────────────▶
 *
 * Its dialog is early until the 2xx has left. A CANCEL, and a BYE that comes before the answer (§15), is answered with
 * 487. RFC 3261 §13.3.
 */
import { randomHex } from '../../core/random.ts'
import type { SipRequest, SipResponse } from '../message/types.ts'
import type { Answer, Dialog, IncomingInvite, Payload } from '../stack.types.ts'
import type { ServerTransaction } from '../transaction/transactions.ts'
import type { WireFlow } from '../transport/flow.ts'
import type { Context } from './context.ts'
import { type CalledInvite, SipDialog } from './dialog.ts'
import { calledSetup } from './dialog-setup.ts'
import { mustBeReliable, ReliableAnswers } from './reliable-server.ts'
import { writeResponse } from './write.ts'

export class ReceivedInvite implements IncomingInvite, CalledInvite {
  readonly request: SipRequest
  readonly flow: WireFlow
  readonly dialog: SipDialog
  readonly #context: Context
  readonly #transaction: ServerTransaction
  readonly #toTag = randomHex(8)
  readonly #cancel = new AbortController()
  #reliable: ReliableAnswers | undefined
  #cancelledBy: SipRequest | undefined
  /** Neither answered nor refused. */
  #open = true
  /** The final answer has left; one that is ready may wait for a PRACK (RFC 3262 §3). */
  #final = false

  constructor(context: Context, request: SipRequest, flow: WireFlow) {
    this.#context = context
    this.request = request
    this.flow = flow
    this.#transaction = context.transactions.openInvite(request, flow, {
      toTag: this.#toTag,
      cancelled: (cancel) => this.abandoned(cancel),
      failed: () => this.lost(),
    })
    this.dialog = new SipDialog(calledSetup(context, request, flow, this.#toTag), this)
  }

  get cancelledBy(): SipRequest | undefined {
    return this.#cancelledBy
  }

  get cancelled(): AbortSignal {
    return this.#cancel.signal
  }

  respond(status: number, answer?: Answer): void {
    if (status < 200) this.ring(status, answer)
    else if (status < 300) this.answer(answer ?? {})
    else this.reject(status, answer)
  }

  ring(status: number, answer?: Answer): void {
    if (!this.#open) return
    const described = answer?.body !== undefined && answer.body.length > 0
    if (status === 100 || !mustBeReliable(this.request, described)) return this.#send(status, answer)
    this.#reliable ??= new ReliableAnswers(this.#context.clock, this.request, {
      send: (response) => this.#transaction.respond(response),
      givenUp: () => this.#withdrawn(504), // RFC 3262 §3
    })
    this.#reliable.send((headers) => {
      if (described) this.dialog.described('us')
      return this.#write(status, { ...answer, headers: { ...headers, ...answer?.headers } })
    })
  }

  answer(answer: Payload): Dialog {
    const { request, flow } = this
    if (!this.#open) return this.#tooLate()
    this.#open = false
    const response = writeResponse(this.#context, request, flow, 200, answer, this.#toTag)
    const { dialog } = this
    const go = (): void => {
      this.#final = true
      dialog.confirm()
      if (!this.#reliable) dialog.forgetInvite()
      dialog.awaitAck(request, this.#transaction, response)
      this.#transaction.respond(response)
    }
    if (this.#reliable) this.#reliable.finish(go)
    else go()
    return dialog
  }

  reject(status: number, answer?: Answer): void {
    if (!this.#open) return
    this.#close()
    this.#send(status, answer)
  }

  acknowledged(prack: SipRequest): ReturnType<ReliableAnswers['acknowledge']> {
    return this.#reliable?.acknowledge(prack)
  }

  abandoned(by: SipRequest): void {
    this.#cancelledBy ??= by
    this.#withdrawn(487)
  }

  refused(): void {
    this.#withdrawn(480, 'us')
  }

  /** The connection is gone, or the stack closes: no answer can be given. */
  lost(): void {
    this.#withdrawn(undefined)
  }

  /** It will not become a call. */
  #withdrawn(status: number | undefined, by: 'us' | 'them' = 'them'): void {
    if (this.#final) return
    const wasOpen = this.#open
    this.#close()
    if (status !== undefined) this.#send(status)
    if (wasOpen && by === 'them') this.#cancel.abort()
  }

  #send(status: number, answer?: Answer): void {
    this.#transaction.respond(this.#write(status, answer))
  }

  #write(status: number, answer?: Answer): SipResponse {
    return writeResponse(this.#context, this.request, this.flow, status, answer, this.#toTag)
  }

  #close(): void {
    this.#open = false
    this.#final = true
    this.#reliable?.stop()
    this.dialog.drop()
  }

  /** The caller hung up while the answer was being prepared: a dialog that has ended, as its owner will hear at once. */
  #tooLate(): Dialog {
    const dialog = new SipDialog(calledSetup(this.#context, this.request, this.flow, this.#toTag))
    queueMicrotask(() => dialog.drop())
    return dialog
  }
}
