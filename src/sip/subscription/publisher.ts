/**
 * Something of ours that we publish elsewhere, kept alive: published, refreshed, changed, taken back. RFC 3903 §4.
 *
 * One PUBLISH at a time; a change that comes meanwhile waits. What the other side lost (412) is published anew.
 */
import type { Timer } from '../../core/clock.ts'
import { newId } from '../../core/random.ts'
import type { Context } from '../dialog/context.ts'
import { sendRequest } from '../dialog/outgoing-request.ts'
import { longerExpiresS } from '../message/ask-again.ts'
import { expiresOf } from '../message/fields.ts'
import type { SipResponse } from '../message/types.ts'
import { gapMs, lasting } from './return.ts'
import type { Publication, PublishOptions } from './types.ts'

/** A digest challenge may take a number of its own. */
const cseqStep = 2
const defaultExpiresS = 3_600

export class SentPublication implements Publication {
  readonly outcome: Promise<SipResponse>
  readonly #context: Context
  readonly #options: PublishOptions
  readonly #callId: string
  #cseq = 1
  #expiresS: number
  #body: string | Uint8Array
  #tag: string | undefined
  #last: Promise<unknown> = Promise.resolve()
  #timer: Timer | undefined
  #failures = 0
  readonly #ended = Promise.withResolvers<void>()
  #closing: Promise<void> | undefined

  constructor(context: Context, options: PublishOptions) {
    this.#context = context
    this.#options = options
    this.#callId = options.callId ?? newId()
    this.#expiresS = options.expiresS ?? defaultExpiresS
    this.#body = options.body
    options.signal?.addEventListener('abort', this.#abort, { once: true })
    this.outcome = this.#queue(() => this.#publish(true))
    if (options.signal?.aborted) this.#abort()
  }

  update(body: string | Uint8Array): Promise<SipResponse> {
    return this.#queue(() => {
      this.#body = body
      return this.#publish(true)
    })
  }

  /** It is closed, and nothing is under way. */
  get ended(): Promise<void> {
    return this.#ended.promise
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  /** The stack closes. */
  drop(): void {
    this.#tag = undefined
    void this.close()
  }

  readonly #abort = (): void => void this.close()

  async #close(): Promise<void> {
    this.#options.signal?.removeEventListener('abort', this.#abort)
    await this.#queue(async () => {
      this.#timer?.cancel()
      if (this.#tag !== undefined) await this.#send(0, false)
    })
    this.#ended.resolve()
  }

  #queue<Result>(act: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(act)
    this.#last = result.catch(() => {})
    return result
  }

  /** @param whole With the body; a refresh of what is known goes without. */
  async #publish(whole: boolean): Promise<SipResponse> {
    this.#timer?.cancel()
    let response = await this.#send(this.#expiresS, whole)
    const longerS = longerExpiresS(response, this.#expiresS)
    if (response.status === 412) {
      this.#tag = undefined
      response = await this.#send(this.#expiresS, true)
    } else if (longerS !== undefined) {
      this.#expiresS = longerS
      response = await this.#send(longerS, whole)
    }
    this.#answered(response)
    return response
  }

  #answered(response: SipResponse): void {
    const { status, headers } = response
    if (this.#closing) return
    if (status < 300) {
      this.#failures = 0
      this.#tag = headers.get('SIP-ETag')?.trim()
      const ms = (expiresOf(response) ?? this.#expiresS) * 1_000
      if (ms > 0) this.#again(Math.max(ms - 40_000, ms / 2), this.#tag === undefined)
    } else if (!lasting(status)) {
      this.#again(gapMs(this.#failures++), true)
    }
  }

  #again(ms: number, whole: boolean): void {
    this.#timer = this.#context.clock.after(ms, () => void this.#queue(() => this.#publish(whole)))
  }

  #send(expiresS: number, whole: boolean): Promise<SipResponse> {
    const { target, from, to, event, contentType, credentials, headers } = this.#options
    const cseq = this.#cseq
    this.#cseq += cseqStep
    const full = whole || this.#tag === undefined
    return sendRequest(this.#context, 'PUBLISH', {
      target,
      from,
      to,
      callId: this.#callId,
      cseq,
      ...(credentials && { credentials }),
      headers: {
        ...headers,
        Event: event,
        Expires: String(expiresS),
        ...(this.#tag !== undefined && { 'SIP-If-Match': this.#tag }),
      },
      ...(full && expiresS > 0 && { body: this.#body, contentType }),
    })
  }
}
