/**
 * Digest authentication, server side: challenges, and checks of what comes back. RFC 7616, RFC 8760.
 *
 *   registrar, call admission ── header, method, URI ─▶  here  ── user name ─▶ hashesOf (the directory)
 *                             ◀─ who, or why not ──────
 *
 * A challenge costs no memory and says nothing about who exists: an unknown user takes the same steps as a known one
 * with a wrong password. What is offered is an option: `-sess`, `auth-int` and userhash are not unless asked for.
 * Missing: `username*`.
 */
import { timingSafeEqual } from 'node:crypto'
import { type Clock, systemClock } from '../../core/clock.ts'
import { randomHex } from '../../core/random.ts'
import { quote } from '../message/scan.ts'
import { parseUri } from '../message/uri.ts'
import { type Algorithm, ha1Of, parseAlgorithm, parseDigest, responseOf } from './digest-text.ts'
import { NonceCounts, NonceMint } from './nonce.ts'

/** What digest authentication needs; the password itself is never kept (RFC 7616 §3.4.2, RFC 8760). */
export interface DigestHashes {
  readonly realm: string
  /** HA1 by MD5, hex. */
  readonly md5: string
  /** HA1 by SHA-256, hex. */
  readonly sha256: string
  /** HA1 by SHA-512/256, hex; absent in what was kept before it was known. */
  readonly sha512?: string
}

export const digestHashes = (username: string, realm: string, password: string): DigestHashes => ({
  realm,
  md5: ha1Of('MD5', username, realm, password),
  sha256: ha1Of('SHA-256', username, realm, password),
  sha512: ha1Of('SHA-512-256', username, realm, password),
})

export interface DigestQuestion {
  /** Authorization or Proxy-Authorization: one line or several (for several realms). */
  readonly header: string | readonly string[] | undefined
  readonly method: string
  /** The Request-URI as written. */
  readonly requestUri: string
  readonly body?: Uint8Array
  /** Where it came from, as the challenge was told: a nonce made for another source is stale here. */
  readonly source?: string
  hashesOf(username: string): DigestHashes | undefined
  /** Who stands behind a userhash (RFC 7616 §3.4.4): H(username:realm) in hex, by that algorithm. */
  userOf?(userhash: string, algorithm: DigestAlgorithm): string | undefined
}

/**
 * `missing`: no Digest for our realm. `malformed`: not answerable as we asked. `stale`: right, but the nonce is too old or
 * not of this process. `replayed`: right, but this nonce count was used. `wrong`: no such user or not the password.
 */
export type DigestRefusal = 'missing' | 'malformed' | 'stale' | 'replayed' | 'wrong'

export type DigestResult =
  | { readonly ok: true; readonly username: string }
  | {
      readonly ok: false
      readonly reason: DigestRefusal
      readonly username?: string
      /** The nonce is one that was made for this source, so that is where the sender is. */
      readonly proven?: boolean
    }

/** What hashes are kept for. */
export const digestAlgorithms = ['SHA-512-256', 'SHA-256', 'MD5'] as const
export type DigestAlgorithm = (typeof digestAlgorithms)[number]
/** `-sess`: the hash is bound to the first nonce (RFC 7616 §3.4.2). */
export type OfferedAlgorithm = DigestAlgorithm | `${DigestAlgorithm}-sess`

export interface DigestVerifierOptions {
  readonly realm: string
  /** The host's unless given. */
  readonly clock?: Clock
  /**
   * What is offered, in this order, and taken. Default SHA-256, then MD5. Some phones give up when they see one they
   * do not know (baresip 1.0, sipp 3.6): for them offer MD5 alone.
   */
  readonly algorithms?: readonly OfferedAlgorithm[]
  /** What an answer may protect: `auth-int` the body too. Default `auth`. */
  readonly qop?: readonly ('auth' | 'auth-int')[]
  /** Offer to take the user name hashed; then questions need `userOf`. */
  readonly userhash?: boolean
  /** How long a nonce may be used. Default 60 s. */
  readonly nonceLifeMs?: number
  /** Nonces in use whose counts are kept. Default 20,000. */
  readonly maxNonces?: number
}

/** The parts of an answer, checked for shape. */
interface Answer {
  readonly algorithm: Algorithm
  readonly username: string
  readonly nonce: string
  readonly uri: string
  readonly response: string
  readonly qop?: 'auth' | 'auth-int'
  readonly nc?: string
  readonly cnonce?: string
  readonly hidden: boolean
}

export class DigestVerifier {
  readonly realm: string
  readonly #clock: Clock
  readonly #algorithms: readonly OfferedAlgorithm[]
  /** What stands in each challenge after the nonce and the algorithm. */
  readonly #terms: string
  readonly #nonceLifeMs: number
  readonly #mint: NonceMint
  readonly #counts: NonceCounts
  /** Stands in for the hashes of a user who does not exist. */
  readonly #nobody: DigestHashes
  #expireAtMs: number

  constructor(options: DigestVerifierOptions) {
    this.realm = options.realm
    this.#clock = options.clock ?? systemClock
    this.#algorithms = options.algorithms ?? ['SHA-256', 'MD5']
    const { qop = ['auth'], userhash = false } = options
    this.#terms = `qop="${qop.join(',')}"${userhash ? ', userhash=true' : ''}`
    this.#nonceLifeMs = options.nonceLifeMs ?? 60_000
    this.#mint = new NonceMint(options.realm)
    this.#counts = new NonceCounts(options.maxNonces)
    this.#nobody = { realm: options.realm, md5: randomHex(16), sha256: randomHex(32), sha512: randomHex(32) }
    this.#expireAtMs = this.#clock.now() + this.#nonceLifeMs
  }

