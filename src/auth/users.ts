/** Making users. Names are kept in lower case: nobody remembers how they wrote theirs. */
import type { Clock } from '../core/clock.ts'
import { newId, newPassword } from '../core/random.ts'
import { hashPassword } from './password.ts'
import type { Role, User, UserStore } from './stores.ts'

export interface NewUser {
  readonly name: string
  readonly role: Role
  /** Left out: one is generated. */
  readonly password?: string
}

export interface AddedUser {
  readonly user: User
  /** Only when it was generated: to be shown once. */
  readonly password?: string
}

export const userName = (typed: string): string => typed.trim().toLowerCase()

/** @throws {AuthError} `auth.user-exists` */
export async function addUser(users: UserStore, wanted: NewUser, clock: Clock): Promise<AddedUser> {
  const password = wanted.password ?? newPassword()
  const user = {
    id: newId(),
    name: userName(wanted.name),
    passwordHash: await hashPassword(password),
    role: wanted.role,
    createdAtMs: clock.wallMs(),
  }
  await users.add(user)
  return wanted.password === undefined ? { user, password } : { user }
}

export interface EnsureAdminOptions {
  readonly users: UserStore
  readonly clock: Clock
  /** What the person who installs wants it to be. Used only when the administrator is made. */
  readonly password?: string
  /** `admin` when left out. */
  readonly name?: string
}

/**
 * Make an administrator when nobody may administer yet.
 * @returns The password that was generated, to be printed once; undefined when there was nothing to generate.
 */
export async function ensureAdmin({
  users,
  clock,
  password,
  name: wanted = 'admin',
}: EnsureAdminOptions): Promise<string | undefined> {
  const everyone = await users.list()
  if (everyone.some(({ role, name }) => role === 'admin' || name === userName(wanted))) return undefined
  const added = await addUser(users, { name: wanted, role: 'admin', ...(password && { password }) }, clock)
  return added.password
}
