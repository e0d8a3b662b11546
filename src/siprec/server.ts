/**
 * The session recording server (SRS, RFC 7866): takes the INVITEs of recording clients.
 *
 *   front-desk.ts ── INVITE of a client that may record ─▶  SiprecServer ─▶ RecordingSession, one each
 *
 * Who may record, and on which terms, was decided before (peers/reception.ts); what comes of it lives in session.ts.
 */
import type { IncomingInvite } from '../sip/stack.types.ts'
import { type Guest, RecordingSession, type SessionSettings, type SiprecServices } from './session.ts'

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
}
