/**
 * The early dialogs of one INVITE of ours: a forking proxy sends provisional answers of several phones, each with a tag
 * of its own. RFC 3261 §13.2.2.1, §13.2.2.4; reliable answers are acknowledged by PRACK (RFC 3262 §4).
 *
 *   SentInvite  ── 1xx, 2xx ─▶  here  ── one SipDialog each, PRACK ─▶  SipDialog
 */
import { cseqOf, optionTags, toTag } from '../message/fields.ts'
import type { SipRequest, SipResponse } from '../message/types.ts'
import type { InviteOptions } from '../stack.types.ts'
import type { WireFlow } from '../transport/flow.ts'
import type { Context } from './context.ts'
import { SipDialog } from './dialog.ts'
import { type CallerExtras, callerSetup } from './dialog-setup.ts'

/** Judgement: more phones than one number rings. What a peer may make us keep for one INVITE is bounded by it. */
const mostEarly = 32

interface Early {
  readonly dialog: SipDialog
  /** Number of the last reliable answer. */
  rseq: number | undefined
  /** The PRACK carried our answer to an offer of theirs. */
  answered: boolean
}

/** As in `InviteOptions`; what may live long after the call shall hold nothing else of them. */
type Bodies = { readonly [Name in 'ackBody' | 'prackBody']: InviteOptions[Name] | undefined }

/** The INVITE as sent last, and by which way. */
export interface Sent {
  readonly invite: SipRequest
  readonly flow: WireFlow
}

export class EarlyDialogs {
  readonly #context: Context
  readonly #extras: CallerExtras
  readonly #options: Bodies
  /** By the peer's tag. */
  readonly #early = new Map<string, Early>()

  constructor(context: Context, extras: CallerExtras, options: Bodies) {
    this.#context = context
    this.#extras = extras
    this.#options = options
  }

  /**
   * A provisional answer above 100.
   * @returns 'copy' for one that nobody shall see: a copy, or one out of order (RFC 3262 §4); undefined without a tag.
   */
  take(response: SipResponse, sent: Sent): SipDialog | 'copy' | undefined {
    const tag = toTag(response)
    if (tag === undefined) return undefined
    const rseq = rseqOf(response)
    const known = this.#early.get(tag)
    if (known && known.rseq !== undefined && rseq !== undefined && rseq !== known.rseq + 1) return 'copy'
    const early = known ?? this.#add(tag, response, sent)
    if (!early) return 'copy'
    if (rseq !== undefined) {
      early.rseq = rseq
      this.#acknowledge(early, rseq, response, sent.invite)
    }
    return early.dialog
  }

  /** The dialog of a 2xx; `answered` when a PRACK carried our answer. The other early ones are over. */
  confirm(response: SipResponse, sent: Sent): { readonly dialog: SipDialog; readonly answered: boolean } {
    const tag = toTag(response) ?? ''
    const known = this.#early.get(tag)
    this.#early.delete(tag)
    this.drop()
    const usable = known && known.dialog.state === 'early' ? known : undefined
    const dialog = usable?.dialog ?? this.#dialog(response, sent)
    dialog.confirm(response)
    return { dialog, answered: usable?.answered ?? false }
  }

  /** No 2xx will come of them. */
  drop(): void {
    for (const { dialog } of this.#early.values()) dialog.drop()
    this.#early.clear()
  }

  #add(tag: string, response: SipResponse, sent: Sent): Early | undefined {
    if (this.#early.size >= mostEarly) return undefined
    const early: Early = { dialog: this.#dialog(response, sent), rseq: undefined, answered: false }
    this.#early.set(tag, early)
    return early
  }

  #dialog(response: SipResponse, { invite, flow }: Sent): SipDialog {
    return new SipDialog(callerSetup(this.#context, invite, response, flow, this.#extras))
  }

  #acknowledge(early: Early, rseq: number, response: SipResponse, invite: SipRequest): void {
    const { ackBody, prackBody } = this.#options
    const described = response.body.length > 0
    const offers = described && invite.body.length === 0 && !early.answered
    const answer = offers ? ackBody?.(response) : undefined
    if (answer) early.answered = true
    const payload = answer ?? (described && !offers ? prackBody?.(response) : undefined) ?? {}
    void early.dialog.prack(`${rseq} ${cseqOf(invite)?.seq} INVITE`, payload)
    if (answer || (described && !offers)) early.dialog.described('them')
  }
}

/** The number of a reliable provisional; undefined for any other. */
function rseqOf(response: SipResponse): number | undefined {
  const text = response.headers.get('RSeq') ?? ''
  if (response.status <= 100 || !optionTags(response, 'Require').includes('100rel')) return undefined
  return /^\d{1,10}$/.test(text) ? Number(text) : undefined
}
