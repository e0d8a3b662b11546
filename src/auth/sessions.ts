/** Console sessions: a random cookie, of which only the hash is kept, good for twelve hours after its last use. */
import type { Clock } from '../core/clock.ts'
import { hashSecret, newSecret } from './secrets.ts'
import type { SessionStore, User, UserStore } from './stores.ts'

export const sessionMs = 12 * 60 * 60_000
/** A session in use is moved on at most so often, so that reading a page does not write. */
const extendEveryMs = 10 * 60_000

export interface SessionsOptions {
  readonly store: SessionStore
  readonly users: UserStore
  readonly clock: Clock
}

export class Sessions {
  readonly #store: SessionStore
  readonly #users: UserStore
  readonly #clock: Clock

  constructor({ store, users, clock }: SessionsOptions) {
    this.#store = store
    this.#users = users
    this.#clock = clock
  }

  /** @returns The cookie's value; it cannot be had again. */
  async start(user: User): Promise<string> {
    const secret = newSecret()
    const nowMs = this.#clock.wallMs()
    await this.#store.removeExpired(nowMs)
    await this.#store.add({ hash: hashSecret(secret), userId: user.id, expiresAtMs: nowMs + sessionMs })
    return secret
  }

  /** Whose cookie this is; undefined when it is unknown or too old. */
  async userOf(secret: string): Promise<User | undefined> {
    const session = await this.#store.byHash(hashSecret(secret))
    const nowMs = this.#clock.wallMs()
    if (!session || session.expiresAtMs <= nowMs) return undefined
    if (session.expiresAtMs - nowMs < sessionMs - extendEveryMs) {
      await this.#store.extend(session.hash, nowMs + sessionMs)
    }
    return this.#users.byId(session.userId)
  }

  /** Whether the session still lives; asking is no use of it. */
  async lives(secret: string): Promise<boolean> {
    const session = await this.#store.byHash(hashSecret(secret))
    return session !== undefined && session.expiresAtMs > this.#clock.wallMs()
  }

  end(secret: string): Promise<void> {
    return this.#store.remove(hashSecret(secret))
  }
}
