/**
 * The master key that the environment gives (SIPREC_MASTER_KEY), and former ones for reading. Its id is the beginning of its
 * hash, so the right one is found among several. Who changes it gives the former one beside it, and wraps anew
 * (`patchbay recording keys rewrap`).
 */
import { createHash } from 'node:crypto'
import { dataKeyBytes } from '../container/layout.ts'
import { SealingError } from '../failures.ts'
import type { MasterKey, MasterKeyFact, MasterKeys } from './master-keys.ts'

export class EnvironmentKeys implements MasterKeys {
  readonly kind = 'env'
  readonly #keys: readonly MasterKey[]

  /** @param keys The one in force first; 32 bytes each, in hex or base64. @throws {SealingError} `sealing.key-refused` */
  constructor(keys: readonly string[]) {
    this.#keys = keys.map(read)
  }

  async current(): Promise<MasterKey> {
    const [first] = this.#keys
    if (!first) throw new SealingError('sealing.key-missing', 'SIPREC_MASTER_KEY is not set')
    return first
  }

  rotate(): Promise<MasterKey> {
    return Promise.reject(
      new SealingError(
        'sealing.no-rotation',
        'set another SIPREC_MASTER_KEY, the former one in SIPREC_FORMER_MASTER_KEYS',
      ),
    )
  }

  async find(id: string): Promise<MasterKey> {
    const found = this.#keys.find((key) => key.id === id)
    if (!found) throw new SealingError('sealing.key-missing', id)
    return found
  }

  async list(): Promise<readonly MasterKeyFact[]> {
    return this.#keys.map(({ id }, index) => ({ id, current: index === 0 }))
  }
}

/** A key of 32 bytes, written in hex or base64, or as it is. @throws {SealingError} `sealing.key-refused` */
export function readKeyText(text: string | Buffer): Buffer {
  if (Buffer.isBuffer(text) && text.length === dataKeyBytes) return text
  const written = text.toString('latin1').trim()
  const key = Buffer.from(written, /^[0-9a-f]{64}$/i.test(written) ? 'hex' : 'base64')
  if (key.length !== dataKeyBytes)
    throw new SealingError('sealing.key-refused', 'a key (SIPREC_MASTER_KEY) must be 32 bytes in base64 or hex')
  return key
}

function read(text: string): MasterKey {
  const key = readKeyText(text)
  return {
    id: `env:${createHash('sha256').update('patchbay master key id').update(key).digest('hex').slice(0, 16)}`,
    key,
  }
}