  /**
   * One value of WWW-Authenticate (or Proxy-Authenticate) an algorithm, best first (RFC 8760 §2.1).
   *
   * @param options.stale Say that only the nonce was wrong, so that a phone asks nobody for the password again.
   * @param options.source Whom the nonce is for: an address, or what several addresses share.
   * @param options.only Offer this one alone, if it is among ours: for a peer that gives up when it sees another.
   */
  challenges(
    options: { readonly stale?: boolean; readonly source?: string; readonly only?: DigestAlgorithm } = {},
  ): string[] {
    const nonce = this.#mint.make(this.#clock.now(), options.source)
    const stale = options.stale ? ', stale=true' : ''
    const { only } = options
    const offered = only && this.#algorithms.includes(only) ? [only] : this.#algorithms
    return offered.map(
      (algorithm) =>
        `Digest realm=${quote(this.realm)}, nonce="${nonce}", algorithm=${algorithm}, ${this.#terms}${stale}`,
    )
  }

  verify(question: DigestQuestion): DigestResult {
    const params = this.#forOurRealm(question.header)
    if (!params) return { ok: false, reason: 'missing' }
    const answer = readAnswer(params)
    if (!answer || !this.#algorithms.includes(nameOf(answer.algorithm))) return { ok: false, reason: 'malformed' }
    const { hash } = answer.algorithm
    const username = answer.hidden ? (question.userOf?.(answer.username, hash) ?? '') : answer.username
    const known = question.hashesOf(username)
    const hashes = known && (hash !== 'SHA-512-256' || known.sha512 !== undefined) ? known : this.#nobody
    const ha1 = hash === 'MD5' ? hashes.md5 : hash === 'SHA-256' ? hashes.sha256 : (hashes.sha512 ?? '')
    const expected = responseOf({ ...answer, ha1, method: question.method, body: question.body })
    const matches = sameHex(expected, answer.response)
    const madeAtMs = this.#mint.madeAt(answer.nonce, question.source)
    if (!matches || hashes === this.#nobody || !sameUser(answer.uri, question.requestUri)) {
      return { ok: false, reason: 'wrong', username, proven: madeAtMs !== undefined }
    }
    const nowMs = this.#clock.now()
    if (madeAtMs === undefined || nowMs - madeAtMs > this.#nonceLifeMs) return { ok: false, reason: 'stale', username }
    this.#expire(nowMs)
    // Without qop there is no count: such a nonce serves once.
    const count = answer.nc === undefined ? 1 : Number.parseInt(answer.nc, 16)
    if (!this.#counts.take(answer.nonce, count, madeAtMs)) return { ok: false, reason: 'replayed', username }
    return { ok: true, username }
  }

  /** Nonces whose counts are kept, for metrics and tests. */
  get noncesInUse(): number {
    return this.#counts.size
  }

  #forOurRealm(header: DigestQuestion['header']): ReadonlyMap<string, string> | undefined {
    const lines = typeof header === 'string' ? [header] : (header ?? [])
    return lines.map(parseDigest).find((params) => params?.get('realm') === this.realm)
  }

  #expire(nowMs: number): void {
    if (nowMs < this.#expireAtMs) return
    this.#expireAtMs = nowMs + this.#nonceLifeMs
    this.#counts.expire(nowMs - this.#nonceLifeMs)
  }
}

function readAnswer(params: ReadonlyMap<string, string>): Answer | undefined {
  const [username, nonce, uri, response] = ['username', 'nonce', 'uri', 'response'].map((name) => params.get(name))
  const algorithm = parseAlgorithm(params.get('algorithm'))
  if (!algorithm) return undefined
  if (username === undefined || nonce === undefined || uri === undefined || response === undefined) return undefined
  const qop = params.get('qop')
  const hidden = params.get('userhash')?.toLowerCase() === 'true'
  const parts = { algorithm, username, nonce, uri, response: response.toLowerCase(), hidden }
  if (qop === undefined) return algorithm.session ? undefined : parts
  const nc = params.get('nc')
  const cnonce = params.get('cnonce')
  if ((qop !== 'auth' && qop !== 'auth-int') || !nc || !/^[0-9a-f]{8}$/i.test(nc) || !cnonce) return undefined
  return { ...parts, qop, nc, cnonce }
}

const nameOf = ({ hash, session }: Algorithm): OfferedAlgorithm => (session ? `${hash}-sess` : hash)

/** In constant time for equal lengths; the length of a digest is no secret. */
function sameHex(expected: string, given: string): boolean {
  const a = Buffer.from(expected)
  const b = Buffer.from(given)
  return a.length === b.length && timingSafeEqual(a, b)
}

/**
 * Departs from RFC 3261 §22.4, which wants the `uri` equal to the Request-URI: proxies on the way change the host and phones
 * drop ports and parameters. That the called user is the one that was signed is what protects a call. Some sign the
 * server alone, without a user (SIPp, gateways): that says nothing about who is called, and the nonce count keeps it
 * from being used for a second call.
 */
function sameUser(uri: string, requestUri: string): boolean {
  if (uri === requestUri) return true
  const signed = parseUri(uri)
  if (!signed) return false
  return signed.user === undefined || signed.user === parseUri(requestUri)?.user
}
