/**
 * Session timers: how both sides of a dialog notice that the other is gone, though no BYE came. RFC 4028.
 *
 *   write, dialog  ── headers of offers and answers ──▶  functions here
 *   dialog         ◀─ refresh, expire ───────────────── SessionTimer
 *
 * A peer that does not know session timers is refreshed by us when it allows UPDATE (§7.2, §9); whatever it answers
 * shows that it lives. One that knows neither is left to the watch over its media.
 */
import type { Clock, Timer } from '../../core/clock.ts'
import { optionTags } from '../message/fields.ts'
import type { SipMessage, SipRequest, SipResponse } from '../message/types.ts'
import type { ExtraHeaders } from '../stack.types.ts'

/** What we want of a session, in seconds. */
export interface SessionTerms {
  /** A session that is not refreshed for so long is over. */
  readonly expiresS: number
  /** The shortest interval we agree to. */
  readonly minS: number
}

/** RFC 4028 §4 and §5: the values it recommends. */
export const recommendedTerms: SessionTerms = { expiresS: 1800, minS: 90 }

/** What two sides agreed. */
export interface AgreedSession {
  readonly expiresS: number
  readonly weRefresh: boolean
  /** The peer takes part; else a refusal of a refresh shows as well that it is there. */
  readonly peerKnows: boolean
}

/** §4: an interval, and who refreshes, seen from the request that carried it. */
interface SessionExpires {
  readonly seconds: number
  readonly refresher?: 'uac' | 'uas'
}

/** Longer than this is no limit for a call (a day); it also keeps timers inside 2^31 ms. */
const longestS = 86_400

function sessionExpiresOf(message: SipMessage): SessionExpires | undefined {
  const [, seconds, refresher] =
    /^(\d{1,9})\s*(?:;.*?\brefresher\s*=\s*(uac|uas))?/i.exec(message.headers.get('Session-Expires') ?? '') ?? []
  if (seconds === undefined) return undefined
  const who = refresher?.toLowerCase()
  return { seconds: Math.min(Number(seconds), longestS), ...((who === 'uac' || who === 'uas') && { refresher: who }) }
}

/** Seconds; undefined without the header. */
export function minSeOf(message: SipMessage): number | undefined {
  const [, seconds] = /^(\d{1,9})\b/.exec(message.headers.get('Min-SE') ?? '') ?? []
  return seconds === undefined ? undefined : Number(seconds)
}

const knowsTimers = (message: SipMessage): boolean =>
  optionTags(message, 'Supported').includes('timer') || optionTags(message, 'Require').includes('timer')

export const allowsUpdate = (message: SipMessage): boolean => optionTags(message, 'Allow').includes('update')

/** Headers of an INVITE or UPDATE of ours (§7.1, §7.4): who refreshes now goes on. */
export function sessionOffer(terms: SessionTerms, now?: AgreedSession): ExtraHeaders {
  const seconds = now?.expiresS ?? terms.expiresS
  const refresher = now ? `;refresher=${now.weRefresh ? 'uac' : 'uas'}` : ''
  return { 'Session-Expires': `${seconds}${refresher}`, 'Min-SE': String(terms.minS) }
}

/** §9: the Min-SE to refuse a request with by 422; undefined when its interval will do. */
export function tooShortFor(terms: SessionTerms, request: SipRequest): number | undefined {
  const offered = sessionExpiresOf(request)
  return offered && offered.seconds < terms.minS && knowsTimers(request) ? terms.minS : undefined
}

/** Headers of our 2xx to an INVITE or UPDATE (§9, table 2). */
export function sessionAnswer(terms: SessionTerms, request: SipRequest): ExtraHeaders {
  const offered = sessionExpiresOf(request)
  const knows = knowsTimers(request)
  if (!knows && !allowsUpdate(request)) return {}
  const wanted = Math.min(offered?.seconds ?? terms.expiresS, terms.expiresS)
  const seconds = Math.max(wanted, Math.min(minSeOf(request) ?? 0, longestS), terms.minS)
  if (!knows) return { 'Session-Expires': `${seconds};refresher=uas` }
  // A peer that names an interval is ready to refresh; one that only knows timers is spared the work.
  const refresher = offered ? (offered.refresher ?? 'uac') : 'uas'
  return { 'Session-Expires': `${seconds};refresher=${refresher}`, ...(refresher === 'uac' && { Require: 'timer' }) }
}

/** What a 2xx of ours to their request agreed to. */
export function agreedByUs(request: SipRequest, response: SipResponse): AgreedSession | undefined {
  const given = sessionExpiresOf(response)
  return given && { expiresS: given.seconds, weRefresh: given.refresher === 'uas', peerKnows: knowsTimers(request) }
}

/** What their 2xx to our request agreed to (§7.2); an interval below ours is not taken. */
export function agreedByThem(terms: SessionTerms, response: SipResponse): AgreedSession | undefined {
  const given = sessionExpiresOf(response)
  if (given)
    return {
      expiresS: Math.max(given.seconds, terms.minS),
      weRefresh: given.refresher !== 'uas',
      peerKnows: true,
    }
  return allowsUpdate(response) ? { expiresS: terms.expiresS, weRefresh: true, peerKnows: false } : undefined
}

/** §10: a BYE goes out so long before the end, or a third of the interval when that is less. */
const earlyMs = 32_000
/** A refresh that was refused is tried again after so long. */
const retryMs = 10_000

export interface SessionTimerUser {
  /** Refresh the session. A success calls `set` before it resolves. */
  refresh(): Promise<void>
  /** Nobody refreshed it in time. */
  expire(): void
}

export class SessionTimer {
  readonly #clock: Clock
  readonly #user: SessionTimerUser
  #agreed: AgreedSession | undefined
  #refresh: Timer | undefined
  #end: Timer | undefined

  constructor(clock: Clock, user: SessionTimerUser) {
    this.#clock = clock
    this.#user = user
  }

  /** What is in force. */
  get agreed(): AgreedSession | undefined {
    return this.#agreed
  }

  /** The session was begun or refreshed on these terms; undefined: it lasts until somebody ends it. */
  set(agreed: AgreedSession | undefined): void {
    this.stop()
    this.#agreed = agreed
    if (!agreed) return
    const lifeMs = agreed.expiresS * 1000
    this.#end = this.#clock.after(lifeMs - Math.min(earlyMs, lifeMs / 3), () => {
      this.stop()
      this.#user.expire()
    })
    // §7.2: a refresh at half of the interval leaves time to try again.
    if (agreed.weRefresh) this.#refresh = this.#clock.after(lifeMs / 2, () => void this.#ask())
  }

  stop(): void {
    this.#refresh?.cancel()
    this.#end?.cancel()
    this.#agreed = undefined
  }

  async #ask(): Promise<void> {
    const before = this.#agreed
    await this.#user.refresh()
    // Still the old terms: it was refused, and the end draws nearer.
    if (before && this.#agreed === before) this.#refresh = this.#clock.after(retryMs, () => void this.#ask())
  }
}
