/**
 * Keeps a stolen password from becoming a telephone bill: which calls to the world an extension may make now.
 *
 *   pbx/dialplan ── ways by trunks ─▶  here  ── those it may take ─▶  dialplan
 *
 * Nothing goes out without a rule of a trunk. Numbers that are dear or that fraud is known for (premium, satellite,
 * revenue-share ranges) need a rule that says `highRisk`. Each extension has so many calls at a time and in an hour.
 * Calls that came back from a transfer or a redirection are asked about as well. Counts live in memory.
 * Missing: minutes and money; limits that differ by extension.
 */
import type { Clock } from '../core/clock.ts'
import { Tally } from '../core/tally.ts'
import type { FactBus } from '../events/bus.ts'
import { type CallLimits, isShort, type LimitedTrunk } from './call-limits.ts'
import { TokenBuckets } from './token-buckets.ts'

/** A way out by a trunk. */
export interface WayOut {
  /** As the trunk is asked for it. */
  readonly number: string
  /** The rule allows dear numbers. */
  readonly highRisk: boolean
  readonly trunk: LimitedTrunk
}

export interface TollGuardOptions {
  readonly clock: Clock
  readonly bus: FactBus
  /** Digits after the `+`; with a zero in front: as dialled inside a country. */
  readonly highRiskPrefixes: readonly string[]
  /** Calls to the world of one extension at a time; 0 for no limit. */
  readonly callsAtATime: number
  /** And in an hour; 0 for no limit. */
  readonly callsPerHour: number
  /** Knows how full a trunk is. */
  readonly limits: Pick<CallLimits, 'hasRoom' | 'beginOut'>
}

type Refusal = 'high-risk' | 'calls-at-a-time' | 'calls-per-hour' | 'trunk-full'

export class TollGuard {
  readonly #options: TollGuardOptions
  readonly #hourly: TokenBuckets
  readonly #running = new Tally()

  constructor(options: TollGuardOptions) {
    this.#options = options
    const { callsPerHour } = options
    this.#hourly = new TokenBuckets(options.clock, { burst: callsPerHour, perSecond: callsPerHour / 3_600 })
  }

  /**
   * The ways that this extension may take for one more call; none when it may not make it, which is told. A call that is
   * let out counts for its hour.
   */
  allow<Way extends WayOut>(extension: string, ways: readonly Way[]): readonly Way[] {
    const { callsPerHour, limits } = this.#options
    const safe = ways.filter((way) => way.highRisk || !this.isHighRisk(way.number))
    if (safe.length === 0) return this.#refuse(extension, ways, 'high-risk')
    if (safe.some(({ number }) => isShort(number))) return safe
    const open = safe.filter(({ trunk }) => limits.hasRoom(trunk))
    if (open.length === 0) return this.#refuse(extension, ways, 'trunk-full')
    if (this.#isBusy(extension)) return this.#refuse(extension, ways, 'calls-at-a-time')
    if (callsPerHour > 0 && !this.#hourly.take(extension)) return this.#refuse(extension, ways, 'calls-per-hour')
    return open
  }

  /**
   * A call of that extension goes out that way. Returns what to call when it is over; undefined when it is one too many by
   * now, which is told.
   */
  begin(extension: string, way: WayOut): (() => void) | undefined {
    const { number, trunk } = way
    if (!isShort(number) && this.#isBusy(extension)) return void this.#refuse(extension, [way], 'calls-at-a-time')
    const leaveTrunk = this.#options.limits.beginOut(trunk, number)
    if (!leaveTrunk) return void this.#refuse(extension, [way], 'trunk-full')
    const leave = this.#running.take(extension)
    return () => {
      leaveTrunk()
      leave()
    }
  }

  /** Whether the number is one that a rule has to allow by name. */
  isHighRisk(number: string): boolean {
    const { highRiskPrefixes } = this.#options
    const international =
      /^(?:\+|00|011)([1-9]\d*)$/.exec(number)?.[1] ?? (/^[1-9]\d{10,}$/.test(number) ? number : undefined)
    return highRiskPrefixes.some((prefix) =>
      prefix.startsWith('0') ? number.startsWith(prefix) : (international?.startsWith(prefix) ?? false),
    )
  }

  #isBusy(extension: string): boolean {
    const { callsAtATime } = this.#options
    return callsAtATime > 0 && this.#running.of(extension) >= callsAtATime
  }

  #refuse(extension: string, ways: readonly WayOut[], why: Refusal): [] {
    const { bus, clock } = this.#options
    const [way] = ways
    if (way) {
      const { number, trunk } = way
      bus.publish({ name: 'security.call-refused', atMs: clock.wallMs(), extension, number, trunk: trunk.name, why })
    }
    return []
  }
}
