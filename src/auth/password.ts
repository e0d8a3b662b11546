/**
 * Passwords of people, kept as scrypt hashes that carry their own cost: `$scrypt$n=32768,r=8,p=3$salt$hash`.
 *
 * One hash is computed at a time. Each takes a thread of the pool that the recorders write their files through, and
 * a flood of sign-ins must not hold those up. RFC 7914.
 */
import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'

export interface PasswordCost {
  /** CPU and memory cost, a power of two. */
  readonly n: number
  readonly r: number
  readonly p: number
}

/** 32 MiB and about 0.2 s: the OWASP Password Storage Cheat Sheet's N=2^15, r=8, p=3. */
const presentCost: PasswordCost = { n: 2 ** 15, r: 8, p: 3 }
const saltBytes = 16
const hashBytes = 32

export async function hashPassword(password: string, cost: PasswordCost = presentCost): Promise<string> {
  const salt = randomBytes(saltBytes)
  return print(cost, salt, await derive(password, salt, cost))
}

/**
 * True when the password is the one that was hashed.
 * @param hash Undefined when there is no such user: the same work is done, so that the answer takes as long.
 */
export async function verifyPassword(password: string, hash: string | undefined): Promise<boolean> {
  const known = hash === undefined ? undefined : parse(hash)
  const { cost, salt, expected } = known ?? nobody
  const derived = await derive(password, salt, cost)
  return timingSafeEqual(derived, expected) && known !== undefined
}

interface Parsed {
  readonly cost: PasswordCost
  readonly salt: Buffer
  readonly expected: Buffer
}

const nobody: Parsed = { cost: presentCost, salt: randomBytes(saltBytes), expected: randomBytes(hashBytes) }

const print = ({ n, r, p }: PasswordCost, salt: Buffer, hash: Buffer): string =>
  `$scrypt$n=${n},r=${r},p=${p}$${salt.toString('base64url')}$${hash.toString('base64url')}`

function parse(text: string): Parsed | undefined {
  const match = /^\$scrypt\$n=(\d+),r=(\d+),p=(\d+)\$([\w-]+)\$([\w-]{43})$/.exec(text)
  if (!match) return undefined
  const [, n, r, p, salt = '', hash = ''] = match
  return {
    cost: { n: Number(n), r: Number(r), p: Number(p) },
    salt: Buffer.from(salt, 'base64url'),
    expected: Buffer.from(hash, 'base64url'),
  }
}

let lastHash: Promise<unknown> = Promise.resolve()

function derive(password: string, salt: Buffer, { n, r, p }: PasswordCost): Promise<Buffer> {
  // scrypt needs 128·N·r bytes and a little; node refuses more than `maxmem`.
  const options: ScryptOptions = { N: n, r, p, maxmem: 256 * n * r }
  const hash = lastHash.then(
    () =>
      new Promise<Buffer>((resolve, reject) => {
        scrypt(password.normalize('NFKC'), salt, hashBytes, options, (error, key) =>
          error ? reject(error) : resolve(key),
        )
      }),
  )
  lastHash = hash.catch(() => {})
  return hash
}
