/**
 * Asks a recording client for all of its metadata anew ("snapshot request", RFC 7866 §7.3.2, §9.2): after a restart of
 * ours, or when what it sent cannot be placed. By UPDATE, without a description; the client sends the snapshot in a
 * request of its own.
 *
 * A client that takes no UPDATE is asked by OPTIONS whether it is still there, which after a restart is what counts: 408
 * and 481 end the dialog (RFC 3261 §12.2.1.2).
 */
import type { Clock, Timer } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import { element, text, xmlDeclaration } from '../core/xml-print.ts'
import type { Dialog, ExtraHeaders } from '../sip/stack.types.ts'

export interface SnapshotRequestsOptions {
  readonly clock: Clock
  readonly log: Logger
  /** The client's Allow says so. */
  readonly takesUpdate: boolean
  /** Undefined when the session is over. */
  readonly dialog: () => Dialog | undefined
  readonly headers: () => ExtraHeaders
}

/** A client that answers each request with what cannot be placed is not asked for ever. */
const mostRequests = 5
/** So far apart; and after a restart, when all are asked, at random within this. */
const apartMs = 5_000

export class SnapshotRequests {
  readonly #options: SnapshotRequestsOptions
  #made = 0
  #waiting: Timer | undefined

  constructor(options: SnapshotRequestsOptions) {
    this.#options = options
  }

  /** Soon; what is asked for meanwhile is the same. */
  ask(reason: string): void {
    if (this.#waiting || this.#made >= mostRequests) return
    this.#made++
    this.#waiting = this.#options.clock.after(500 + Math.random() * apartMs, () => {
      this.#waiting = undefined
      void this.#ask(reason)
    })
  }

  close(): void {
    this.#made = mostRequests
    this.#waiting?.cancel()
  }

  async #ask(reason: string): Promise<void> {
    const { dialog, takesUpdate, headers, log } = this.#options
    const open = dialog()
    if (!open) return
    const { status } = takesUpdate
      ? await open.request('UPDATE', snapshotRequest(headers(), reason))
      : await open.request('OPTIONS', { headers: headers() })
    if (takesUpdate && status >= 300) log.info('A recording client gives no snapshot of its metadata', { status })
  }
}

function snapshotRequest(headers: ExtraHeaders, reason: string) {
  const why = element('requestreason', { 'xml:lang': 'en' }, text(reason))
  return {
    headers: { ...headers, Require: 'siprec', 'Content-Disposition': 'recording-session' },
    contentType: 'application/rs-metadata-request',
    body: xmlDeclaration + element('requestsnapshot', { xmlns: 'urn:ietf:params:xml:ns:recording:1' }, why),
  }
}
