/** Everything that must be unguessable or unique comes from here, and from node:crypto. */
import { randomBytes, randomInt } from 'node:crypto'

/** `bytes` random bytes in lower-case hex. */
export const randomHex = (bytes: number): string => randomBytes(bytes).toString('hex')

/** An id for a call, a leg, a recording: 16 random bytes in base64url, 22 characters, safe in file names and URLs. */
export const newId = (): string => randomBytes(16).toString('base64url')

/** A random integer of 32 bits, for SSRCs and timestamps (RFC 3550 §5.1, §8). */
export const randomUint32 = (): number => randomInt(0, 2 ** 32)

/** A random integer of 16 bits, for first sequence numbers (RFC 3550 §5.1). */
export const randomUint16 = (): number => randomInt(0, 2 ** 16)

const readable = 'abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789'

/** A password a person can copy from a screen: 20 characters without look-alikes, about 115 bits. */
export const newPassword = (length = 20): string =>
  Array.from({ length }, () => readable[randomInt(readable.length)]).join('')
