/**
 * Reads encrypted recordings of loreste/siprec (`.siprec`), written from a description of their form:
 *
 *   uint32 length | JSON { magic: "SIPREC01" as 8 numbers, version: 1, algorithm, key_id, … }, then chunk after chunk
 *   uint32 length | JSON { nonce, salt?, ciphertext, tag? }, bytes in base64                      numbers little-endian
 *
 * Such a file does not tell the order of its chunks, nor where it ends: what was dropped, doubled or cut off there is
 * not seen here either. Each chunk is checked by its own tag.
 */
import { createDecipheriv, pbkdf2Sync } from 'node:crypto'
import { z } from 'zod'
import { SealingError } from './failures.ts'

const headerSchema = z.looseObject({
  magic: z.union([z.array(z.number()), z.string()]),
  version: z.literal(1),
  algorithm: z.string().optional(),
  key_id: z.string().optional(),
})

const chunkSchema = z.looseObject({
  algorithm: z.string().optional(),
  nonce: z.base64(),
  salt: z.base64().nullish(),
  ciphertext: z.base64(),
  tag: z.base64().nullish(),
})
type Chunk = z.infer<typeof chunkSchema>

/** A chunk holds 20 ms; a header little more. */
const maxJsonBytes = 1 << 24
const tagBytes = 16
/** Its defaults, where a chunk has a salt: KEY_DERIVATION_METHOD=PBKDF2, PBKDF2_ITERATIONS. */
const iterations = 100_000

const magicText = 'SIPREC01'

export interface SiprecFile {
  readonly keyId: string | undefined
  readonly algorithm: string | undefined
  readonly chunks: number
  /** What was encrypted, chunk after chunk. */
  readonly bytes: Buffer
}

/** Whether a file is one, by its first bytes. */
export const isSiprecFile = (bytes: Buffer): boolean => headerOf(bytes) !== undefined

/**
 * @param key 32 bytes: the key itself, or for chunks with a salt the secret that it is derived from.
 * @throws {SealingError} `sealing.not-sealed`, `sealing.damaged`, `sealing.key-refused` when not even the first chunk opens.
 */
export function readSiprecFile(bytes: Buffer, key: Buffer): SiprecFile {
  const header = headerOf(bytes)
  if (!header) throw new SealingError('sealing.not-sealed')
  const texts: Buffer[] = []
  const derived = new Map<string, Buffer>()
  for (let at = header.until; at < bytes.length; ) {
    const json = jsonAt(bytes, at)
    const chunk = json && chunkSchema.safeParse(json.value).data
    if (!chunk) throw new SealingError('sealing.damaged', `chunk ${texts.length}`)
    const text = openChunk(chunk, header.algorithm, key, derived)
    if (!text) {
      if (texts.length === 0) throw new SealingError('sealing.key-refused', header.keyId)
      throw new SealingError('sealing.damaged', `chunk ${texts.length}`)
    }
    texts.push(text)
    at = json.until
  }
  const { keyId, algorithm } = header
  return { keyId, algorithm, chunks: texts.length, bytes: Buffer.concat(texts) }
}

function headerOf(bytes: Buffer) {
  const json = jsonAt(bytes, 0)
  const header = json && headerSchema.safeParse(json.value).data
  if (!header) return undefined
  const { magic, algorithm, key_id: keyId } = header
  const told = typeof magic === 'string' ? magic : String.fromCharCode(...magic)
  return told === magicText ? { algorithm, keyId, until: json.until } : undefined
}

function jsonAt(bytes: Buffer, at: number): { value: unknown; until: number } | undefined {
  if (at + 4 > bytes.length) return undefined
  const until = at + 4 + bytes.readUInt32LE(at)
  if (until > bytes.length || until - at > maxJsonBytes) return undefined
  try {
    return { value: JSON.parse(bytes.toString('utf8', at + 4, until)), until }
  } catch {
    return undefined
  }
}

function openChunk(
  chunk: Chunk,
  algorithm: string | undefined,
  key: Buffer,
  derived: Map<string, Buffer>,
): Buffer | undefined {
  const nonce = Buffer.from(chunk.nonce, 'base64')
  const body = Buffer.from(chunk.ciphertext, 'base64')
  // The tag stands in a field of its own, or behind the text.
  const told = chunk.tag ? Buffer.from(chunk.tag, 'base64') : Buffer.alloc(0)
  const [text, tag] = told.length === tagBytes ? [body, told] : [body.subarray(0, -tagBytes), body.subarray(-tagBytes)]
  const chacha = /chacha/i.test(chunk.algorithm ?? algorithm ?? '')
  const keys = [key]
  if (chunk.salt) {
    const known = derived.get(chunk.salt)
    const made = known ?? pbkdf2Sync(key, Buffer.from(chunk.salt, 'base64'), iterations, 32, 'sha256')
    derived.set(chunk.salt, made)
    keys.push(made)
  }
  for (const each of keys) {
    const opened = decrypt(chacha, each, nonce, text, tag)
    if (opened) return opened
  }
  return undefined
}

function decrypt(chacha: boolean, key: Buffer, nonce: Buffer, text: Buffer, tag: Buffer): Buffer | undefined {
  try {
    const decipher = chacha
      ? createDecipheriv('chacha20-poly1305', key, nonce, { authTagLength: tagBytes })
      : createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes })
    decipher.setAuthTag(tag)
    return Buffer.concat([decipher.update(text), decipher.final()])
  } catch {
    return undefined
  }
}
