/**
 * The challenges that one request met, and our answers to them: from the server and from proxies on the way, each with
 * its realm. RFC 3261 §22, RFC 7616 §3.3.
 */
import type { SipHeaders, SipRequest, SipResponse } from '../message/types.ts'
import { type Challenge, chooseChallenge, writeAnswer } from './digest-client.ts'

const headersOf = { 401: ['WWW-Authenticate', 'Authorization'], 407: ['Proxy-Authenticate', 'Proxy-Authorization'] }

/** Two proxies and a server, one of them with a nonce that grew old. Who asks on and on gets no further answer. */
const maxRounds = 4

interface Met {
  readonly header: string
  readonly challenge: Challenge
  /** Times the nonce was used. */
  count: number
}

export class ChallengeAnswers {
  readonly #credentials: { readonly username: string; readonly password: string }
  /** By header and realm. */
  readonly #met = new Map<string, Met>()
  #rounds = 0

  constructor(credentials: { readonly username: string; readonly password: string }) {
    this.#credentials = credentials
  }

  /**
   * Learn from a 401 or 407. False when the request need not be sent again: nothing here that we can answer, or an
   * answer of ours was refused, and not because its nonce was old.
   */
  take({ status, headers }: SipResponse): boolean {
    if ((status !== 401 && status !== 407) || ++this.#rounds > maxRounds) return false
    const [challengeName = '', header = ''] = headersOf[status]
    const chosen = byRealm(headers.all(challengeName))
    for (const challenge of chosen) {
      const key = `${header} ${challenge.params.get('realm')}`
      const stale = challenge.params.get('stale')?.toLowerCase() === 'true'
      if (this.#met.has(key) && !stale) return false
      this.#met.set(key, { header, challenge, count: 0 })
    }
    return chosen.length > 0
  }

  /** Write the answers into a request that is about to be sent. */
  sign(request: Pick<SipRequest, 'method' | 'uri' | 'body'> & { readonly headers: SipHeaders }): void {
    const { method, uri, body, headers } = request
    for (const [, name] of Object.values(headersOf)) {
      const lines = Array.from(this.#met.values(), (met) => {
        if (met.header !== name) return undefined
        const question = { credentials: this.#credentials, method, uri, body, nonceCount: ++met.count }
        return writeAnswer(met.challenge, question)
      }).filter((line) => line !== undefined)
      if (name !== undefined && lines.length > 0) headers.set(name, ...lines)
    }
  }

  /** Another server is asked: it does not know the nonces of this one. */
  forget(headers: SipHeaders): void {
    for (const { header } of this.#met.values()) headers.remove(header)
    this.#met.clear()
    this.#rounds = 0
  }
}

/** The strongest that we know of each realm: several proxies that forked a request ask in one answer (§22.3). */
function byRealm(challenges: readonly string[]): Challenge[] {
  const all = challenges.map((text) => chooseChallenge([text])).filter((one) => one !== undefined)
  const realms = new Set(all.map(({ params }) => params.get('realm')))
  return Array.from(realms, (realm) =>
    chooseChallenge(challenges, (challenge) => challenge.params.get('realm') === realm),
  ).filter((one) => one !== undefined)
}
