/** Everything that a world leaves to chance, decided by its seed. */
import { seededRandom } from '../../src/net/memory-network.ts'

export class Chance {
  readonly random: () => number

  constructor(seed: number) {
    this.random = seededRandom(seed)
  }

  /** True in this share of cases. */
  is(share: number): boolean {
    return this.random() < share
  }

  between(min: number, max: number): number {
    return min + this.random() * (max - min)
  }

  pick<Value>(...values: readonly [Value, ...Value[]]): Value {
    return values[Math.floor(this.random() * values.length)] ?? values[0]
  }
}
