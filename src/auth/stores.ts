/** People and API keys. Declared here, kept by database/. */

/** What each may besides what those before it may: read; pause recordings and see settings; change everything. */
export const roles = ['viewer', 'operator', 'admin'] as const
export type Role = (typeof roles)[number]

export const isRole = (given: unknown): given is Role => roles.some((role) => role === given)
export const mayActAs = (own: Role, needed: Role): boolean => roles.indexOf(own) >= roles.indexOf(needed)

export interface User {
  readonly id: string
  readonly name: string
  /** scrypt, in the form `auth/password.ts` writes. */
  readonly passwordHash: string
  readonly role: Role
  readonly createdAtMs: number
}

export interface UserStore {
  byName(name: string): Promise<User | undefined>
  byId(id: string): Promise<User | undefined>
  /** @throws {AuthError} `auth.user-exists` */
  add(user: User): Promise<void>
  list(): Promise<readonly User[]>
}

export interface ApiKey {
  readonly id: string
  readonly name: string
  /** SHA-256 of the key in hex: keys are long and random, so a slow hash gains nothing. */
  readonly hash: string
  readonly role: Role
  readonly createdAtMs: number
  readonly lastUsedAtMs?: number
}

export interface ApiKeyStore {
  byHash(hash: string): Promise<ApiKey | undefined>
  add(key: ApiKey): Promise<void>
  remove(id: string): Promise<boolean>
  list(): Promise<readonly ApiKey[]>
  touch(id: string, atMs: number): Promise<void>
}

export interface Session {
  /** SHA-256 of the cookie's value. */
  readonly hash: string
  readonly userId: string
  readonly expiresAtMs: number
}

export interface SessionStore {
  byHash(hash: string): Promise<Session | undefined>
  add(session: Session): Promise<void>
  /** Move the end of a session that is in use. */
  extend(hash: string, expiresAtMs: number): Promise<void>
  remove(hash: string): Promise<void>
  removeExpired(nowMs: number): Promise<void>
}
