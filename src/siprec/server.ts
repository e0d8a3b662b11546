/**
 * The session recording server (SRS, RFC 7866): takes the INVITEs of recording clients.
 *
 *   front-desk.ts ── INVITE for which isSiprec() holds ─▶  SiprecServer ─▶ RecordingSession, one each
 *
 * Who may record was decided before (pbx/gatekeeper.ts); what comes of it lives in session.ts.
 */
import type { IncomingInvite } from '../sip/stack.types.ts'
import { RecordingSession, type SessionSettings, type SiprecServices } from './session.ts'

export class SiprecServer {
  readonly #services: SiprecServices
  readonly #settings: SessionSettings

  constructor(services: SiprecServices, settings: SessionSettings) {
    this.#services = services
    this.#settings = settings
  }

  /** Answers in its own time; the session then lives among the live calls. */
  handle(invite: IncomingInvite): void {
    void new RecordingSession(invite, this.#services, this.#settings).accept()
  }
}
