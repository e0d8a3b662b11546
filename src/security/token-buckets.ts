/** How often something may happen, for each of many keys: a bucket of tokens each, filled evenly, in bounded memory. */
import type { Clock } from '../core/clock.ts'
import { detached } from '../sip/message/scan.ts'

export interface BucketTerms {
  /** Tokens in a full bucket: what may happen at once. */
  readonly burst: number
  /** Tokens that come back in a second. */
  readonly perSecond: number
}

/** Terms that follow a setting: `atOnce` seconds' worth in a full bucket. */
export const changingTerms = (perSecond: () => number, atOnce: number): BucketTerms => ({
  get burst() {
    return atOnce * perSecond()
  },
  get perSecond() {
    return perSecond()
  },
})

interface Bucket {
  tokens: number
  atMs: number
}

/** Keys that strangers can make. */
const defaultMaxKeys = 20_000

export class TokenBuckets {
  readonly #clock: Clock
  readonly #terms: BucketTerms
  readonly #maxKeys: number
  /** Those used of late. To take the oldest out of one map alone would step over all that were taken before it. */
  #young = new Map<string, Bucket>()
  /** When too many are young they grow old together, and those that were old are forgotten: most are full again by then. */
  #old = new Map<string, Bucket>()

  constructor(clock: Clock, terms: BucketTerms, maxKeys: number = defaultMaxKeys) {
    this.#clock = clock
    this.#terms = terms
    this.#maxKeys = maxKeys
  }

  /** How many buckets are kept. */
  get size(): number {
    return this.#young.size + this.#old.size
  }

  /** Whether `take` would succeed now. */
  has(key: string, tokens = 1): boolean {
    const bucket = this.#find(key)
    return (bucket ? this.#filled(bucket) : this.#terms.burst) >= tokens
  }

  /** Take so many; false, with nothing taken, when they are not there. */
  take(key: string, tokens = 1): boolean {
    const bucket = this.#young.get(key) ?? this.#makeYoung(key)
    bucket.tokens = this.#filled(bucket)
    bucket.atMs = this.#clock.now()
    if (bucket.tokens < tokens) return false
    bucket.tokens -= tokens
    return true
  }

  /** Fill this bucket. */
  forget(key: string): void {
    this.#young.delete(key)
    this.#old.delete(key)
  }

  #find(key: string): Bucket | undefined {
    return this.#young.get(key) ?? this.#old.get(key)
  }

  #makeYoung(key: string): Bucket {
    const bucket = this.#old.get(key) ?? { tokens: this.#terms.burst, atMs: this.#clock.now() }
    this.#old.delete(key)
    if (this.#young.size >= this.#maxKeys / 2) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(detached(key), bucket)
    return bucket
  }

  #filled({ tokens, atMs }: Bucket): number {
    const { burst, perSecond } = this.#terms
    return Math.min(burst, tokens + ((this.#clock.now() - atMs) / 1_000) * perSecond)
  }
}
