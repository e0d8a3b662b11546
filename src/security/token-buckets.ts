/** How often something may happen, for each of many keys: a bucket of tokens each, filled evenly, in bounded memory. */
import type { Clock } from '../core/clock.ts'

export interface BucketTerms {
  /** Tokens in a full bucket: what may happen at once. */
  readonly burst: number
  /** Tokens that come back in a second. */
  readonly perSecond: number
}

interface Bucket {
  tokens: number
  atMs: number
}

/** Keys that strangers can make; the oldest bucket goes first, which is full again then. */
const defaultMaxKeys = 20_000

export class TokenBuckets {
  readonly #clock: Clock
  readonly #terms: BucketTerms
  readonly #maxKeys: number
  readonly #buckets = new Map<string, Bucket>()

  constructor(clock: Clock, terms: BucketTerms, maxKeys: number = defaultMaxKeys) {
    this.#clock = clock
    this.#terms = terms
    this.#maxKeys = maxKeys
  }

  /** How many buckets are kept. */
  get size(): number {
    return this.#buckets.size
  }

  /** Whether `take` would succeed now. */
  has(key: string, tokens = 1): boolean {
    const bucket = this.#buckets.get(key)
    return (bucket ? this.#filled(bucket) : this.#terms.burst) >= tokens
  }

  /** Take so many; false, with nothing taken, when they are not there. */
  take(key: string, tokens = 1): boolean {
    const bucket = this.#buckets.get(key) ?? this.#open(key)
    bucket.tokens = this.#filled(bucket)
    bucket.atMs = this.#clock.now()
    if (bucket.tokens < tokens) return false
    bucket.tokens -= tokens
    return true
  }

  /** Fill this bucket. */
  forget(key: string): void {
    this.#buckets.delete(key)
  }

  #open(key: string): Bucket {
    if (this.#buckets.size >= this.#maxKeys) {
      const [oldest] = this.#buckets.keys()
      if (oldest !== undefined) this.#buckets.delete(oldest)
    }
    const bucket = { tokens: this.#terms.burst, atMs: this.#clock.now() }
    this.#buckets.set(key, bucket)
    return bucket
  }

  #filled({ tokens, atMs }: Bucket): number {
    const { burst, perSecond } = this.#terms
    return Math.min(burst, tokens + ((this.#clock.now() - atMs) / 1_000) * perSecond)
  }
}
