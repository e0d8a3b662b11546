/**
 * Who is not listened to for a while, and why: only sources that proved to be where they say they are get here.
 *
 * A ban ends by itself, or when a person releases it. Bans live in memory: a restart releases all.
 */
import type { Clock, Timer } from '../core/clock.ts'
import type { FactBus } from '../events/bus.ts'
import { detached } from '../sip/message/scan.ts'

export interface Ban {
  /** An IPv4 address, or the /64 of an IPv6 one: `2001:db8:0:1::/64`. */
  readonly source: string
  readonly why: BanReason
  /** The user name it tried last. */
  readonly who?: string
  readonly sinceMs: number
  readonly untilMs: number
}

export type BanReason = 'guessing' | 'scanning'

/** What may be seen and done about bans; the API shows it. */
export interface BanList {
  /** Newest first. */
  list(): readonly Ban[]
  /** Listen to that source again. False when it is not banned. */
  release(source: string): boolean
}

/** Beyond it the oldest ban ends early. */
const maxBans = 10_000

export class Bans implements BanList {
  readonly #clock: Clock
  readonly #bus: FactBus
  readonly #lifeMs: number
  readonly #bans = new Map<string, { readonly ban: Ban; readonly timer: Timer }>()

  constructor(options: { readonly clock: Clock; readonly bus: FactBus; readonly lifeMs: number }) {
    this.#clock = options.clock
    this.#bus = options.bus
    this.#lifeMs = options.lifeMs
  }

  get size(): number {
    return this.#bans.size
  }

  has(source: string): boolean {
    return this.#bans.has(source)
  }

  add(source: string, why: BanReason, who: string | undefined): void {
    if (this.#bans.has(source)) return
    if (this.#bans.size >= maxBans) {
      const [oldest] = this.#bans.keys()
      if (oldest !== undefined) this.#end(oldest, 'time')
    }
    const sinceMs = this.#clock.wallMs()
    const ban = {
      source,
      why,
      ...(who !== undefined && { who: detached(who) }),
      sinceMs,
      untilMs: sinceMs + this.#lifeMs,
    }
    const timer = this.#clock.after(this.#lifeMs, () => this.#end(source, 'time'))
    this.#bans.set(source, { ban, timer })
    this.#bus.publish({ name: 'security.banned', atMs: sinceMs, ...ban })
  }

  list(): readonly Ban[] {
    return Array.from(this.#bans.values(), ({ ban }) => ban).reverse()
  }

  release(source: string): boolean {
    return this.#end(source, 'person')
  }

  /** Forget all, silently: the server stops. */
  close(): void {
    for (const { timer } of this.#bans.values()) timer.cancel()
    this.#bans.clear()
  }

  #end(source: string, by: 'time' | 'person'): boolean {
    const entry = this.#bans.get(source)
    if (!entry) return false
    entry.timer.cancel()
    this.#bans.delete(source)
    this.#bus.publish({ name: 'security.released', atMs: this.#clock.wallMs(), source, by })
    return true
  }
}
