/** What the phone system says to a caller: prompts by their names (docs/prompts.md), as sounds for a port. */
import type { Sound } from '../media/graph/types.ts'

/** Never rejects: none when these prompts cannot be spoken, for a tone says it as well. */
export type Speak = (...names: readonly string[]) => Promise<readonly Sound[]>

/** Says nothing. */
export const mute: Speak = () => Promise.resolve([])
