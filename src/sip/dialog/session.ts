/**
 * The session of a dialog, kept alive by its timer. RFC 4028.
 *
 *   SipDialog  ── begun, refreshed ─▶  here  ── UPDATE or re-INVITE ─▶  SipDialog
 *
 * By UPDATE where the peer takes it, else by a re-INVITE that repeats what we said last (§7.4).
 */
import type { Clock } from '../../core/clock.ts'
import { optionTags } from '../message/fields.ts'
import { viewOf } from '../message/frame.ts'
import { sessionDescriptionOf } from '../message/multipart.ts'
import type { SipMessage, SipRequest, SipResponse } from '../message/types.ts'
import type { DialogSnapshot, ExtraHeaders, Payload } from '../stack.types.ts'
import {
  agreedByThem,
  agreedByUs,
  allowsUpdate,
  type SessionTerms,
  SessionTimer,
  sessionOffer,
} from './session-timer.ts'

export interface SessionUser {
  /** False once the dialog has ended. */
  readonly alive: () => boolean
  request(method: 'INVITE' | 'UPDATE', payload?: Payload): Promise<SipResponse>
  /** A re-INVITE refreshed it: the body is the answer to our description. */
  refreshed(response: SipResponse): void
  /** Nobody refreshed it in time. */
  expired(): void
}

export class DialogSession {
  readonly #terms: SessionTerms
  readonly #user: SessionUser
  readonly #timer: SessionTimer
  /**
   * Our side of the session as told last, to tell it again in a refresh by re-INVITE. Byte for byte a character: a
   * buffer would keep the whole message, or the block it lies in, for as long as the call lasts.
   */
  #description: string | undefined
  /** The peer takes an UPDATE, as its Allow says; without one a re-INVITE is safer. */
  #takesUpdate = false
  /** See Dialog.takesInfo. */
  takesInfo: boolean | undefined

  constructor(clock: Clock, terms: SessionTerms, user: SessionUser) {
    this.#terms = terms
    this.#user = user
    this.#timer = new SessionTimer(clock, { refresh: () => this.#refresh(), expire: () => user.expired() })
  }

  get snapshot(): DialogSnapshot['session'] {
    return {
      ...this.#timer.agreed,
      takesUpdate: this.#takesUpdate,
      ...(this.takesInfo !== undefined && { takesInfo: this.takesInfo }),
      ...(this.#description !== undefined && { description: this.#description }),
    }
  }

  /** Go on with a session of the process before: its timer begins anew. */
  restore({ expiresS, weRefresh, peerKnows, takesUpdate, takesInfo, description }: DialogSnapshot['session']): void {
    this.#takesUpdate = takesUpdate
    this.takesInfo = takesInfo
    this.#description = description
    if (expiresS !== undefined)
      this.#timer.set({ expiresS, weRefresh: weRefresh ?? false, peerKnows: peerKnows ?? false })
  }

  /** Headers of an INVITE or UPDATE of ours. */
  get offer(): ExtraHeaders {
    const { agreed } = this.#timer
    return agreed ? sessionOffer(this.#terms, agreed) : {}
  }

  /** Keep what we said last about our side of the session. */
  describe(message: SipMessage): void {
    const { headers, body } = message
    if (body.length === 0) return
    const type = headers.get('Content-Type') ?? ''
    if (/^application\/sdp\b/i.test(type)) this.#description = viewOf(body).toString('latin1')
    else if (/^multipart\//i.test(type)) this.#describePart(message)
  }

  /** Beside something else: recording metadata (RFC 7866 §9.1). */
  #describePart(message: SipMessage): void {
    const found = sessionDescriptionOf(message)
    if (found && found !== 'none') this.#description = Buffer.from(found.sdp, 'utf8').toString('latin1')
  }

  /** The peer's INVITE or its answer to ours: what it allows. */
  heard(message: SipMessage): void {
    this.#takesUpdate = allowsUpdate(message)
    if (message.headers.has('Allow')) this.takesInfo = optionTags(message, 'Allow').includes('info')
  }

  /** We accepted an INVITE or UPDATE of theirs. */
  acceptedByUs(request: SipRequest, response: SipResponse): void {
    this.#timer.set(agreedByUs(request, response))
  }

  /** They accepted one of ours. */
  acceptedByThem(response: SipResponse): void {
    this.#timer.set(agreedByThem(this.#terms, response))
  }

  stop(): void {
    this.#timer.stop()
  }

  /** Send headers that the peer is to know, and change nothing else. */
  async tell(headers: ExtraHeaders): Promise<void> {
    if (this.#takesUpdate) await this.#update(headers)
    if (!this.#takesUpdate) await this.#repeat(headers)
  }

  async #refresh(): Promise<void> {
    const { agreed } = this.#timer
    if (!agreed) return
    if (this.#takesUpdate) {
      await this.#update()
      // To who knows no timers every answer is a sign of life.
      if (!agreed.peerKnows && this.#user.alive()) this.#timer.set({ ...agreed })
      if (this.#takesUpdate) return
    }
    if (agreed.peerKnows) await this.#repeat()
  }

  async #update(headers: ExtraHeaders = {}): Promise<void> {
    const { status } = await this.#user.request('UPDATE', { headers })
    this.#takesUpdate = status !== 405 && status !== 501
  }

  /** Our description once more. */
  async #repeat(headers: ExtraHeaders = {}): Promise<void> {
    if (!this.#description || !this.#user.alive()) return
    const offer = { headers, body: Buffer.from(this.#description, 'latin1'), contentType: 'application/sdp' }
    const response = await this.#user.request('INVITE', offer)
    if (response.status < 300 && this.#user.alive()) this.#user.refreshed(response)
  }
}
