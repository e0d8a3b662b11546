/**
 * Running sessions in Redis, sealed: one hash, a field a session, written in one transaction.
 *
 * The client library is loaded when it is asked for. While Redis is away writing fails at once, and the keeper tries
 * again; the library reconnects by itself.
 */
import type { Logger } from '../../core/logger.ts'
import { SiprecError } from '../failures.ts'
import type { KeptSession, SessionChange, SessionStore } from './store.ts'

export interface RedisOptions {
  /** `host:port`, or a URL: `redis://…`, `rediss://…` for TLS. */
  readonly address: string
  readonly password: string
  readonly database: number
  /** Name of the hash. */
  readonly key?: string
}

const usualKey = 'patchbay:siprec:sessions'
const connectMs = 5_000

type Client = Awaited<ReturnType<typeof connect>>

export class RedisSessions implements SessionStore {
  readonly #client: Client
  readonly #key: string
  #closed = false

  private constructor(client: Client, key: string) {
    this.#client = client
    this.#key = key
  }

  /** @throws {SiprecError} `siprec.redis-missing` when the client library is not installed. */
  static async open(options: RedisOptions, log: Logger): Promise<RedisSessions> {
    return new RedisSessions(await connect(options, log), options.key ?? usualKey)
  }

  async write(changes: readonly SessionChange[]): Promise<void> {
    // While a connection is being made a transaction would wait in it.
    if (!this.#client.isReady) throw new SiprecError('siprec.redis-away')
    const transaction = this.#client.multi()
    for (const { id, sealed } of changes) {
      if (sealed) transaction.hSet(this.#key, id, Buffer.from(sealed).toString('base64'))
      else transaction.hDel(this.#key, id)
    }
    await transaction.exec()
  }

  async all(): Promise<readonly KeptSession[]> {
    const kept = await this.#client.hGetAll(this.#key)
    return Object.entries(kept).map(([id, sealed]) => ({ id, sealed: Buffer.from(sealed, 'base64') }))
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    if (this.#client.isReady) await this.#client.close()
    else this.#client.destroy()
  }
}

async function connect({ address, password, database }: RedisOptions, log: Logger) {
  const { createClient } = await import('@redis/client').catch((error: unknown) => {
    throw new SiprecError('siprec.redis-missing', { cause: error })
  })
  const client = createClient({
    url: address.includes('://') ? address : `redis://${address}`,
    database,
    disableOfflineQueue: true,
    socket: { connectTimeout: connectMs, reconnectStrategy: (tries) => Math.min(100 * 2 ** tries, connectMs) },
    ...(password !== '' && { password }),
  })
  let away = false
  client.on('error', (error: unknown) => {
    if (!away) log.error('Redis cannot be reached', { error: String(error) })
    away = true
  })
  client.on('ready', () => {
    away = false
  })
  // A Redis that is away is waited for once: it may be on its way up as we are.
  const connecting = client.connect().catch(() => undefined)
  const timeout = new Promise((resolve) => setTimeout(resolve, connectMs).unref())
  await Promise.race([connecting, timeout])
  return client
}
