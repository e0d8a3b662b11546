/**
 * How many calls an extension may have and begin, whoever is called, and how many a trunk carries in both directions.
 *
 *   pbx/dialplan ── a call comes in ─▶  here  ◀─ a call goes out by a trunk ── toll-guard.ts
 *
 * A phone that runs wild, a stolen password or a forged trunk takes its own share and no more. Counts live in memory, and
 * hold as long as the dialog of the call, also when a transfer moved it.
 */
import type { Clock } from '../core/clock.ts'
import { Tally } from '../core/tally.ts'
import type { FactBus } from '../events/bus.ts'
import { changingTerms, TokenBuckets } from './token-buckets.ts'

export interface LimitedTrunk {
  readonly name: string
  /** At a time. */
  readonly maxCalls?: number | undefined
  readonly callsPerSecond?: number | undefined
}

/** Who begins a call, and what it dialled. */
export type NewCall = (
  | {
      readonly extension: string
      /** The number is one in the world. */
      readonly outside: boolean
    }
  | { readonly trunk: LimitedTrunk }
) & { readonly number: string }

export interface CallLimitsOptions {
  readonly clock: Clock
  readonly bus: FactBus
  /** Of one extension; 0 for no limit. */
  readonly callsAtATime: number
  /** Of one extension, four times as many at once; 0 for no limit. */
  readonly callsPerSecond: number
}

type Why = 'calls-at-a-time' | 'calls-per-second' | 'trunk-full'

/** A flood of refused calls is not told call by call. */
const tellTerms = { burst: 100, perSecond: 10 }

export class CallLimits {
  readonly #options: CallLimitsOptions
  readonly #running = new Tally()
  readonly #extensions: TokenBuckets
  /** By the name of the trunk: each has terms of its own. */
  readonly #trunks = new Map<string, TokenBuckets>()
  readonly #tellings: TokenBuckets

  constructor(options: CallLimitsOptions) {
    this.#options = options
    const { clock } = options
    this.#extensions = new TokenBuckets(
      clock,
      changingTerms(() => options.callsPerSecond, 4),
    )
    this.#tellings = new TokenBuckets(clock, tellTerms)
  }

  /** A call comes in. Returns what to call when it is over; undefined when it is one too many, which is told. */
  begin(call: NewCall): (() => void) | undefined {
    if ('trunk' in call) {
      const why = this.#fullTrunk(call.trunk)
      return why ? this.#refuse(call, why) : this.#running.take(trunkKey(call.trunk))
    }
    const why = call.outside && isShort(call.number) ? undefined : this.#tooMany(call.extension)
    return why ? this.#refuse(call, why) : this.#running.take(`extension ${call.extension}`)
  }

  /** Whether this trunk can take one more call of ours now. */
  hasRoom(trunk: LimitedTrunk): boolean {
    return !this.#isFull(trunk) && (this.#rate(trunk)?.has(trunk.name) ?? true)
  }

  /** A call goes out by this trunk. Returns what to call when it is over; undefined when the trunk is full. */
  beginOut(trunk: LimitedTrunk, number: string): (() => void) | undefined {
    return !isShort(number) && this.#fullTrunk(trunk) ? undefined : this.#running.take(trunkKey(trunk))
  }

  #tooMany(extension: string): Why | undefined {
    const { callsAtATime, callsPerSecond } = this.#options
    if (callsAtATime > 0 && this.#running.of(`extension ${extension}`) >= callsAtATime) return 'calls-at-a-time'
    return callsPerSecond > 0 && !this.#extensions.take(extension) ? 'calls-per-second' : undefined
  }

  #fullTrunk(trunk: LimitedTrunk): Why | undefined {
    if (this.#isFull(trunk)) return 'trunk-full'
    return (this.#rate(trunk)?.take(trunk.name) ?? true) ? undefined : 'calls-per-second'
  }

  #isFull(trunk: LimitedTrunk): boolean {
    return trunk.maxCalls !== undefined && this.#running.of(trunkKey(trunk)) >= trunk.maxCalls
  }

  #rate({ name, callsPerSecond }: LimitedTrunk): TokenBuckets | undefined {
    if (callsPerSecond === undefined) return undefined
    const known = this.#trunks.get(name)
    if (known) return known
    const made = new TokenBuckets(this.#options.clock, { burst: callsPerSecond, perSecond: callsPerSecond })
    this.#trunks.set(name, made)
    return made
  }

  #refuse(call: NewCall, why: Why): undefined {
    if (!this.#tellings.take('all')) return
    const { bus, clock } = this.#options
    const from = 'trunk' in call ? { trunk: call.trunk.name } : { extension: call.extension }
    bus.publish({ name: 'security.call-refused', atMs: clock.wallMs(), ...from, number: call.number.slice(0, 64), why })
  }
}

const trunkKey = ({ name }: LimitedTrunk): string => `trunk ${name}`

/** 112, 911, 999: a call for help is never one too many. */
export const isShort = (number: string): boolean => /^\d{1,3}$/.test(number)
