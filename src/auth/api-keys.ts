/** API keys: `pb_` and 256 random bits, shown once, kept as a hash. */
import type { Clock } from '../core/clock.ts'
import { newId } from '../core/random.ts'
import { AuthError } from './failures.ts'
import { hashSecret, newSecret } from './secrets.ts'
import type { ApiKey, ApiKeyStore, Role } from './stores.ts'

/** The last use is noted at most so often, so that a busy key does not write with each request. */
const touchEveryMs = 60_000

export interface CreatedApiKey {
  readonly apiKey: ApiKey
  /** The key itself, to be shown once. */
  readonly key: string
}

export async function createApiKey(
  store: ApiKeyStore,
  { name, role }: { readonly name: string; readonly role: Role },
  clock: Clock,
): Promise<CreatedApiKey> {
  const key = `pb_${newSecret()}`
  const apiKey = { id: newId(), name, hash: hashSecret(key), role, createdAtMs: clock.wallMs() }
  await store.add(apiKey)
  return { apiKey, key }
}

export class ApiKeys {
  readonly #store: ApiKeyStore
  readonly #clock: Clock

  constructor({ store, clock }: { readonly store: ApiKeyStore; readonly clock: Clock }) {
    this.#store = store
    this.#clock = clock
  }

  create(name: string, role: Role): Promise<CreatedApiKey> {
    return createApiKey(this.#store, { name, role }, this.#clock)
  }

  /** Whose key this is; undefined when it is none of ours. */
  async find(key: string): Promise<ApiKey | undefined> {
    const found = await this.#store.byHash(hashSecret(key))
    const nowMs = this.#clock.wallMs()
    if (found && nowMs - (found.lastUsedAtMs ?? 0) >= touchEveryMs) await this.#store.touch(found.id, nowMs)
    return found
  }

  list(): Promise<readonly ApiKey[]> {
    return this.#store.list()
  }

  /** @throws {AuthError} `auth.key-not-found` */
  async remove(id: string): Promise<void> {
    if (!(await this.#store.remove(id))) throw new AuthError('auth.key-not-found')
  }
}
