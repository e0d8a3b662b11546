/**
 * REFER inside a dialog, as who is asked: what is wanted, and how it goes, told by NOTIFY.
 *
 *   dialog  ── REFER ─▶  readReferral     ReferProgress  ── 202, NOTIFY ─▶  dialog
 *
 * RFC 3515, RFC 3891 for the Replaces inside a Refer-To, RFC 4488 for REFER without a subscription.
 */
import { cseqOf } from '../message/fields.ts'
import { parseNameAddr } from '../message/name-addr.ts'
import type { SipRequest, SipUri } from '../message/types.ts'
import type { Dialog, InDialogRequest } from '../stack.types.ts'

/** A dialog as somebody else names it (RFC 3891 §3). */
export interface Replaces {
  readonly callId: string
  readonly tags: readonly [to: string, from: string]
  /** Only while it rings. */
  readonly earlyOnly?: boolean
}

export interface Referral {
  /** Whom to call. */
  readonly target: SipUri
  /** The call to take over there. */
  readonly replaces?: Replaces
}

/** What a REFER asks for; undefined when it cannot be read (RFC 3515 §2.4.2). */
export function readReferral({ headers }: SipRequest): Referral | undefined {
  const values = headers.all('Refer-To')
  const target = values.length === 1 ? parseNameAddr(values[0] ?? '')?.uri : undefined
  if (!target) return undefined
  const name = [...target.headers.keys()].find((key) => key.toLowerCase() === 'replaces')
  if (name === undefined) return { target }
  const replaces = readReplaces(target.headers.get(name) ?? '')
  return replaces && { target, replaces }
}

/** The value of a Replaces header; undefined when it cannot be read (RFC 3891 §6.1). */
export function readReplaces(text: string): Replaces | undefined {
  const [callId = '', ...params] = text.split(';').map((part) => part.trim())
  const tag = (name: string): string | undefined =>
    params.find((param) => param.toLowerCase().startsWith(`${name}=`))?.slice(name.length + 1)
  const [to, from] = [tag('to-tag'), tag('from-tag')]
  if (callId === '' || to === undefined || from === undefined) return undefined
  const earlyOnly = params.some((param) => param.toLowerCase() === 'early-only')
  return { callId, tags: [to, from], ...(earlyOnly && { earlyOnly }) }
}

/** How many seconds a report of progress may be waited for: longer than any phone rings here. */
const expiresS = 300

const phrases: Readonly<Record<number, string>> = {
  100: 'Trying',
  180: 'Ringing',
  200: 'OK',
  481: 'Call/Transaction Does Not Exist',
}

export class ReferProgress {
  readonly #dialog: Dialog
  readonly #event: string
  /** RFC 4488: the peer wants no reports. */
  readonly #silent: boolean
  /** It told us that it waits for no reports (RFC 6665 §4.2.2). */
  #isForgotten = false
  #last: Promise<void> = Promise.resolve()
  #done = false

  /**
   * Accepts the REFER, and says that it is being tried.
   * @param first The first REFER in this dialog; its reports need no number (RFC 3515 §2.4.6).
   */
  constructor(incoming: InDialogRequest, dialog: Dialog, first: boolean) {
    const { request } = incoming
    this.#dialog = dialog
    this.#event = first ? 'refer' : `refer;id=${cseqOf(request)?.seq}`
    this.#silent = request.headers.get('Refer-Sub')?.trim().toLowerCase() === 'false'
    incoming.respond(202, this.#silent ? { headers: { 'Refer-Sub': 'false' } } : {})
    void this.report(100)
  }

  /** Tell a status of the call to the target; a final one is the last. Resolves when it has been answered. */
  async report(status: number, reason = phrases[status] ?? 'Failed'): Promise<void> {
    if (this.#done || this.#silent) return
    this.#done = status >= 200
    const state = this.#done ? 'terminated;reason=noresource' : `active;expires=${expiresS}`
    // One after the other: a report that overtakes another would be refused for its number.
    this.#last = this.#last.then(() => this.#notify(state, `SIP/2.0 ${status} ${reason}\r\n`))
    await this.#last
  }

  async #notify(state: string, body: string): Promise<void> {
    if (this.#isForgotten) return
    const headers = { Event: this.#event, 'Subscription-State': state }
    const response = await this.#dialog.request('NOTIFY', { headers, contentType: 'message/sipfrag;version=2.0', body })
    this.#isForgotten = response.status === 481
  }
}
