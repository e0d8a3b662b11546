/**
 * A REFER of ours, and how the other side gets on with it. RFC 3515, 4488.
 *
 *   who asks  ◀─ answered, reports, outcome ─  here  ── REFER ───▶  peer
 *                                                    ◀─ NOTIFY ──
 *
 * Outside dialogs it is a subscription that the REFER makes (SentSubscription). Inside one its reports come to the
 * dialog, told apart from those of another REFER by their id.
 */
import { AsyncQueue } from '../../core/async-queue.ts'
import type { Timer } from '../../core/clock.ts'
import type { Context } from '../dialog/context.ts'
import { cseqOf } from '../message/fields.ts'
import type { SipRequest, SipResponse } from '../message/types.ts'
import type { Dialog, InDialogRequest } from '../stack.types.ts'
import { readEvent, readSubscriptionState } from './event.ts'
import { SentSubscription } from './subscriber.ts'
import type { ReferOptions, ReferReport, Referral } from './types.ts'

const accept = ['message/sipfrag']
/** Reports of one call, from Trying to its end; nobody sends so many. */
const maxWaiting = 100
/** Without a word for so long nothing more comes. Longer than phones ring. */
const patienceMs = 300_000

export function sendRefer(context: Context, options: ReferOptions): SentReferral {
  return 'dialog' in options ? referInside(context, options.dialog, options) : referOutside(context, options)
}

/** What both ways have: reports in, answer and outcome out. */
export class SentReferral implements Referral {
  readonly #queue: AsyncQueue<ReferReport>
  readonly #answered = Promise.withResolvers<SipResponse>()
  readonly #outcome = Promise.withResolvers<ReferReport | undefined>()
  readonly #stop: () => void
  #last: ReferReport | undefined

  /** @param stop Listen no more: nobody wants to know. */
  constructor(stop: () => void) {
    this.#stop = stop
    this.#queue = new AsyncQueue(maxWaiting, () => this.end())
  }

  get answered(): Promise<SipResponse> {
    return this.#answered.promise
  }

  get outcome(): Promise<ReferReport | undefined> {
    return this.#outcome.promise
  }

  [Symbol.asyncIterator](): AsyncIterator<ReferReport> {
    return this.#queue[Symbol.asyncIterator]()
  }

  answer(response: SipResponse): void {
    this.#answered.resolve(response)
  }

  hear(notify: SipRequest): void {
    const report = readReport(notify.body)
    if (!report) return
    this.#last = report
    this.#queue.push(report)
  }

  end(): void {
    this.#stop()
    this.#queue.end()
    this.#outcome.resolve(this.#last && this.#last.status >= 200 ? this.#last : undefined)
  }

  /** The stack closes. */
  drop(): void {
    this.end()
  }
}

/** `SIP/2.0 180 Ringing`, the first line of a message/sipfrag. */
function readReport(body: Uint8Array): ReferReport | undefined {
  const [, status, reason = ''] = /^SIP\/2\.0 ([1-6]\d\d) ?([^\r\n]*)/.exec(Buffer.from(body).toString()) ?? []
  return status === undefined ? undefined : { status: Number(status), reason }
}

function headersOf({ referTo, referredBy, headers }: ReferOptions) {
  return { 'Refer-To': `<${referTo}>`, ...(referredBy !== undefined && { 'Referred-By': referredBy }), ...headers }
}

function referOutside(context: Context, options: Exclude<ReferOptions, { readonly dialog: Dialog }>): SentReferral {
  const { referTo: _to, referredBy: _by, ...request } = options
  const started = { ...request, headers: headersOf(options), event: 'refer', accept, method: 'REFER' } as const
  const subscription = new SentSubscription(context, started)
  const referral = new SentReferral(() => void subscription.close())
  void subscription.answered.promise.then((response) => referral.answer(response))
  void (async () => {
    try {
      for await (const { request: notify } of subscription) referral.hear(notify)
    } catch {
      // refused: `answered` says how
    }
    referral.end()
  })()
  return referral
}

/** REFERs of one dialog: sent one after the other, so that each is known by its number before the next is (RFC 3515 §2.4.6). */
interface Line {
  last: Promise<unknown>
  readonly ids: Set<string>
}
const lines = new WeakMap<Dialog, Line>()

function referInside(context: Context, dialog: Dialog, options: ReferOptions): SentReferral {
  const line = lines.get(dialog) ?? { last: Promise.resolve(), ids: new Set() }
  lines.set(dialog, line)
  /** The number of our REFER, once it has been answered. */
  let id: string | undefined
  let sent = false
  let over = false
  let patience: Timer | undefined
  const stop = (): void => {
    over = true
    patience?.cancel()
    for (const off of listeners) off()
    options.signal?.removeEventListener('abort', abort)
  }
  const referral = new SentReferral(stop)
  const abort = (): void => referral.end()
  const wait = (): void => {
    patience?.cancel()
    patience = context.clock.after(patienceMs, () => referral.end())
  }
  const listeners = [dialog.on('notify', (incoming) => take(incoming)), dialog.on('ended', () => referral.end())]
  const take = (incoming: InDialogRequest): void => {
    const { request } = incoming
    const { name, id: told } = readEvent(request) ?? {}
    const ours =
      name === 'refer' && (told === undefined || (id === undefined ? sent && !line.ids.has(told) : told === id))
    // Another REFER of this dialog may take it in the same turn.
    if (!ours) return queueMicrotask(() => incoming.respond(481))
    incoming.respond(200)
    wait()
    referral.hear(request)
    if (readSubscriptionState(request).state === 'terminated') referral.end()
  }
  options.signal?.addEventListener('abort', abort, { once: true })
  line.last = line.last.then(async () => {
    sent = true
    if (!over) wait()
    const response = await dialog.request('REFER', { headers: headersOf(options) })
    id = String(cseqOf(response)?.seq)
    line.ids.add(id)
    referral.answer(response)
    const silent = response.headers.get('Refer-Sub')?.trim().toLowerCase() === 'false'
    if (response.status >= 300 || silent) referral.end()
  })
  return referral
}
