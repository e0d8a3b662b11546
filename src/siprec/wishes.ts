/**
 * What a recording client asks of one session in headers of its INVITE, instead of what the settings say for all:
 *
 * - `X-Recording-Timeout`: a stream that is silent for so long is told; `30s`, `5m`, or seconds.
 * - `X-Recording-Max-Duration`: the session is ended after so long; `2h`, or seconds.
 * - `X-Recording-Retention`: how long its recording is kept; `90d`, or days.
 *
 * A value that cannot be read, or is out of bounds, is a warning in the log and never costs the recording.
 */
import type { SipRequest } from '../sip/message/types.ts'

export interface Wishes {
  readonly streamSilentMs?: number
  readonly maxDurationMs?: number
  readonly retentionDays?: number
}

export interface ReadWishes {
  readonly wishes: Wishes
  /** Headers that were passed over, and why. */
  readonly problems: readonly string[]
}

const secondMs = 1_000
const dayMs = 86_400_000
const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: secondMs, m: 60_000, h: 3_600_000, d: dayMs }

/** Below the lower bounds nothing would be recorded, or all would be told as silent; timers end at the upper. */
const bounds = {
  'X-Recording-Timeout': { least: 1_000, most: dayMs },
  'X-Recording-Max-Duration': { least: 1_000, most: 7 * dayMs },
  'X-Recording-Retention': { least: dayMs, most: 36_500 * dayMs },
} as const
type WishHeader = keyof typeof bounds

export function readWishes({ headers }: SipRequest): ReadWishes {
  const problems: string[] = []
  const read = (name: WishHeader, bareMs: number): number | undefined => {
    const text = headers.get(name)
    if (text === undefined) return undefined
    const ms = durationOf(text, bareMs)
    const { least, most } = bounds[name]
    if (ms !== undefined && ms >= least && ms <= most) return ms
    problems.push(`${name}: ${ms === undefined ? 'not a duration' : 'out of bounds'}`)
    return undefined
  }
  const streamSilentMs = read('X-Recording-Timeout', secondMs)
  const maxDurationMs = read('X-Recording-Max-Duration', secondMs)
  const retentionMs = read('X-Recording-Retention', dayMs)
  return {
    wishes: {
      ...(streamSilentMs !== undefined && { streamSilentMs }),
      ...(maxDurationMs !== undefined && { maxDurationMs }),
      ...(retentionMs !== undefined && { retentionDays: Math.ceil(retentionMs / dayMs) }),
    },
    problems,
  }
}

/** `1h30m`, `90d`, or a bare number of the usual unit; undefined for anything else. */
function durationOf(text: string, bareMs: number): number | undefined {
  const written = text.trim().toLowerCase()
  if (/^\d{1,9}$/.test(written)) return Number(written) * bareMs
  const parts = [...written.matchAll(/(\d{1,9})(ms|s|m|h|d)/g)]
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== written) return undefined
  return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (unitsMs[unit ?? ''] ?? 0), 0)
}
