/**
 * Signing in with a name and a password, or with a one-time code.
 *
 *   api/ ── name, password, source ──▶  throttle ▸ password ▸ session ──▶ cookie
 *
 * A wrong name and a wrong password answer alike and take as long. Each refusal is told as `security.refused`.
 */
import type { Clock } from '../core/clock.ts'
import type { FactBus } from '../events/bus.ts'
import type { SignInCodes } from './codes.ts'
import { AuthError } from './failures.ts'
import { verifyPassword } from './password.ts'
import type { Sessions } from './sessions.ts'
import type { User, UserStore } from './stores.ts'
import { LoginThrottle } from './throttle.ts'
import { userName } from './users.ts'

export interface SignedIn {
  readonly user: User
  /** Value of the session cookie. */
  readonly cookie: string
}

export interface SignInOptions {
  readonly users: UserStore
  readonly sessions: Sessions
  readonly codes: SignInCodes
  readonly clock: Clock
  readonly bus: FactBus
}

/** Stands for the name when a code is typed; no user can be called so. */
const codeName = '(code)'
/** Passwords under examination; each takes about 0.2 s. Beyond, people are asked to come back. */
const maxWaiting = 50

export class SignIn {
  readonly #options: SignInOptions
  readonly #throttle: LoginThrottle
  #waiting = 0

  constructor(options: SignInOptions) {
    this.#options = options
    this.#throttle = new LoginThrottle(options.clock)
  }

  /**
   * @param source IP address of who asks.
   * @throws {AuthError} `auth.wrong-credentials`, `auth.throttled`
   */
  async withPassword(typedName: string, password: string, source: string): Promise<SignedIn> {
    return this.#welcome(await this.check(typedName, password, source))
  }

  /**
   * The same without a session: for who is given a token.
   * @throws {AuthError} `auth.wrong-credentials`, `auth.throttled`
   */
  async check(typedName: string, password: string, source: string): Promise<User> {
    const name = userName(typedName)
    this.#admit(source, name)
    const user = await this.#options.users.byName(name)
    if (!(await this.#verify(password, user)) || !user) return this.#refuse(source, 'auth.wrong-credentials')
    this.#throttle.succeeded(source, name)
    return user
  }

  /** @throws {AuthError} `auth.wrong-code`, `auth.throttled` */
  async withCode(code: string, source: string): Promise<SignedIn> {
    this.#admit(source, codeName)
    const userId = this.#options.codes.redeem(code)
    const user = userId === undefined ? undefined : await this.#options.users.byId(userId)
    if (!user) return this.#refuse(source, 'auth.wrong-code')
    this.#throttle.succeeded(source, codeName)
    return this.#welcome(user)
  }

  #admit(source: string, name: string): void {
    const retryAfterSeconds = this.#waiting >= maxWaiting ? 1 : this.#throttle.attempt(source, name)
    if (retryAfterSeconds === 0) return
    this.#tell(source, 'auth.throttled')
    throw new AuthError('auth.throttled', { retryAfterSeconds })
  }

  async #verify(password: string, user: User | undefined): Promise<boolean> {
    this.#waiting += 1
    try {
      return await verifyPassword(password, user?.passwordHash)
    } finally {
      this.#waiting -= 1
    }
  }

  async #welcome(user: User): Promise<SignedIn> {
    return { user, cookie: await this.#options.sessions.start(user) }
  }

  #refuse(source: string, code: 'auth.wrong-credentials' | 'auth.wrong-code'): never {
    this.#tell(source, code)
    throw new AuthError(code)
  }

  #tell(source: string, why: string): void {
    const { bus, clock } = this.#options
    bus.publish({ name: 'security.refused', atMs: clock.wallMs(), what: 'login', source, why })
  }
}
