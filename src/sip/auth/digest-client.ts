/**
 * Digest authentication, client side: the answer to a 401 or 407. RFC 7616, RFC 8760.
 */
import { randomHex } from '../../core/random.ts'
import { isToken, quote } from '../message/scan.ts'
import {
  type Algorithm,
  type DigestHash,
  ha1Of,
  parseAlgorithm,
  parseDigest,
  responseOf,
  userhashOf,
} from './digest-text.ts'

export interface ChallengeAnswer {
  /** Values of WWW-Authenticate or Proxy-Authenticate, one line each. */
  readonly challenges: readonly string[]
  readonly method: string
  /** The Request-URI as written. */
  readonly uri: string
  readonly credentials: { readonly username: string; readonly password: string }
  /** 1 for the first request with this nonce, then counting up. */
  readonly nonceCount: number
  readonly body?: Uint8Array
  /** Random unless given. */
  readonly cnonce?: string
}

/** RFC 8760 §2.4: the first of these that is offered. */
const strongestFirst: readonly DigestHash[] = ['SHA-512-256', 'SHA-256', 'MD5']

/** A challenge that we can answer. */
export interface Challenge {
  readonly params: ReadonlyMap<string, string>
  readonly algorithm: Algorithm
  readonly qop: 'auth' | 'auth-int' | undefined
}

/** The value of Authorization or Proxy-Authorization; undefined when no challenge is one we can answer. */
export function answerChallenge(question: ChallengeAnswer): string | undefined {
  const chosen = chooseChallenge(question.challenges)
  return chosen && writeAnswer(chosen, question)
}

/** The strongest of those that we understand; of equals the first. */
export function chooseChallenge(
  challenges: readonly string[],
  wanted: (challenge: Challenge) => boolean = () => true,
): Challenge | undefined {
  const readable = challenges.map(readChallenge).filter((challenge) => challenge !== undefined && wanted(challenge))
  const [chosen] = strongestFirst.flatMap((hash) => readable.filter((one) => one?.algorithm.hash === hash))
  return chosen
}

function readChallenge(text: string): Challenge | undefined {
  const params = parseDigest(text)
  const algorithm = parseAlgorithm(params?.get('algorithm'))
  if (!params?.has('nonce') || !params.has('realm') || !algorithm) return undefined
  const offered =
    params
      .get('qop')
      ?.toLowerCase()
      .split(/[\s,]+/) ?? []
  const qop = (['auth', 'auth-int'] as const).find((name) => offered.includes(name))
  // Only qop values that we do not know: nothing can be answered.
  return params.has('qop') && !qop ? undefined : { params, algorithm, qop }
}

export function writeAnswer(challenge: Challenge, question: Omit<ChallengeAnswer, 'challenges'>): string {
  const { params, algorithm, qop } = challenge
  const { username, password } = question.credentials
  const realm = params.get('realm') ?? ''
  const nonce = params.get('nonce') ?? ''
  const nc = question.nonceCount.toString(16).padStart(8, '0')
  const cnonce = question.cnonce ?? randomHex(16)
  const ha1 = ha1Of(algorithm.hash, username, realm, password)
  const { method, uri, body } = question
  const response = responseOf({ algorithm, ha1, nonce, method, uri, qop, nc, cnonce, body })
  // RFC 7616 §3.4.4: whoever listens on the way learns no user name.
  const hidden = params.get('userhash')?.toLowerCase() === 'true'
  const parts = [
    `username=${quote(hidden ? userhashOf(algorithm.hash, username, realm) : username)}`,
    `realm=${quote(realm)}`,
    `nonce=${quote(nonce)}`,
    `uri=${quote(uri)}`,
    `response="${response}"`,
  ]
  const algorithmText = params.get('algorithm')
  if (algorithmText !== undefined && isToken(algorithmText)) parts.push(`algorithm=${algorithmText}`)
  if (qop) parts.push(`qop=${qop}`, `nc=${nc}`)
  if (qop || algorithm.session) parts.push(`cnonce=${quote(cnonce)}`)
  const opaque = params.get('opaque')
  if (opaque !== undefined) parts.push(`opaque=${quote(opaque)}`)
  if (hidden) parts.push('userhash=true')
  return `Digest ${parts.join(', ')}`
}
