/** Choices that a seed decides, so that a run repeats. */
import { seededRandom } from '../../src/net/memory-network.ts'

export interface Chance {
  /** 0 to `end` - 1. */
  readonly below: (end: number) => number
  readonly pick: <Item>(items: readonly Item[]) => Item
}

export function chanceFrom(seed: number): Chance {
  const next = seededRandom(seed)
  const below = (end: number) => Math.floor(next() * end)
  return { below, pick: <Item>(items: readonly Item[]): Item => items[below(items.length)] as Item }
}
