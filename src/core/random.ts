/** Everything that must be unguessable or unique comes from here, and from node:crypto. */
import { randomFillSync, randomInt } from 'node:crypto'

/** Random bytes drawn ahead, because asking for 16 costs as much as asking for thousands. Each is given out once. */
const pool = Buffer.alloc(8_192)
let given = pool.length

function draw(bytes: number, encoding: 'hex' | 'base64url'): string {
  if (bytes > pool.length) throw new RangeError(`${bytes} random bytes at once`)
  if (given + bytes > pool.length) {
    randomFillSync(pool)
    given = 0
  }
  const from = given
  given += bytes
  const text = pool.toString(encoding, from, given)
  pool.fill(0, from, given)
  return text
}

/** `bytes` random bytes in lower-case hex; at most 8,192. */
export const randomHex = (bytes: number): string => draw(bytes, 'hex')

/** An id for a call, a leg, a recording: 16 random bytes in base64url, 22 characters, safe in file names and URLs. */
export const newId = (): string => draw(16, 'base64url')

/** A random integer of 32 bits, for SSRCs and timestamps (RFC 3550 §5.1, §8). */
export const randomUint32 = (): number => randomInt(0, 2 ** 32)

/** A random integer of 16 bits, for first sequence numbers (RFC 3550 §5.1). */
export const randomUint16 = (): number => randomInt(0, 2 ** 16)

const readable = 'abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789'

/** A password a person can copy from a screen: 20 characters without look-alikes, about 115 bits. */
export const newPassword = (length = 20): string =>
  Array.from({ length }, () => readable[randomInt(readable.length)]).join('')
