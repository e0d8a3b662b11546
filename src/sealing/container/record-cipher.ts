/**
 * One record encrypted or opened. What goes beside the text (AAD) is the tag of the record before and the record's head:
 * so the tag of each one vouches for all before it.
 *
 *   key    = HKDF-SHA-256(data key, salt, "patchbay sealed file 1" | SHA-256(head), 32)       RFC 5869
 *   nonce  = the record's number, 12 bytes
 *   AAD    = tag before, 16 bytes | head of the record, 20 bytes        (of `resume` also its body, a salt of 32 bytes)
 *
 * Before the first record stands, in place of a tag, the beginning of SHA-256(head). A `resume` brings the salt of another
 * key, for a file that a crash cut off may have held records that are gone: no number is used twice with one key.
 * AES-256-GCM: NIST SP 800-38D; ChaCha20-Poly1305: RFC 8439.
 */
import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'
import {
  type CipherName,
  hashOf,
  type RecordHead,
  type RecordType,
  recordHeadBytes,
  tagBytes,
  writeRecordHead,
} from './layout.ts'

const purpose = Buffer.from('patchbay sealed file 1', 'latin1')

/** The key of records, of one file or of its part behind a `resume`. @param head The first 512 bytes. */
export function recordKey(dataKey: Uint8Array, salt: Uint8Array, head: Uint8Array): Buffer {
  return Buffer.from(hkdfSync('sha256', dataKey, salt, Buffer.concat([purpose, hashOf(head)]), 32))
}

/** Stands before the first record. */
export const tagBeforeAll = (head: Uint8Array): Buffer => hashOf(head).subarray(0, tagBytes)

const noText = Buffer.alloc(0)
const options = { authTagLength: tagBytes }

const encryptor = (cipher: CipherName, key: Uint8Array, nonce: Uint8Array) =>
  cipher === 'AES-256-GCM'
    ? createCipheriv('aes-256-gcm', key, nonce, options)
    : createCipheriv('chacha20-poly1305', key, nonce, options)

const decryptor = (cipher: CipherName, key: Uint8Array, nonce: Uint8Array) =>
  cipher === 'AES-256-GCM'
    ? createDecipheriv('aes-256-gcm', key, nonce, options)
    : createDecipheriv('chacha20-poly1305', key, nonce, options)

const nonceOf = (number: number): Buffer => {
  const nonce = Buffer.alloc(12)
  nonce.writeUInt32LE(number)
  return nonce
}

export interface RecordCipherOptions {
  readonly cipher: CipherName
  /** The next record's. */
  readonly number: number
  readonly before: Uint8Array
}

/** Makes the records of a file, one after the other. */
export class RecordCipher {
  readonly #cipher: CipherName
  #key: Buffer
  #number: number
  /** The tag before, then the head of the record. */
  readonly #aad = Buffer.alloc(tagBytes + recordHeadBytes)

  constructor({ cipher, number, before }: RecordCipherOptions, key: Buffer) {
    this.#cipher = cipher
    this.#key = key
    this.#number = number
    this.#aad.set(before)
  }

  /** The bytes to append. @param text Of a `data` record; it is copied. */
  seal(type: 'data' | 'end', position: number, text: Uint8Array = noText): Buffer {
    return this.#seal(type, position, text, noText)
  }

  /** The record with which a further writing begins, and from it on another key. @param key Derived with that salt. */
  resume(salt: Uint8Array, key: Buffer): Buffer {
    this.#key = key
    return this.#seal('resume', 0, noText, salt)
  }

  #seal(type: RecordType, position: number, text: Uint8Array, open: Uint8Array): Buffer {
    const length = text.length + open.length
    const record = Buffer.allocUnsafe(recordHeadBytes + length + tagBytes)
    const head = { type, number: this.#number, position, length }
    writeRecordHead(this.#aad, tagBytes, head)
    this.#aad.copy(record, 0, tagBytes)
    const cipher = encryptor(this.#cipher, this.#key, nonceOf(this.#number))
    cipher.setAAD(open.length > 0 ? Buffer.concat([this.#aad, open]) : this.#aad, { plaintextLength: text.length })
    if (text.length > 0) record.set(cipher.update(text), recordHeadBytes)
    record.set(open, recordHeadBytes)
    cipher.final()
    const tag = cipher.getAuthTag()
    record.set(tag, recordHeadBytes + length)
    this.#aad.set(tag)
    this.#number++
    return record
  }
}

/**
 * The body of a record, in the clear.
 * @param bytes From the tag of the record before it to its own tag.
 * @returns undefined when the tag does not fit.
 */
export function openRecord(
  cipher: CipherName,
  key: Uint8Array,
  { type, number, length }: RecordHead,
  bytes: Uint8Array,
): Buffer | undefined {
  const bodyAt = tagBytes + recordHeadBytes
  const body = bytes.subarray(bodyAt, bodyAt + length)
  const decipher = decryptor(cipher, key, nonceOf(number))
  decipher.setAuthTag(bytes.subarray(bodyAt + length, bodyAt + length + tagBytes))
  const open = type === 'resume'
  decipher.setAAD(bytes.subarray(0, open ? bodyAt + length : bodyAt), { plaintextLength: open ? 0 : length })
  const text = open ? Buffer.from(body) : decipher.update(body)
  try {
    decipher.final()
    return text
  } catch {
    return undefined
  }
}
