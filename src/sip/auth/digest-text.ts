/**
 * Digest authentication as text and arithmetic, for both sides. RFC 7616, in SIP RFC 3261 §22 and RFC 8760.
 */
import { hash } from 'node:crypto'
import { splitOutside, unquote } from '../message/scan.ts'

/** Hash by the name in `algorithm`, upper case. */
const hashes = { MD5: 'md5', 'SHA-256': 'sha256', 'SHA-512-256': 'sha512-256' } as const

export type DigestHash = keyof typeof hashes

export interface Algorithm {
  readonly hash: DigestHash
  /** `-sess`: HA1 is bound to the nonces (RFC 7616 §3.4.2). */
  readonly session: boolean
}

/** `SHA-256`, `md5-sess`; absent means MD5 (RFC 7616 §3.3). */
export function parseAlgorithm(text: string | undefined): Algorithm | undefined {
  const name = (text ?? 'MD5').toUpperCase()
  const session = name.endsWith('-SESS')
  const plain = session ? name.slice(0, -5) : name
  return plain in hashes ? { hash: plain as DigestHash, session } : undefined
}

/** Hex digest of the UTF-8 text or the bytes. */
export const digestOf = (name: DigestHash, data: string | Uint8Array): string => hash(hashes[name], data, 'hex')

/** HA1, the form in which a password is kept. */
export const ha1Of = (name: DigestHash, username: string, realm: string, password: string): string =>
  digestOf(name, `${username}:${realm}:${password}`)

/** The user name as who listens may see it, RFC 7616 §3.4.4. */
export const userhashOf = (name: DigestHash, username: string, realm: string): string =>
  digestOf(name, `${username}:${realm}`)

export interface ResponseInput {
  readonly algorithm: Algorithm
  /** H(username:realm:password), without nonces also for `-sess`. */
  readonly ha1: string
  readonly nonce: string
  readonly method: string
  /** The `uri` of the header, as written. */
  readonly uri: string
  /** Absent: the form of RFC 2069, without `nc` and `cnonce`. */
  readonly qop?: 'auth' | 'auth-int'
  readonly nc?: string
  readonly cnonce?: string
  /** For `auth-int`. */
  readonly body?: Uint8Array
}

/** RFC 7616 §3.4.1. */
export function responseOf(input: ResponseInput): string {
  const { algorithm, nonce, nc, cnonce, qop } = input
  const ha1 = algorithm.session ? digestOf(algorithm.hash, `${input.ha1}:${nonce}:${cnonce}`) : input.ha1
  const entity = qop === 'auth-int' ? `:${digestOf(algorithm.hash, input.body ?? '')}` : ''
  const ha2 = digestOf(algorithm.hash, `${input.method}:${input.uri}${entity}`)
  return digestOf(algorithm.hash, qop ? `${ha1}:${nonce}:${nc}:${cnonce}:${qop}:${ha2}` : `${ha1}:${nonce}:${ha2}`)
}

/** The parameters of a `Digest` challenge or answer, names in lower case; undefined for other schemes. */
export function parseDigest(text: string): ReadonlyMap<string, string> | undefined {
  const match = /^Digest[ \t]+(.*)$/is.exec(text.trim())
  if (!match?.[1]) return undefined
  const params = new Map<string, string>()
  for (const piece of splitOutside(match[1], ',')) {
    const equals = piece.indexOf('=')
    const name = piece.slice(0, Math.max(equals, 0)).trim().toLowerCase()
    const raw = piece.slice(equals + 1).trim()
    const value = raw.startsWith('"') ? unquote(raw) : raw
    if (name === '' || value === undefined || params.has(name)) return undefined
    params.set(name, value)
  }
  return params
}
