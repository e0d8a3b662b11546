/**
 * The session recording server (SRS, RFC 7866): takes the INVITEs of recording clients, and up the sessions that the
 * process before this one left.
 *
 *   peers/reception.ts ── INVITE of a client that may record ─▶  SiprecServer ─▶ RecordingSession, one each
 *   survival/keeper.ts ── what was left ────────────────────▶
 *
 * Who may record, and on which terms, was decided before (peers/reception.ts); what comes of it lives in session.ts.
 */
import { hostText } from '../core/ip.ts'
import { newId } from '../core/random.ts'
import { createRequest } from '../sip/message/build.ts'
import { Headers } from '../sip/message/headers.ts'
import { parseMessage } from '../sip/message/parse.ts'
import type { IncomingInvite } from '../sip/stack.types.ts'
import { BridgedCalls } from './session/bridged.ts'
import type { Guest, SessionServices, SessionSettings, SiprecServices } from './session/types.ts'
import { RecordingSession } from './session.ts'
import type { Checkpoint } from './survival/checkpoint.ts'
import type { SessionKeeper } from './survival/keeper.ts'

/** Who is nobody's, and whose session nobody counts. */
const anybody: Guest = { terms: { dialect: 'lenient', tags: [] }, failed: () => {}, over: () => {} }

export class SiprecServer {
  readonly #services: SessionServices
  readonly #settings: SessionSettings

  constructor(services: SiprecServices, settings: SessionSettings) {
    this.#services = { ...services, bridged: new BridgedCalls(services.clock) }
    this.#settings = settings
  }

  /** Answers in its own time; the session then lives among the live calls. */
  handle(invite: IncomingInvite, guest: Guest = anybody): void {
    void new RecordingSession(invite, guest, this.#services, this.#settings).accept()
  }

  /**
   * Ask a recording client to send a session (RFC 7866 §6.1.1).
   * @param contact Where it takes orders: `sip:sbc.example.com`.
   * @returns The id of the call, and the status of the client's answer; 200 when it is being recorded.
   */
  async order(contact: string, guest: Guest = anybody): Promise<{ readonly callId: string; readonly status: number }> {
    const { stack } = this.#services
    const [place] = await stack.locate(contact)
    const { transport, ip, port } = place ?? { transport: 'udp', ip: '0.0.0.0', port: 0 }
    const ended = new AbortController()
    const headers = new Headers()
    headers.append('From', `<${contact}>`)
    headers.append('To', `<sip:recorder@${hostText(ip)}>`)
    headers.append('Call-ID', newId())
    const invite = {
      // As if the client had sent it: it is its session.
      request: createRequest('INVITE', contact, headers),
      flow: {
        id: '',
        transport,
        reliable: transport !== 'udp',
        local: { ip: '0.0.0.0', port: 0 },
        remote: { ip, port },
        open: true,
      },
      cancelled: new AbortController().signal,
      answer: () => {
        throw new Error('an order has no INVITE to answer')
      },
      reject: () => ended.abort(),
    }
    const session = new RecordingSession(invite, guest, this.#services, this.#settings)
    return { callId: session.id, status: await session.order(contact, ended.signal) }
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
