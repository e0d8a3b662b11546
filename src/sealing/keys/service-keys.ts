/**
 * Master keys that a key service keeps (AWS KMS, Google Cloud KMS, Azure Key Vault): they never leave it. A key between is
 * made here, wrapped there, held in memory, and told in each file as the service wrapped it; so a call never waits for the
 * service, which is asked once a start and once a KEY_ROTATION_INTERVAL, and for each key between that is read again.
 *
 *   key-ring.ts  ── current, find ─▶  here  ── wrap, unwrap ─▶  aws-kms.ts, gcp-kms.ts, azure-key-vault.ts
 */
import { randomBytes } from 'node:crypto'
import type { Clock } from '../../core/clock.ts'
import { dataKeyBytes } from '../container/layout.ts'
import { SealingError } from '../failures.ts'
import type { MasterKey, MasterKeyFact, MasterKeys } from './master-keys.ts'

/** A key service: of equal shape, and of one contract (service-keys.test.ts). */
export interface KeyService {
  /** `aws-kms`, `gcp-kms`, `azure-key-vault`. */
  readonly kind: string
  /** Encrypt 32 bytes with the key of this name. @throws when the service refuses or is away. */
  wrap(keyName: string, key: Uint8Array): Promise<Uint8Array>
  unwrap(keyName: string, wrapped: Uint8Array): Promise<Uint8Array>
}

/** Keys between that are remembered: a server that reads old recordings asks for each once. */
const mostRemembered = 1000

export class ServiceKeys implements MasterKeys {
  readonly kind: string
  readonly #service: KeyService
  /** Undefined: only for reading. */
  readonly #keyName: string | undefined
  readonly #clock: Clock
  readonly #remembered = new Map<string, MasterKey>()
  #current: { readonly key: MasterKey; readonly madeAtMs: number } | undefined

  constructor(service: KeyService, keyName: string | undefined, clock: Clock) {
    this.kind = service.kind
    this.#service = service
    this.#keyName = keyName
    this.#clock = clock
  }

  async current(): Promise<MasterKey> {
    return this.#current?.key ?? this.rotate()
  }

  async rotate(): Promise<MasterKey> {
    const name = this.#keyName
    if (name === undefined) throw new SealingError('sealing.key-missing', 'MASTER_KEY_ID is not set')
    const key = randomBytes(dataKeyBytes)
    const wrapped = await this.#ask(() => this.#service.wrap(name, key))
    const made = { id: `${this.kind}:${name}`, key, via: Buffer.from(wrapped).toString('base64') }
    this.#current = { key: made, madeAtMs: this.#clock.wallMs() }
    this.#remember(made)
    return made
  }

  async find(id: string, via?: string): Promise<MasterKey> {
    const name = id.slice(this.kind.length + 1)
    if (via === undefined || name === '') throw new SealingError('sealing.key-missing', id)
    const known = this.#remembered.get(`${id} ${via}`)
    if (known) return known
    const key = await this.#ask(() => this.#service.unwrap(name, Buffer.from(via, 'base64')))
    if (key.length !== dataKeyBytes) throw new SealingError('sealing.key-refused', id)
    const found = { id, key, via }
    this.#remember(found)
    return found
  }

  async list(): Promise<readonly MasterKeyFact[]> {
    const made = this.#current
    if (made) return [{ id: made.key.id, madeAtMs: made.madeAtMs, current: true }]
    return this.#keyName === undefined ? [] : [{ id: `${this.kind}:${this.#keyName}`, current: true }]
  }

  #remember(key: MasterKey): void {
    const [oldest] = this.#remembered.keys()
    if (oldest !== undefined && this.#remembered.size >= mostRemembered) this.#remembered.delete(oldest)
    this.#remembered.set(`${key.id} ${key.via}`, key)
  }

  async #ask<Result>(request: () => Promise<Result>): Promise<Result> {
    try {
      return await request()
    } catch (cause) {
      throw new SealingError('sealing.key-service', `${this.kind}: ${firstLine(cause)}`, { cause })
    }
  }
}

const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0]?.slice(0, 200) ?? ''
