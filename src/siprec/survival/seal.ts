/**
 * Sessions sealed for their store: they hold SRTP keys, addresses and names, and a database or a Redis that others can
 * read is no place for them. AES-256-GCM with a key of this installation; the id of the session is authenticated with it,
 * so that one cannot be put in the place of another.
 *
 *   12 bytes nonce | 16 bytes tag | ciphertext
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'

const algorithm = 'aes-256-gcm'
const keyBytes = 32
const nonceBytes = 12
const tagBytes = 16

export class Seal {
  readonly #key: Uint8Array

  /** @throws {RangeError} when the key has not 32 bytes. */
  constructor(key: Uint8Array) {
    if (key.length !== keyBytes) throw new RangeError(`a key of ${keyBytes} bytes is needed`)
    this.#key = key
  }

  seal(id: string, text: string): Uint8Array {
    const nonce = randomBytes(nonceBytes)
    const cipher = createCipheriv(algorithm, this.#key, nonce).setAAD(Buffer.from(id))
    const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
    return Buffer.concat([nonce, cipher.getAuthTag(), sealed])
  }

  /** Undefined for what was sealed with another key, or changed since. */
  open(id: string, bytes: Uint8Array): string | undefined {
    if (bytes.length < nonceBytes + tagBytes) return undefined
    try {
      const decipher = createDecipheriv(algorithm, this.#key, bytes.subarray(0, nonceBytes))
      decipher.setAAD(Buffer.from(id)).setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes))
      const opened = decipher.update(bytes.subarray(nonceBytes + tagBytes))
      return Buffer.concat([opened, decipher.final()]).toString('utf8')
    } catch {
      return undefined
    }
  }
}

/** The key in that file, made at the first start, for its owner alone. */
export function keyFrom(path: string): Uint8Array {
  try {
    const key = readFileSync(path)
    if (key.length === keyBytes) return key
    throw new RangeError(`${path} holds no key of ${keyBytes} bytes`)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    const key = randomBytes(keyBytes)
    writeFileSync(path, key, { mode: 0o600, flag: 'wx' })
    chmodSync(path, 0o600)
    return key
  }
}
