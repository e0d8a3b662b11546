/** Which recording servers elsewhere a call is sent to: what its two sides ask for, together. */
import type { RecordTo } from '../call/services.ts'

/** One side of a call; undefined asks for what all do by default. */
export type Asks = RecordTo | undefined

/** Each list once. */
export function recordToOf(sides: readonly Asks[], usual: RecordTo): RecordTo {
  return [...new Set(sides.flatMap((asks) => asks ?? usual))]
}
