/**
 * Nonces that carry their own proof, so that a challenge costs no memory; and the counts of those that were used.
 *
 * `<time>.<salt>.<mac>`: when it was made, that no two are alike, and that we made it for this realm
 * and source.
 */
import { createHmac, createSecretKey, type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto'
import { randomHex } from '../../core/random.ts'
import { detached } from '../message/scan.ts'

/** Signs and checks nonces of one realm with a key of this process; a restart makes older ones stale. */
export class NonceMint {
  readonly #key: KeyObject = createSecretKey(randomBytes(32))
  readonly #realm: string

  constructor(realm: string) {
    this.#realm = realm
  }

  /** @param source Whom it is for: from elsewhere it is not ours. */
  make(nowMs: number, source = ''): string {
    const claim = `${Math.floor(nowMs).toString(36)}.${randomHex(8)}`
    return `${claim}.${this.#sign(claim, source)}`
  }

  /** When we made it, in milliseconds of the clock it was made with; undefined when we did not. */
  madeAt(nonce: string, source = ''): number | undefined {
    const cut = nonce.lastIndexOf('.')
    const claim = nonce.slice(0, Math.max(cut, 0))
    const given = Buffer.from(nonce.slice(cut + 1))
    const right = Buffer.from(this.#sign(claim, source))
    if (given.length !== right.length || !timingSafeEqual(given, right)) return undefined
    return Number.parseInt(claim, 36)
  }

  #sign(claim: string, source: string): string {
    return createHmac('sha256', this.#key).update(`${this.#realm}:${source}:${claim}`).digest('base64url').slice(0, 22)
  }
}

interface Used {
  readonly madeAtMs: number
  highest: number
  /** Bit n: count `highest - n` was seen. */
  seen: number
}

/** How far behind the highest count a request may come: UDP swaps packets. */
const windowSize = 32

/**
 * Which nonce counts were used (RFC 7616 §3.4.5: each count once).
 *
 * Only nonces that came with the right password get here, so strangers cannot fill it. When it is full the oldest nonce
 * is forgotten and refused from then on with all older ones: forgetting must not make a replay possible.
 */
export class NonceCounts {
  readonly #used = new Map<string, Used>()
  readonly #limit: number
  #floorMs = Number.NEGATIVE_INFINITY

  constructor(limit = 20_000) {
    this.#limit = limit
  }

  get size(): number {
    return this.#used.size
  }

  /** Take `count` of this nonce; false when it was taken before, is too far behind, or the nonce was forgotten. */
  take(nonce: string, count: number, madeAtMs: number): boolean {
    const used = this.#used.get(nonce)
    if (!used) {
      if (madeAtMs <= this.#floorMs) return false
      this.#used.set(detached(nonce), { madeAtMs, highest: count, seen: 1 })
      if (this.#used.size > this.#limit) this.#forgetOldest()
      return true
    }
    const ahead = count - used.highest
    if (ahead > 0) {
      used.seen = ahead < windowSize ? ((used.seen << ahead) | 1) >>> 0 : 1
      used.highest = count
      return true
    }
    const bit = (1 << -ahead) >>> 0
    if (-ahead >= windowSize || (used.seen & bit) !== 0) return false
    used.seen = (used.seen | bit) >>> 0
    return true
  }

  /** Forget nonces made before that time: they are stale anyway. */
  expire(beforeMs: number): void {
    for (const [nonce, used] of this.#used) {
      if (used.madeAtMs < beforeMs) this.#used.delete(nonce)
    }
  }

  /** The map keeps the order of first use, which is close to that of making. */
  #forgetOldest(): void {
    const [oldest] = this.#used
    if (!oldest) return
    this.#used.delete(oldest[0])
    this.#floorMs = Math.max(this.#floorMs, oldest[1].madeAtMs)
  }
}
