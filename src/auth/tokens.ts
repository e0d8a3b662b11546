/**
 * Tokens of programs: JWT signed with one secret (HS256, RFC 7519), which say who and in which role, for a time.
 *
 * Those made here name a user by id, and hold as long as that user is there, in the role it has. Others that were signed
 * with the same secret are believed for the role they name: an identity service that shares it. They must expire.
 */
import { randomBytes } from 'node:crypto'
import { errors, jwtVerify, SignJWT } from 'jose'
import type { Clock } from '../core/clock.ts'
import { isRole, type Role, type User, type UserStore } from './stores.ts'

export interface TokensOptions {
  readonly users: Pick<UserStore, 'byId'>
  readonly clock: Clock
  /** At least 32 characters; one that ends with the process when left out. */
  readonly secret?: string | undefined
  readonly issuer: string
  readonly lifeMs: number
}

export interface IssuedToken {
  readonly token: string
  readonly expiresAtMs: number
}

export interface TokenHolder {
  readonly name: string
  readonly role: Role
}

const algorithm = 'HS256'

export class Tokens {
  readonly #options: TokensOptions
  readonly #key: Uint8Array

  constructor(options: TokensOptions) {
    this.#options = options
    this.#key = options.secret ? Buffer.from(options.secret, 'utf8') : randomBytes(32)
  }

  async issue({ id, name, role }: User): Promise<IssuedToken> {
    const { clock, issuer, lifeMs } = this.#options
    const nowS = Math.floor(clock.wallMs() / 1_000)
    const expiresAtS = nowS + Math.floor(lifeMs / 1_000)
    const token = await new SignJWT({ username: name, role, uid: id })
      .setProtectedHeader({ alg: algorithm, typ: 'JWT' })
      .setSubject(name)
      .setIssuer(issuer)
      .setIssuedAt(nowS)
      .setExpirationTime(expiresAtS)
      .sign(this.#key)
    return { token, expiresAtMs: expiresAtS * 1_000 }
  }

  /** Who holds it; undefined when it is none of ours, too old, or its user is gone. */
  async holderOf(token: string): Promise<TokenHolder | undefined> {
    const claims = await this.#read(token)
    if (!claims) return undefined
    const { uid, username, sub, role, roles } = claims
    if (typeof uid === 'string') {
      const user = await this.#options.users.byId(uid)
      return user && { name: user.name, role: user.role }
    }
    const named = [role, ...(Array.isArray(roles) ? (roles as unknown[]) : [])].find(isRole)
    const name = [username, sub].find((one) => typeof one === 'string')
    return named && name ? { name, role: named } : undefined
  }

  async #read(token: string): Promise<Record<string, unknown> | undefined> {
    const { clock, issuer } = this.#options
    try {
      const { payload } = await jwtVerify(token, this.#key, {
        algorithms: [algorithm],
        issuer,
        requiredClaims: ['exp'],
        currentDate: new Date(clock.wallMs()),
      })
      return payload
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined
      throw error
    }
  }
}

/** Three parts of base64url; API keys have no dot. */
export const looksLikeToken = (key: string): boolean => /^[\w-]+\.[\w-]+\.[\w-]+$/.test(key)
