/**
 * The session recording server (SRS, RFC 7866): takes the INVITEs of recording clients, and up the sessions that the
 * process before this one left.
 *
 *   peers/reception.ts ── INVITE of a client that may record ─▶  SiprecServer ─▶ RecordingSession, one each
 *   survival/keeper.ts ── what was left ────────────────────▶
 *
 * Who may record, and on which terms, was decided before (peers/reception.ts); what comes of it lives in session.ts.
 */
import { parseMessage } from '../sip/message/parse.ts'
import type { IncomingInvite } from '../sip/stack.types.ts'
import { type Guest, RecordingSession, type SessionSettings, type SiprecServices } from './session.ts'
import type { Checkpoint } from './survival/checkpoint.ts'
import type { SessionKeeper } from './survival/keeper.ts'

/** Who is nobody's, and whose session nobody counts. */
const anybody: Guest = { terms: { dialect: 'lenient', tags: [] }, failed: () => {}, over: () => {} }

export class SiprecServer {
  readonly #services: SiprecServices
  readonly #settings: SessionSettings

  constructor(services: SiprecServices, settings: SessionSettings) {
    this.#services = services
    this.#settings = settings
  }

  /** Answers in its own time; the session then lives among the live calls. */
  handle(invite: IncomingInvite, guest: Guest = anybody): void {
    void new RecordingSession(invite, guest, this.#services, this.#settings).accept()
  }

  /**
   * Take up a session of the process before this one. At once when the stack is made: its client may ask something now.
   *
   * @param guest Told how it goes on.
   * @returns Resolves with whether it goes on; undefined when it cannot be begun with at all.
   */
  takeUp(kept: Checkpoint, guest: Guest = anybody): Promise<boolean> | undefined {
    const first = parseMessage(Buffer.from(kept.messages[0]?.text ?? '', 'latin1'))
    if (!first.ok || first.message.kind !== 'request') return undefined
    const dialog = this.#services.stack.takeUp(kept.dialog)
    if (!dialog) return undefined
    const invite = {
      request: first.message,
      flow: dialog.flow,
      cancelled: new AbortController().signal,
      answer: () => dialog,
      reject: () => {},
    }
    return new RecordingSession(invite, guest, this.#services, this.#settings, kept).takeUp(kept, dialog)
  }

  /**
   * Leave all sessions to the process after this one, without a word to their clients. What cannot be left is ended with
   * the other calls.
   */
  async handOver(keeper: SessionKeeper): Promise<void> {
    const sessions = this.#services.live.list().filter((call) => call instanceof RecordingSession)
    await Promise.all(sessions.map(({ settled }) => settled))
    const kept = sessions.filter((session) => session.checkpoint() !== undefined)
    for (const session of kept) keeper.changed(session)
    await keeper.flush()
    await Promise.all(kept.map((session) => session.leave()))
  }
}
