/**
 * Reliable provisional answers of who is called: one at a time, resent until its PRACK comes. RFC 3262 §3.
 *
 *   ReceivedInvite  ── ring, PRACK ─▶  here  ── responses, no PRACK in 32 s ─▶  ReceivedInvite
 */
import type { Clock, Timer } from '../../core/clock.ts'
import { randomUint32 } from '../../core/random.ts'
import { cseqOf, optionTags } from '../message/fields.ts'
import type { SipRequest, SipResponse } from '../message/types.ts'
import type { ExtraHeaders } from '../stack.types.ts'
import { t1Ms, transactionMs } from '../transaction/timers.ts'

/** §3: a caller may require it; one that supports it gets it where something would be lost: a description. */
export function mustBeReliable(invite: SipRequest, described: boolean): boolean {
  return (
    optionTags(invite, 'Require').includes('100rel') ||
    (described && optionTags(invite, 'Supported').includes('100rel'))
  )
}

export interface ReliableUser {
  send(response: SipResponse): void
  /** No PRACK came: the INVITE has to be refused. */
  givenUp(): void
}

/** Makes the response once its number is known. */
type Make = (headers: ExtraHeaders) => SipResponse

export class ReliableAnswers {
  readonly #clock: Clock
  readonly #invite: SipRequest
  readonly #user: ReliableUser
  readonly #queue: Make[] = []
  /** §3: the first number is below 2^31, so that it can count up for as long as a phone rings. */
  #rseq = randomUint32() >>> 2
  /** The one that waits for its PRACK. */
  #open: { readonly response: SipResponse; intervalMs: number } | undefined
  #resend: Timer | undefined
  #end: Timer | undefined
  #stopped = false
  #then: (() => void) | undefined

  constructor(clock: Clock, invite: SipRequest, user: ReliableUser) {
    this.#clock = clock
    this.#invite = invite
    this.#user = user
  }

  send(make: Make): void {
    this.#queue.push(make)
    this.#next()
  }

  /** §3, §7.2: whether a PRACK acknowledges the answer that waits for one, and if that had a description. */
  acknowledge(prack: SipRequest): { readonly described: boolean; readonly goOn: () => void } | undefined {
    const [, rseq, seq, method] = /^(\d{1,10})\s+(\d{1,10})\s+(\S+)$/.exec(prack.headers.get('RAck') ?? '') ?? []
    if (!this.#open || Number(rseq) !== this.#rseq || Number(seq) !== cseqOf(this.#invite)?.seq || method !== 'INVITE')
      return undefined
    const described = this.#open.response.body.length > 0
    this.#open = undefined
    this.#cancelTimers()
    return { described, goOn: () => this.#goOn() }
  }

  /** The PRACK has been answered: the next one may go, or the 2xx. */
  #goOn(): void {
    this.#next()
    this.#then?.()
    this.#then = undefined
  }

  /**
   * A final answer is ready. Nothing is resent from now on, except a description that waits for its PRACK: a 2xx must
   * not overtake it (§3), so `go` is called when it has come.
   */
  finish(go: () => void): void {
    this.#stopped = true
    this.#queue.length = 0
    if (this.#open && this.#open.response.body.length > 0) {
      this.#then = go
      return
    }
    this.#cancelTimers()
    go()
  }

  stop(): void {
    this.#stopped = true
    this.#queue.length = 0
    this.#then = undefined
    this.#cancelTimers()
  }

  #next(): void {
    if (this.#open || this.#stopped) return
    const make = this.#queue.shift()
    if (!make) return
    this.#rseq++
    const response = make({ Require: '100rel', RSeq: String(this.#rseq) })
    this.#open = { response, intervalMs: t1Ms }
    this.#user.send(response)
    this.#resend = this.#clock.after(t1Ms, () => this.#again())
    this.#end = this.#clock.after(transactionMs, () => {
      this.stop()
      this.#user.givenUp()
    })
  }

  /** §3: the interval doubles each time, without the limit of T2. */
  #again(): void {
    if (!this.#open) return
    this.#user.send(this.#open.response)
    this.#open.intervalMs *= 2
    this.#resend = this.#clock.after(this.#open.intervalMs, () => this.#again())
  }

  #cancelTimers(): void {
    this.#resend?.cancel()
    this.#end?.cancel()
  }
}
