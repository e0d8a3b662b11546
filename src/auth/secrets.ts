/** Random values that let somebody in, and the hash under which they are kept. */
import { createHash, randomBytes, randomInt } from 'node:crypto'

/** 256 random bits, safe in a cookie or a header. */
export const newSecret = (): string => randomBytes(32).toString('base64url')

/** SHA-256 in hex. What is hashed is long and random, so a slow hash gains nothing. */
export const hashSecret = (secret: string): string => createHash('sha256').update(secret).digest('hex')

/** No 0 and O, no 1, I and L. */
const codeAlphabet = '23456789ABCDEFGHJKMNPQRSTUVWXYZ'
const codeLength = 10

/** `K7QM2-XW4ZT`, about 49 bits: for a person to type once. */
export function newCode(): string {
  const letters = Array.from({ length: codeLength }, () => codeAlphabet[randomInt(codeAlphabet.length)]).join('')
  return `${letters.slice(0, codeLength / 2)}-${letters.slice(codeLength / 2)}`
}

/** As it was meant: without blanks and dashes, in capitals. */
export const cleanCode = (typed: string): string => typed.replaceAll(/[\s-]/g, '').toUpperCase()
