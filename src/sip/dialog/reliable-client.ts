/**
 * Reliable provisional answers as who called: each is acknowledged by a PRACK in its early dialog. RFC 3262 §4.
 *
 *   SentInvite  ── provisional ─▶  here  ── PRACK ─▶  transaction
 */
import { cseqOf, optionTags, toTag } from '../message/fields.ts'
import type { SipRequest, SipResponse } from '../message/types.ts'
import type { Payload } from '../stack.types.ts'
import type { WireFlow } from '../transport/flow.ts'
import type { Context } from './context.ts'
import { type CallerExtras, callerSetup } from './dialog-setup.ts'
import { Exchange } from './exchange.ts'
import { addressed, nextFlow } from './route.ts'
import { writeRequest } from './write.ts'

/** Where one early dialog stands. */
interface Early {
  rseq: number
  /** CSeq of the last request we sent in it. */
  localSeq: number
  /** The PRACK carried our answer to an offer of theirs. */
  answered: boolean
}

export interface AcknowledgeOptions {
  /** The INVITE as sent last. */
  readonly invite: SipRequest
  readonly flow: WireFlow
  readonly extras: CallerExtras
  /** Our answer, when the INVITE left the offer to the peer. */
  readonly answer?: ((response: SipResponse) => Payload) | undefined
}

export class Acknowledger {
  readonly #context: Context
  /** By the peer's tag. */
  readonly #early = new Map<string, Early>()

  constructor(context: Context) {
    this.#context = context
  }

  /** What is known of an early dialog by the time it is confirmed. */
  stateOf(tag: string): Readonly<Pick<Early, 'localSeq' | 'answered'>> | undefined {
    return this.#early.get(tag)
  }

  /** @returns False for a copy, or one that came out of order: nobody shall see it (§4). */
  take(response: SipResponse, options: AcknowledgeOptions): boolean {
    const rseq = rseqOf(response)
    const tag = toTag(response)
    if (rseq === undefined || tag === undefined) return true
    const known = this.#early.get(tag)
    if (known && rseq !== known.rseq + 1) return false
    const { invite } = options
    const early = known ?? { rseq, localSeq: cseqOf(invite)?.seq ?? 0, answered: false }
    this.#early.set(tag, early)
    early.rseq = rseq
    const offers = invite.body.length === 0 && response.body.length > 0 && !early.answered
    const answer = offers ? options.answer?.(response) : undefined
    if (answer) early.answered = true
    this.#send(response, early, options, answer ?? {})
    return true
  }

  #send(response: SipResponse, early: Early, { invite, flow, extras }: AcknowledgeOptions, payload: Payload): void {
    const setup = callerSetup(this.#context, invite, response, flow, extras)
    const { routeSet, remoteTarget: target } = setup
    const { uri, routes } = addressed(routeSet, target)
    const request = writeRequest(this.#context.identity, {
      method: 'PRACK',
      uri,
      from: setup.local,
      to: setup.remote,
      callId: setup.id.callId,
      seq: ++early.localSeq,
      routes,
      payload: { ...payload, headers: { ...payload.headers, RAck: `${early.rseq} ${setup.localSeq} INVITE` } },
    })
    // Nothing is to be done when it fails: the callee refuses the INVITE then (§3).
    const user = { final: () => {} }
    const { credentials } = extras
    const send = (next: WireFlow | undefined): void => {
      const options = { request, flow: next ?? flow, fixed: extras.stay, nextSeq: () => ++early.localSeq, credentials }
      void new Exchange(this.#context, options, user)
    }
    const next = nextFlow(this.#context.transport, { flow, routeSet, target, stay: extras.stay })
    if (next instanceof Promise) void next.then(send)
    else send(next)
  }
}

/** The number of a reliable provisional; undefined for any other. */
function rseqOf(response: SipResponse): number | undefined {
  const text = response.headers.get('RSeq') ?? ''
  if (response.status <= 100 || !optionTags(response, 'Require').includes('100rel')) return undefined
  return /^\d{1,10}$/.test(text) ? Number(text) : undefined
}
