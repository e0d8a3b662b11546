/**
 * An INVITE that starts a dialog, on the side that is called.
 *
 *   call/, siprec/  ◀─ invite, cancelled ──  here  ◀─ CANCEL, lost connection ──  transaction
 *                   ── ring, answer ──────▶        ── responses ───────────────▶
 *
 * Answers a CANCEL with 487, and a BYE that comes before the answer (RFC 3261 §15). RFC 3261 §13.3.
 */
import { randomHex } from '../../core/random.ts'
import { fromTag } from '../message/fields.ts'
import type { SipRequest, SipResponse } from '../message/types.ts'
import type { Answer, Dialog, DialogId, IncomingInvite, Payload } from '../stack.types.ts'
import type { ServerTransaction } from '../transaction/transactions.ts'
import type { WireFlow } from '../transport/flow.ts'
import type { Context } from './context.ts'
import { SipDialog } from './dialog.ts'
import { calledSetup } from './dialog-setup.ts'
import type { DialogParty } from './dialog-table.ts'
import { ReceivedRequest } from './incoming-request.ts'
import { mustBeReliable, ReliableAnswers } from './reliable-server.ts'
import { localResponse, writeResponse } from './write.ts'

export class ReceivedInvite implements IncomingInvite, DialogParty {
  readonly request: SipRequest
  readonly flow: WireFlow
  readonly #context: Context
  readonly #id: DialogId
  readonly #transaction: ServerTransaction
  readonly #toTag = randomHex(8)
  readonly #cancel = new AbortController()
  #reliable: ReliableAnswers | undefined
  #answered: SipDialog | undefined
  /** No final response has been sent. */
  #open = true

  constructor(context: Context, request: SipRequest, flow: WireFlow) {
    this.#context = context
    this.request = request
    this.flow = flow
    this.#id = {
      callId: request.headers.get('Call-ID') ?? '',
      localTag: this.#toTag,
      remoteTag: fromTag(request) ?? '',
    }
    this.#transaction = context.transactions.openInvite(request, flow, {
      toTag: this.#toTag,
      cancelled: () => this.#cancelledByPeer(),
      failed: () => this.#lost(),
    })
    context.dialogs.set(this.#id, this)
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
      givenUp: () => this.#notAcknowledged(),
    })
    this.#reliable.send((headers) => this.#write(status, { ...answer, headers: { ...headers, ...answer?.headers } }))
  }

  answer(answer: Payload): Dialog {
    const { request, flow } = this
    if (!this.#open) return this.#tooLate()
    this.#open = false
    const response = writeResponse(this.#context, request, flow, 200, answer, this.#toTag)
    const prack = (received: SipRequest): number => this.#reliable?.acknowledge(received) ?? 481
    const dialog = new SipDialog({ ...calledSetup(this.#context, request, flow, this.#toTag), prack })
    this.#answered = dialog
    const go = (): void => {
      if (dialog.state === 'terminated') return this.#send(480)
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

  /** A request inside the early dialog: a caller may give up by BYE; all else has to wait for the answer. */
  receive(request: SipRequest, flow: WireFlow): void {
    if (flow.remote.ip !== this.flow.remote.ip) {
      this.#context.counters.foreignInDialog++
      return this.#context.transactions.respondStateless(request, localResponse(request, 481), flow)
    }
    const transaction = this.#context.transactions.open(request, flow)
    const received = new ReceivedRequest({ context: this.#context, request, flow, transaction })
    if (request.method === 'PRACK') return received.respond(this.#reliable?.acknowledge(request) ?? 481)
    received.respond(request.method === 'BYE' ? 200 : 501)
    if (request.method === 'BYE') this.#cancelledByPeer()
  }

  /** Nothing of ours waits for an ACK yet. */
  receiveAck(): void {
    this.#context.counters.unmatched++
  }

  drop(): void {
    this.#lost()
  }

  /** RFC 3262 §3: a provisional answer was not acknowledged in time. */
  #notAcknowledged(): void {
    if (this.#open) {
      this.reject(504)
      this.#cancel.abort()
      return
    }
    this.#send(504)
    this.#answered?.drop()
  }

  #cancelledByPeer(): void {
    if (!this.#open) return
    this.reject(487)
    this.#cancel.abort()
  }

  /** The connection is gone: no answer can be given. */
  #lost(): void {
    if (!this.#open) return
    this.#close()
    this.#cancel.abort()
  }

  #send(status: number, answer?: Answer): void {
    this.#transaction.respond(this.#write(status, answer))
  }

  #write(status: number, answer?: Answer): SipResponse {
    return writeResponse(this.#context, this.request, this.flow, status, answer, this.#toTag)
  }

  #close(): void {
    this.#open = false
    this.#reliable?.stop()
    this.#context.dialogs.remove(this.#id, this)
  }

  /** The caller hung up while the answer was being prepared: a dialog that has ended, as its owner will hear at once. */
  #tooLate(): Dialog {
    const dialog = new SipDialog(calledSetup(this.#context, this.request, this.flow, this.#toTag))
    queueMicrotask(() => dialog.drop())
    return dialog
  }
}
