/**
 * Our 2xx answers to INVITEs of one dialog that wait for their ACK, and the promise of the first ACK.
 * RFC 3261 §13.3.1.4, §14.2.
 */
import type { Clock } from '../../core/clock.ts'
import type { SipRequest } from '../message/types.ts'
import { AnswerResend } from './answer-resend.ts'
import { SipError } from './failures.ts'

export class UnacknowledgedAnswers {
  readonly #clock: Clock
  /** Made when somebody asks: few do, and dialogs are many. */
  #first: PromiseWithResolvers<SipRequest | undefined> | undefined
  #state: 'waiting' | 'acknowledged' | 'over'
  /** CSeq number of the INVITE that left the offer to us. */
  #offer: number | undefined
  /** By CSeq number. */
  readonly #resends = new Map<number, AnswerResend>()

  /** @param asked False on the side that called, which waits for no ACK. */
  constructor(clock: Clock, asked: boolean) {
    this.#clock = clock
    this.#state = asked ? 'waiting' : 'acknowledged'
  }

  /**
   * The first ACK; undefined for who asks after it has come. Rejects with `sip.dialog-ended` when the dialog ends first.
   */
  get first(): Promise<SipRequest | undefined> {
    if (!this.#first) {
      this.#first = Promise.withResolvers()
      this.#first.promise.catch(() => {}) // who asked need not wait for it
      if (this.#state !== 'waiting') this.#settle(undefined)
    }
    return this.#first.promise
  }

  /** True while an offer in an answer of ours waits for the answer in the ACK (RFC 3261 §14.2). */
  get offering(): boolean {
    return this.#offer !== undefined
  }

  get waiting(): boolean {
    return this.#resends.size > 0
  }

  /**
   * Send again and again until the ACK comes.
   *
   * @param offers The answer has our offer: the INVITE had none.
   * @param noAck It did not come; nothing is sent any more.
   */
  resend(seq: number, offers: boolean, send: () => void, noAck: () => void): void {
    if (offers) this.#offer = seq
    const resend = new AnswerResend(this.#clock, send, () => {
      this.#forget(seq)
      noAck()
    })
    this.#resends.set(seq, resend)
  }

  /** False for the ACK of no answer that waits: a copy. */
  take(ack: SipRequest, seq: number): boolean {
    const resend = this.#resends.get(seq)
    if (!resend) return false
    resend.stop()
    this.#forget(seq)
    if (this.#state === 'waiting') {
      this.#state = 'acknowledged'
      this.#settle(ack)
    }
    return true
  }

  /** The dialog ended: nobody shall wait for the first ACK any more. */
  giveUp(): void {
    if (this.#state !== 'waiting') return
    this.#state = 'over'
    this.#settle(undefined)
  }

  stop(): void {
    for (const resend of this.#resends.values()) resend.stop()
    this.#resends.clear()
  }

  #forget(seq: number): void {
    this.#resends.delete(seq)
    if (this.#offer === seq) this.#offer = undefined
  }

  /** Tell who has asked. */
  #settle(ack: SipRequest | undefined): void {
    if (this.#state === 'over') this.#first?.reject(new SipError('sip.dialog-ended'))
    else this.#first?.resolve(ack)
  }
}
