/**
 * The session recording server (SRS, RFC 7866): takes the INVITEs of recording clients.
 *
 *   main ── INVITE for which isSiprec() holds ─▶  SiprecServer ─▶ RecordingSession, one each
 *
 * Who may record is decided by whoever hands in `admit`; what comes of it lives in session.ts.
 */
import type { IncomingInvite } from '../sip/stack.types.ts'
import { refusalOf, type SiprecFailure, siprecFailures } from './failures.ts'
import { RecordingSession, type SessionSettings, type SiprecServices } from './session.ts'

export interface SiprecSettings extends SessionSettings {
  /** Whether this address may record: recording clients seldom know digest authentication. */
  readonly admit: (ip: string) => boolean
}

export class SiprecServer {
  readonly #services: SiprecServices
  readonly #settings: SiprecSettings
  #stopping = false

  constructor(services: SiprecServices, settings: SiprecSettings) {
    this.#services = services
    this.#settings = settings
  }

  /** Answers in its own time; the session then lives among the live calls. */
  handle(invite: IncomingInvite): void {
    const { ip } = invite.flow.remote
    if (!this.#settings.admit(ip)) {
      const { bus, clock } = this.#services
      bus.publish({ name: 'security.refused', atMs: clock.wallMs(), what: 'invite', source: ip, why: 'siprec source' })
      return this.#refuse(invite, 'siprec.source-refused')
    }
    if (this.#stopping) return this.#refuse(invite, 'siprec.stopping')
    void new RecordingSession(invite, this.#services, this.#settings).accept()
  }

  /** Take no more sessions; those that live are ended with the live calls. */
  stop(): void {
    this.#stopping = true
  }

  #refuse(invite: IncomingInvite, code: SiprecFailure): void {
    this.#services.log.warn('A recording session was refused', { code, source: invite.flow.remote.ip })
    invite.reject(siprecFailures[code].sip, refusalOf(code))
  }
}
